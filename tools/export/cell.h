/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of instruments and people in tables.  They must not become another cell, a line, a comment
 * or a formula, so each stands in quotes (RFC 4180), controls and invisible characters are escaped
 * ("\n", "\x1b", "\u202e"), and a text that a spreadsheet would take for a formula (it begins with
 * = + - @) or for quoted by this rule (it begins with ') has a ' before it.
 */
#ifndef ASSAY_EXPORT_CELL_H
#define ASSAY_EXPORT_CELL_H

#include <assay/record.h>

#include "base/buffer.h"

/* Appends to a buffer; of long texts the memory is the only limit. */
void cell_put(struct buffer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A finite number with as few digits as give it back. */
void cell_put_number(struct buffer *to, double number);

/* "2026-11-22 20:15:03.125" */
void cell_put_time(struct buffer *to, uint64_t ns);

/* The escaped text, for a comment or a part of a cell. */
void cell_put_escaped(struct buffer *to, struct assay_string text);

/* The text as a cell. */
void cell_put_text(struct buffer *to, struct assay_string text);

#endif
