/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/clock.h"
#include "base/suggest.h"
#include "config/date.h"
#include "config/quantity.h"

#define LONG 256 /* getopt's value of option 0: above all letters */

int args_reject(const struct args *args, const char *format, ...)
{
	const struct command *command = args->command;
	va_list list;
	va_start(list, format);
	fprintf(stderr, "assayctl%s%s%s%s: ", command->group != NULL ? " " : "",
		command->group != NULL ? command->group : "", command != &program ? " " : "",
		command != &program ? command->name : "");
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
	return 2;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t *number)
{
	char *end;
	errno = 0;
	*number = strtoull(text, &end, 10); /* also takes blanks and signs */
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* "2026-11-22", "2026-11-22T08:00:00Z"; of a day its start or its `end`. */
static bool read_time(const char *text, bool end, uint64_t *ns)
{
	return date_parse(text, end, ns) == 0;
}

/* "2h", "90 min", "7 d" before now. */
static bool read_age(const char *text, uint64_t *ns)
{
	char why[QUANTITY_TEXT];
	double seconds;
	if (quantity_read(text, "s", &seconds, why) < 0 || seconds < 0)
		return false;
	uint64_t now = clock_utc();
	*ns = seconds * 1e9 < (double)now ? now - (uint64_t)(seconds * 1e9) : 0;
	return true;
}

static bool read_place(const char *text, bool end, struct arg_value *value)
{
	value->is_time = !read_number(text, &value->number);
	return !value->is_time || read_time(text, end, &value->number);
}

#define A_TIME "a date like 2026-11-22 or a time like 2026-11-22T08:00:00Z"

/* Returns NULL, or the expected value in words. */
static const char *read_value(
	const struct command_option *option, const char *text, struct arg_value *value)
{
	*value = (struct arg_value){.text = text};
	switch (option->type) {
	case ARG_FLAG: value->text = ""; return NULL;
	case ARG_TEXT:
	case ARG_TEXTS: return NULL;
	case ARG_WORD:
		for (size_t i = 0; option->words[i] != NULL; i++) {
			if (strcmp(option->words[i], text) == 0)
				return NULL;
		}
		return ""; /* the words: reject_value() */
	case ARG_NUMBER: return read_number(text, &value->number) ? NULL : "a whole number";
	case ARG_COUNT:
		return read_number(text, &value->number) && value->number > 0
			       ? NULL
			       : "a whole number from 1 on";
	case ARG_TIME: return read_time(text, false, &value->number) ? NULL : A_TIME;
	case ARG_UNTIL: return read_time(text, true, &value->number) ? NULL : A_TIME;
	case ARG_SINCE:
		return read_time(text, false, &value->number) || read_age(text, &value->number)
			       ? NULL
			       : "a duration like 2h, or " A_TIME;
	case ARG_PLACE: return read_place(text, false, value) ? NULL : "a seq, or " A_TIME;
	case ARG_PLACE_END: return read_place(text, true, value) ? NULL : "a seq, or " A_TIME;
	}
	return NULL;
}

/* --- options --------------------------------------------------------------------------------- */

static int reject_value(
	const struct args *args, const struct command_option *option, const char *expected)
{
	struct suggest suggest;
	char text[400] = "";
	if (option->type == ARG_WORD) {
		suggest_init(&suggest, args_text(args, option->name));
		suggest_offer_all(&suggest, option->words);
		suggest_text(&suggest, text, sizeof text);
	}
	return args_reject(args, "--%s: found '%s'%s%s%s", option->name,
		args_text(args, option->name), text, expected[0] != '\0' ? ", expected " : "",
		expected);
}

/* `word` is the argument that getopt stopped at. */
static int reject_unknown(const struct args *args, const char *word, int letter)
{
	const struct command_option *options = args->command->options;
	struct suggest suggest;
	char name[65], text[400];
	if (letter >= LONG)
		return args_reject(args, "--%s takes no value", options[letter - LONG].name);
	if (letter != 0)
		return args_reject(args, "unknown option -%c", letter);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; program.options[i].name != NULL; i++) {
		if (options != program.options && strcmp(program.options[i].name, name) == 0)
			return args_reject(args, "--%s must stand before the command", name);
	}
	suggest_init(&suggest, name);
	for (size_t i = 0; options[i].name != NULL; i++)
		suggest_offer(&suggest, options[i].name);
	suggest_text(&suggest, text, sizeof text);
	return args_reject(args, "unknown option --%s%s", name, text);
}

