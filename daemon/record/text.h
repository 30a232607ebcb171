/* SPDX-License-Identifier: Apache-2.0 */
/* Texts: which are names, tokens, UTF-8, or fit for a terminal.  Any thread. */
#ifndef ASSAY_RECORD_TEXT_H
#define ASSAY_RECORD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <assay/record.h>

/* A view of a terminated text; NULL gives {NULL, 0}. */
static inline struct assay_string string_of(const char *text)
{
	return (struct assay_string){text, text != NULL ? strlen(text) : 0};
}

static inline bool string_same(struct assay_string a, struct assay_string b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*
 * For bsearch(): compares a struct assay_string with a row whose first member is a const char *, in
 * the order of strcmp().
 */
int string_compare_row(const void *string, const void *row);

/* Copies as much as fits and a terminator; false when the text was cut.  `size` is at least 1. */
bool text_copy(char *to, size_t size, struct assay_string text);

/* True for [a-z][a-z0-9_]{0,31}: a variable, a setting, a setup field. */
bool name_is_valid(struct assay_string name);

/* True for [a-z0-9-]{1,32}: a token of a topic, an instrument's key, a driver. */
bool token_is_valid(struct assay_string token);

/* True for well-formed UTF-8 without surrogates or overlong forms. */
bool text_is_utf8(const void *data, size_t len);

/*
 * Makes a terminated text fit for a log line or a terminal, in place: control characters become
 * '?', and it ends where it stops being UTF-8, such as in the middle of a character cut off.
 */
void text_make_printable(char *text);

#endif
