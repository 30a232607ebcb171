/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/suggest.h"
#include "record/text.h"
#include "try/arguments.h"

/* Adds one line, which `word` led to. */
static void add_line(struct arguments *a, const char *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_line(struct arguments *a, const char *word, const char *format, ...)
{
	va_list args;
	char *line = NULL;
	va_start(args, format);
	int len = vasprintf(&line, format, args);
	va_end(args);
	const char **lines = realloc(a->lines, (a->line_count + 1) * sizeof *lines);
	if (len < 0 || lines == NULL) {
		a->text.failed = true;
	} else {
		lines[a->line_count++] = word;
		buffer_append(&a->text, line, (size_t)len);
		buffer_append(&a->text, "\n", 1);
	}
	a->lines = lines != NULL ? lines : a->lines;
	free(len >= 0 ? line : NULL);
}

static const struct port_kind *kind_of(const char *type, char why[ARGUMENTS_WHY])
{
	const struct port_kind *kind = port_kind_named(string_of(type));
	struct suggest near;
	char end[200];
	if (kind != NULL)
		return kind;
	suggest_init(&near, type);
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++)
		suggest_offer(&near, kind->name);
	snprintf(why, ARGUMENTS_WHY, "'%.60s' is no type of link%s", type,
		suggest_text(&near, end, sizeof end));
	return NULL;
}

static bool is_link_key(const struct port_kind *kind, const char *word, size_t len)
{
	const struct port_key *key;
	for (size_t i = 0; (key = port_key_at(i)) != NULL; i++)
		if ((key->links & kind->link) != 0 && key->key != NULL && strlen(key->key) == len &&
			memcmp(key->key, word, len) == 0)
			return true;
	return false;
}

/* The words of the link, or those of the settings, as lines of a block. */
static int add_words(struct arguments *a, const struct port_kind *kind, bool of_link,
	const char *const *words, size_t count, char why[ARGUMENTS_WHY])
{
	static const char prefix[] = "settings.";
	for (size_t i = 0; i < count; i++) {
		const char *word = words[i], *equals = strchr(word, '=');
		if (equals == NULL || equals == word || strchr(word, '\n') != NULL) {
			snprintf(why, ARGUMENTS_WHY, "'%.100s': expected KEY=VALUE", word);
			return -EINVAL;
		}
		bool is_named = strncmp(word, prefix, sizeof prefix - 1) == 0;
		bool is_of_link = !is_named && is_link_key(kind, word, (size_t)(equals - word));
		const char *key = is_named ? word + sizeof prefix - 1 : word;
		if (is_of_link == of_link && strncmp(word, "technique=", 10) != 0)
			add_line(a, word, "      %.*s: %s", (int)(equals - key), key, equals + 1);
	}
	return 0;
}

/* The driver of that name, or the profile and its driver. */
static int add_name(struct arguments *a, const struct catalog *catalog, const char *name,
	char why[ARGUMENTS_WHY])
{
	char path[PATH_MAX];
	struct config_profile profile;
	struct config_errors errors = {0};
	if (catalog_find(catalog, name) != NULL) {
		add_line(a, name, "    driver: %s", name);
		return 0;
	}
	bool is_path = strchr(name, '/') != NULL;
	if (is_path && realpath(name, path) == NULL) {
		snprintf(why, ARGUMENTS_WHY, "'%.200s': %s", name, strerror(errno));
		return -EINVAL;
	}
	int r = config_read_profile(is_path ? path : name, &profile, &errors);
	if (errors.count > 0)
		snprintf(why, ARGUMENTS_WHY, "no driver has the name '%.60s', and as a profile: %s",
			name, errors.items[0].text);
	config_errors_finish(&errors);
	add_line(a, name, "    driver: %s", r == 0 ? profile.driver : "");
	add_line(a, name, "    profile: %s", is_path ? path : name);
	return r;
}

static const char *find_word(const char *const *words, size_t count, const char *start)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(words[i], start, strlen(start)) == 0)
			return words[i];
	return NULL;
}

/* The settings that must be given and are not, except tables. */
static void fill(struct arguments *a, const struct catalog_driver *driver, const char *const *words,
	size_t count)
{
	for (const struct assay_setting *s = driver->settings; s != NULL && s->name != NULL; s++) {
		char start[40];
		snprintf(start, sizeof start, "%s=", s->name);
		if ((s->flags & ASSAY_REQUIRED) == 0 || find_word(words, count, start) != NULL)
			continue;
		if (s->type == ASSAY_CHOICE)
			add_line(a, NULL, "      %s: \"%s\"", s->name, s->choices[0]);
		else if (s->type == ASSAY_TEXT)
			add_line(a, NULL, "      %s: none", s->name);
		else if (s->type == ASSAY_BOOL)
			add_line(a, NULL, "      %s: false", s->name);
		else if (s->type == ASSAY_INT || s->type == ASSAY_NUMBER)
			add_line(a, NULL, "      %s: %.17g", s->name, s->min);
	}
}

int arguments_write(struct arguments *a, const struct catalog *catalog, const char *name,
	const char *const *words, size_t count, char why[ARGUMENTS_WHY])
{
	const struct port_kind *kind = kind_of(words[0], why);
	if (kind == NULL)
		return -EINVAL;
	const struct catalog_driver *driver = catalog_find(catalog, name);
	add_line(a, NULL, "laboratory: {site: try, node: try}");
	add_line(a, NULL, "instruments:");
	add_line(a, NULL, "  " ARGUMENTS_KEY ":");
	int r = add_name(a, catalog, name, why);
	const char *technique = find_word(words, count, "technique=");
	if (technique != NULL)
		add_line(a, technique, "    technique: %s", technique + strlen("technique="));
	else if (driver != NULL && driver->technique == NULL)
		add_line(a, NULL, "    technique: other");
	add_line(a, NULL, "    simulated: true"); /* no data passes for an instrument's */
	add_line(a, NULL, "    link:");
	add_line(a, words[0], "      type: %s", kind->name);
	if (r == 0)
		r = add_words(a, kind, true, words + 1, count - 1, why);
	size_t link_end = a->line_count;
	add_line(a, NULL, "    settings:");
	if (r == 0)
		r = add_words(a, kind, false, words + 1, count - 1, why);
	if (r == 0 && a->fills && driver != NULL)
		fill(a, driver, words + 1, count - 1);
	if (r == 0 && a->line_count == link_end + 1)
		add_line(a, NULL, "      {}");
	return r < 0 ? r : a->text.failed ? -ENOMEM : 0;
}

void arguments_finish(struct arguments *a)
{
	buffer_finish(&a->text);
	free(a->lines);
}

void arguments_explain(const struct arguments *a, const struct config_errors *errors, FILE *to)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		char word[200] = "";
		size_t line = e->mark.line;
		bool is_ours = strcmp(e->mark.file, ARGUMENTS_KEY) == 0;
		if (is_ours && line >= 1 && line <= a->line_count && a->lines[line - 1] != NULL)
			snprintf(word, sizeof word, "%.190s: ", a->lines[line - 1]);
		else if (!is_ours)
			snprintf(word, sizeof word, "%.150s:%u:%u: ", e->mark.file, e->mark.line,
				e->mark.column);
		text_make_printable(word);
		fprintf(to, "assay-worker: %s%s\n", word, e->text);
	}
}