static int take_option(struct args *args, size_t i, const char *text)
{
	const struct command_option *option = &args->command->options[i];
	const char *expected = read_value(option, text, &args->values[i]);
	if (expected != NULL)
		return reject_value(args, option, expected);
	if (option->type != ARG_TEXTS)
		return 0;
	if (args->text_count == ARGS_TEXTS_MAX)
		return args_reject(args, "--%s: at most %d times", option->name, ARGS_TEXTS_MAX);
	args->texts[args->text_count++] = text;
	return 0;
}

static int read_options(struct args *args, int argc, char **argv)
{
	const struct command_option *options = args->command->options;
	struct option longs[COMMAND_OPTIONS + 1] = {0};
	char letters[COMMAND_OPTIONS + 3];
	size_t count = 0, letter_count = 0;
	if (args->command == &program)
		letters[letter_count++] = '+'; /* stop at the command */
	letters[letter_count++] = ':';         /* no messages from getopt */
	for (; options[count].name != NULL; count++) {
		assert(count < COMMAND_OPTIONS);
		bool has_value = options[count].type != ARG_FLAG;
		longs[count] = (struct option){options[count].name,
			has_value ? required_argument : no_argument, NULL, LONG + (int)count};
		if (options[count].letter != 0)
			letters[letter_count++] = options[count].letter;
	}
	letters[letter_count] = '\0';
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
		size_t i = 0;
		if (c == '?')
			return reject_unknown(args, argv[optind - 1], optopt);
		if (c == ':')
			return args_reject(args, "--%s needs a value", options[optopt - LONG].name);
		while (c < LONG ? options[i].letter != c : i != (size_t)(c - LONG))
			i++;
		int r = take_option(args, i, optarg);
		if (r != 0)
			return r;
	}
	args->words = argv + optind;
	args->word_count = argc - optind;
	return 0;
}

int args_read(struct args *args, const struct command *command, int argc, char **argv)
{
	*args = (struct args){.command = command};
	int r = read_options(args, argc, argv);
	if (r != 0 || args_has(args, "help"))
		return r;
	if (args->word_count < command->least)
		return args_reject(args, "expected %s", command->arguments);
	if (args->word_count > command->most)
		return args_reject(args, "unexpected argument '%s'", args->words[command->most]);
	for (size_t i = 0; command->options[i].name != NULL; i++) {
		const struct command_option *option = &command->options[i];
		if (option->is_required && args->values[i].text == NULL)
			return args_reject(args, "--%s is missing", option->name);
	}
	return 0;
}

const struct arg_value *args_value(const struct args *args, const char *name)
{
	const struct command_option *options = args->command->options;
	size_t i = 0;
	while (options[i].name != NULL && strcmp(options[i].name, name) != 0)
		i++;
	assert(options[i].name != NULL);
	return &args->values[i];
}

const char *args_text(const struct args *args, const char *name)
{
	return args_value(args, name)->text;
}

uint64_t args_number(const struct args *args, const char *name)
{
	return args_value(args, name)->number;
}

bool args_has(const struct args *args, const char *name)
{
	return args_value(args, name)->text != NULL;
}

/* --- commands -------------------------------------------------------------------------------- */

static bool is(const char *text, const char *name)
{
	return text != NULL && name != NULL && strcmp(text, name) == 0;
}

/* `group`: NULL for the words in the first place. */
static void reject_command(const char *group, const char *word)
{
	struct suggest suggest;
	char text[400];
	suggest_init(&suggest, word != NULL ? word : "");
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (group == NULL && c->group != NULL &&
			(c == commands || !is(c->group, c[-1].group)))
			suggest_offer(&suggest, c->group);
		else if (group == NULL ? c->group == NULL : is(group, c->group))
			suggest_offer(&suggest, c->name);
	}
	suggest_text(&suggest, text, sizeof text);
	for (const struct command *c = commands; c->name != NULL; c++)
		if (group == NULL && c->group != NULL && is(word, c->name))
			snprintf(text, sizeof text, "; did you mean '%s %s'?", c->group, c->name);
	fprintf(stderr, "assayctl%s%s: ", group != NULL ? " " : "", group != NULL ? group : "");
	if (word != NULL)
		fprintf(stderr, "unknown command '%s'%s\n", word, text);
	else
		fprintf(stderr, "no command%s\n",
			group != NULL ? text : "; assayctl --help lists them");
}

const struct command *args_find(char **words, int *used, const char **group)
{
	*group = NULL;
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (is(words[0], c->group))
			*group = c->group;
		*used = c->group != NULL ? 2 : 1;
		if (c->group == NULL ? is(words[0], c->name)
				     : is(words[0], c->group) && is(words[1], c->name))
			return c;
	}
	if (*group == NULL || (!is(words[1], "--help") && !is(words[1], "-h"))) {
		reject_command(*group, words[*group != NULL]);
		*group = NULL;
	}
	return NULL;
}
