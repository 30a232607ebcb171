/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/printable.h"
#include "config/errors.h"

static void free_error(struct config_error *error)
{
	free((char *)error->mark.file);
	free((char *)error->text);
}

void config_errors_finish(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free_error(&errors->items[i]);
	free(errors->items);
	*errors = (struct config_errors){0};
}

void config_errors_write(const struct config_errors *errors, FILE *to)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		fprintf(to, "%s:%u:%u: %s\n", e->mark.file, e->mark.line, e->mark.column, e->text);
	}
}

bool config_error_is_warning(const struct config_error *error)
{
	static const char start[] = "warning: ";
	return strncmp(error->text, start, sizeof start - 1) == 0;
}

void config_errors_log(const struct config_errors *errors, bool are_warnings)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		bool is_warning = are_warnings || config_error_is_warning(e);
		log_write(is_warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "config", "%s:%u:%u: %s",
			e->mark.file, e->mark.line, e->mark.column, e->text);
	}
}

char *config_errors_text(const struct config_errors *errors)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	if (to == NULL)
		return NULL;
	config_errors_write(errors, to);
	fclose(to);
	if (len > 0)
		text[len - 1] = '\0';
	return text;
}

/* The array's size is `count` rounded up to a power of two. */
static bool make_room(struct config_errors *errors)
{
	size_t count = errors->count;
	if (count >= ERRORS_MAX)
		return false;
	if (count != 0 && (count & (count - 1)) != 0)
		return true;
	size_t size = count == 0 ? 1 : 2 * count;
	struct config_error *items = realloc(errors->items, size * sizeof *items);
	if (items == NULL)
		return false;
	errors->items = items;
	return true;
}

void errors_add(struct config_errors *errors, struct config_mark mark, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	int len = vasprintf(&text, format, args);
	va_end(args);
	char *file = strdup(mark.file != NULL ? mark.file : "");
	if (len < 0 || file == NULL || !make_room(errors)) {
		errors->incomplete = true;
		free(file);
		if (len >= 0)
			free(text);
		return;
	}
	text_make_printable(text);
	text_make_printable(file);
	errors->items[errors->count++] = (struct config_error){
		{file, mark.line, mark.column}, text};
}

static bool is_place(const struct config_mark *a, const struct config_mark *b)
{
	return a->line == b->line && a->column == b->column && strcmp(a->file, b->file) == 0;
}

void errors_move(struct config_errors *to, struct config_errors *from)
{
	size_t before = to->count;
	for (size_t i = 0; i < from->count; i++) {
		size_t same = 0;
		while (same < before && !is_place(&to->items[same].mark, &from->items[i].mark))
			same++;
		if (same == before && make_room(to))
			to->items[to->count++] = from->items[i];
		else
			free_error(&from->items[i]);
	}
	from->count = 0;
}

static int by_place(const struct config_error *a, const struct config_error *b, const char *first)
{
	int files = strcmp(a->mark.file, b->mark.file);
	if (files != 0 && strcmp(a->mark.file, first) == 0)
		return -1;
	if (files != 0 && strcmp(b->mark.file, first) == 0)
		return 1;
	if (files != 0)
		return files;
	if (a->mark.line != b->mark.line)
		return a->mark.line < b->mark.line ? -1 : 1;
	if (a->mark.column != b->mark.column)
		return a->mark.column < b->mark.column ? -1 : 1;
	return strcmp(a->text, b->text);
}

void errors_sort(struct config_errors *errors, const char *first_file)
{
	size_t kept = 0;
	for (size_t i = 1; i < errors->count; i++) {
		struct config_error error = errors->items[i];
		size_t at = i;
		for (; at > 0 && by_place(&error, &errors->items[at - 1], first_file) < 0; at--)
			errors->items[at] = errors->items[at - 1];
		errors->items[at] = error;
	}
	for (size_t i = 0; i < errors->count; i++) {
		struct config_error *error = &errors->items[i];
		if (kept != 0 && by_place(&errors->items[kept - 1], error, "") == 0)
			free_error(error);
		else
			errors->items[kept++] = *error;
	}
	errors->count = kept;
}

char *errors_join(const struct config_errors *errors)
{
	char *joined = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&joined, &size);
	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < errors->count; i++)
		fprintf(to, "%s%s", i == 0 ? "" : "; ", errors->items[i].text);
	fclose(to);
	return joined;
}
