/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explains a syntax error to a technician who types YAML once a year.  libyaml reports the state of
 * its parser; the usual reasons are a tab, a missing space after a colon, a line that is indented
 * differently from its neighbours, an open quote.
 */
#ifndef ASSAY_CONFIG_HINT_H
#define ASSAY_CONFIG_HINT_H

#include "config/config.h"

/*
 * `problem` is libyaml's text, `*mark` its place, and `context` the start of the item that libyaml
 * was reading.  Writes a message and moves `*mark` to the place that must be corrected.
 */
void hint_syntax(const char *text, size_t len, const char *problem, struct config_mark context,
	struct config_mark *mark, char *message, size_t size);

/* The line and column of a byte. */
struct config_mark hint_mark_of_byte(const char *text, size_t len, size_t offset, const char *file);

/*
 * For a text that is not accepted: "; is a space missing after 'driver:'?", "; a number has a decimal
 * point, no comma", or "".  Returns `hint`.
 */
const char *hint_value(const char *found, char *hint, size_t size);

#define HINT_NO_BREAK "\xc2\xa0" /* the no-break space */
#define HINT_INDENTED "this line is indented with no-break spaces: use plain ones"

/* The quotation mark of a word processor at the start or the end of a text; its size, or 0. */
size_t hint_typographic(const char *text);

#endif
