/* SPDX-License-Identifier: Apache-2.0 */
/* Texts from outside: are they UTF-8, may they go to a terminal.  Any thread. */
#ifndef ASSAY_RECORD_TEXT_H
#define ASSAY_RECORD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True for well-formed UTF-8 without surrogates or overlong forms. */
bool text_is_utf8(const void *data, size_t len);

/*
 * Makes a terminated text fit for a log line or a terminal, in place: control characters become
 * '?', and it ends where it stops being UTF-8, such as in the middle of a character cut off.
 */
void text_make_printable(char *text);

#endif
