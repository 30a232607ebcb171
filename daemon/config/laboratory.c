/* SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>
#include <stddef.h>
#include <string.h>

#include "config/hint.h"
#include "config/inside.h"
#include "config/sections.h"
#include "config/warnings.h"
#include "config/zone.h"

#define PATTERN_BYTES_MAX 200
#define PATTERN_COST_MAX  5000
#define PATTERN_DEPTH_MAX 8

struct laboratory {
	const char *site, *node;
	unsigned require;
	const struct node *pattern, *example, *timezone;
};

/* In the order of enum config_require's bits. */
static const char *const require_choices[] = {"sample", "operator", "method", NULL};

static const struct field sample_id_fields[] = {
	{"pattern", FIELD_NODE, FIELD_REQUIRED, offsetof(struct laboratory, pattern),
		.help = "regular expression (POSIX extended) that every sample id matches"},
	{"example", FIELD_NODE, FIELD_REQUIRED, offsetof(struct laboratory, example),
		.help = "a sample id that matches, shown to people who typed a wrong one"},
	{0},
};

const struct field laboratory_fields[] = {
	{"site", FIELD_TOKEN, FIELD_REQUIRED, offsetof(struct laboratory, site),
		.help = "the laboratory's short name, part of every topic"},
	{"node", FIELD_TOKEN, FIELD_REQUIRED, offsetof(struct laboratory, node),
		.help = "this computer's short name, part of every run number"},
	{"timezone", FIELD_NODE, 0, offsetof(struct laboratory, timezone),
		.help = "the time zone whose days are in run numbers; without it UTC"},
	{"require", FIELD_FLAGS, 0, offsetof(struct laboratory, require),
		.choices = require_choices, .help = "the facts that a run must have to be started"},
	{"sample_id", FIELD_SECTION, .fields = sample_id_fields,
		.help = "the form of sample ids at this site"},
	{0},
};

/* The largest number in the interval that `*p` points at; moves to its '}'. */
static unsigned read_times(const char **p)
{
	unsigned times = 1, number = 0;
	for (; **p != '\0' && **p != '}'; (*p)++) {
		bool is_digit = **p >= '0' && **p <= '9';
		number = is_digit && number < 100000 ? number * 10 + (unsigned)(**p - '0') : 0;
		times = number > times ? number : times;
	}
	return times;
}

/* Moves from a '[' to its ']'. */
static const char *skip_bracket(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	p += *p == ']';
	while (*p != '\0' && *p != ']') {
		bool is_class = p[0] == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=');
		const char *end = is_class ? strchr(p + 2, ']') : NULL;
		p = end != NULL ? end + 1 : p + 1;
	}
	return p;
}

/*
 * Whether the pattern is too large with its repetitions written out: regcomp() does that, and would
 * fill the memory for a{255}{255}{255}.
 */
static bool is_too_large(const char *pattern)
{
	unsigned cost[PATTERN_DEPTH_MAX + 1] = {0}, depth = 0, last = 0;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p == '(') {
			if (++depth > PATTERN_DEPTH_MAX)
				return true;
			cost[depth] = 0;
			continue;
		}
		if (*p == '{') {
			unsigned times = read_times(&p);
			if (*p == '\0' || times > PATTERN_COST_MAX)
				return true;
			last *= times;
		} else if (*p == ')' && depth > 0) {
			last = cost[depth--] + 1;
		} else {
			last = 1;
			p = *p == '[' ? skip_bracket(p) : *p == '\\' && p[1] != '\0' ? p + 1 : p;
			if (*p == '\0')
				return false; /* regcomp() reports it */
		}
		cost[depth] += last;
		if (cost[depth] > PATTERN_COST_MAX)
			return true;
	}
	return false;
}

/* regcomp() of glibc accepts \1, which can take unbounded time to match. */
static bool has_backreference(const char *pattern)
{
	for (; *pattern != '\0'; pattern++)
		if (*pattern == '\\' && *++pattern >= '1' && *pattern <= '9')
			return true;
		else if (*pattern == '\0')
			break;
	return false;
}

/* The letter of a class that POSIX does not have, such as \\d, which matches a 'd'; 0: none. */
static char foreign_class(const char *pattern)
{
	for (; *pattern != '\0'; pattern++)
		if (*pattern == '\\' && *++pattern != '\0' && strchr("dDtnrxpu", *pattern) != NULL)
			return *pattern;
		else if (*pattern == '\0')
			break;
	return '\0';
}

static bool has_open_bracket(const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '[' && *(pattern = skip_bracket(pattern)) == '\0')
			return true;
		if (*pattern == '\\' && *++pattern == '\0')
			break;
	}
	return false;
}

/* The reason why a pattern is not compiled; NULL: regcomp() decides. */
static const char *complaint(struct load *load, const char *pattern)
{
	char letter = foreign_class(pattern);
	if (strlen(pattern) > PATTERN_BYTES_MAX || is_too_large(pattern))
		return "this pattern is too large";
	if (has_backreference(pattern))
		return "found a back-reference (\\1), which patterns of sample ids do not have";
	if (letter != '\0')
		return arena_printf(load->arena,
			"found \\%c, which POSIX patterns do not have; a digit is [0-9]", letter);
	if (has_open_bracket(pattern))
		return "a [ of the pattern is not closed";
	return NULL;
}

static bool compile(struct load *load, const struct node *pattern)
{
	const char *text = pattern->text;
	char why[80];
	const char *reason = complaint(load, text);
	if (reason != NULL) {
		load_error(load, pattern->mark, "%s", reason);
		return false;
	}
	struct config_inside *inside = load->config->inside;
	int r = regcomp(&inside->sample, text, REG_EXTENDED | REG_NOSUB);
	if (r == 0)
		return inside->has_sample = true;
	regerror(r, &inside->sample, why, sizeof why);
	load_error(load, pattern->mark, "'%.100s' is not a regular expression (POSIX extended): %s",
		text, why);
	return false;
}

static bool is_text(struct load *load, const struct node *node, const char *expected)
{
	if (node == NULL)
		return false; /* reported as missing */
	if (node->type == NODE_SCALAR && !node_is_nothing(node) && node->text[0] != '\0')
		return true;
	load_found(load, node, "expected %s", expected);
	return false;
}

static void read_sample_id(struct load *load, const struct laboratory *lab)
{
	struct config *config = load->config;
	const struct node *pattern = lab->pattern, *example = lab->example;
	bool compiled = is_text(load, pattern, "a regular expression such as '^LAB-[0-9]{6}$'") &&
			compile(load, pattern);
	if (!is_text(load, example, "a sample id that matches the pattern") || !compiled)
		return;
	config->sample_pattern = pattern->text;
	config->sample_example = example->text;
	if (regexec(&config->inside->sample, example->text, 0, NULL, 0) != 0) {
		char hint[100];
		load_error(load, example->mark,
			"the example '%.60s' does not match the pattern '%.100s'%s", example->text,
			pattern->text, hint_value(pattern->text, hint, sizeof hint));
	} else {
		warn_of_pattern(load, pattern, example->text);
	}
}

void laboratory_read(struct load *load, const struct node *map, struct config_mark where)
{
	struct laboratory lab = {.site = "", .node = ""};
	fields_read(load, map, "laboratory", where, laboratory_fields, &lab);
	struct config *config = load->config;
	memcpy(config->site, lab.site, strlen(lab.site));
	memcpy(config->node, lab.node, strlen(lab.node));
	config->timezone = lab.timezone != NULL ? zone_read(load, lab.timezone) : "UTC";
	config->require = lab.require;
	read_sample_id(load, &lab);
}
