/* SPDX-License-Identifier: Apache-2.0 */
/* Texts: which are names, tokens, UTF-8, or fit for a terminal.  Any thread. */
#ifndef ASSAY_RECORD_TEXT_H
#define ASSAY_RECORD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <assay/record.h>

#include "base/printable.h"

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

/* True for a CAS number such as 7446-09-5: its last digit checks the others. */
bool cas_is_valid(struct assay_string cas);

/* True for well-formed UTF-8 without surrogates or overlong forms. */
bool text_is_utf8(const void *data, size_t len);

/*
 * Writes the text with escapes for all that people do not see (\r, \x1d, \u200b) and for bytes that
 * are not UTF-8; ends earlier when `size` is too small.
 */
void text_escape(char *to, size_t size, struct assay_string text);

/*
 * A text that people give and search by (sample, operator, note, reason) is UTF-8 with nothing in it
 * that they do not see: no control or invisible character, no blank at either end.  0, also for an
 * empty one; or -EINVAL and the reason, such as "'LAB-1\r' ends with a carriage return: set the
 * scanner's suffix".
 */
int text_check_id(struct assay_string text, char *why, size_t size);

#endif
