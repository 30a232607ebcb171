/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of texts of others: instruments, people, clients.  The one place that decides which of
 * them people see, and that makes a text fit for a log line or a terminal.  Any thread.
 */
#ifndef ASSAY_BASE_PRINTABLE_H
#define ASSAY_BASE_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed UTF-8 character at `p`, and its code; 0: there is none. */
size_t utf8_next(const uint8_t *p, size_t left, uint32_t *code);

enum glyph {
	GLYPH_SEEN,
	GLYPH_BLANK,     /* a space of any width */
	GLYPH_CONTROL,   /* U+0000 to U+001F, DEL, U+0080 to U+009F; moves a terminal's cursor */
	GLYPH_INVISIBLE, /* of no width, or it changes the direction of what follows */
};

enum glyph glyph_of(uint32_t code);

/*
 * Makes a terminated text fit for a log line or a terminal, in place: controls and invisible
 * characters become '?', and so do bytes that are not UTF-8.  A character cut off at the end goes.
 */
void text_make_printable(char *text);

#endif
