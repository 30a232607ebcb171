/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a text file that is read as a whole. */
#ifndef FILE_IMPORT_PIECE_H
#define FILE_IMPORT_PIECE_H

#include "format.h"

#define PIECE_FILE_MAX (8u << 20) /* bytes of a file that is one frame */

/* A part of a text; of an empty one the text may be NULL. */
struct piece {
	const char *text;
	size_t len;
};

/* Reads a file of at most PIECE_FILE_MAX bytes: 0, and owned bytes in *to; or an error, -EFBIG. */
int piece_load(struct source *s, unsigned file, struct piece *to);

/* Takes the next line off `rest`, without its end; false: there is none.  `is_ended`: LF came. */
bool piece_line(struct piece *rest, struct piece *line, bool *is_ended);

/* Takes the next word off `rest`: blanks, tabs and commas are between words. */
bool piece_word(struct piece *rest, struct piece *word);

/* Without blanks at both ends. */
struct piece piece_trim(struct piece p);

/* True if it is `text`, in any case of the letters; `text` in small ones. */
bool piece_is(struct piece p, const char *text);
bool piece_starts(struct piece p, const char *text);

/* True if it is a decimal number: the grammar of assay_parse_number(), and "9.". */
bool piece_is_number(struct piece p);

/* The number; NAN if it is none, or if there is no host. */
double piece_number(const struct assay_host *host, struct piece p);

/* A whole number that is not negative, also as "4096."; -1: it is none. */
int64_t piece_whole(struct piece p);

/* Reads the first bytes, at most `size`: their number, 0 if they cannot be read. */
size_t piece_peek(struct source *s, char *to, size_t size);

/* As UTF-8 that can be shown; other texts are taken as Windows-1252. */
void piece_show(struct piece p, char *to, size_t size);

/*
 * Reads numbers up to the end of the text: how many; -1: one of them is none.  With `to` the first `room`
 * are put there, which needs the host.
 */
int64_t piece_numbers(const struct assay_host *host, struct piece text, double *to, size_t room);

/* Makes "MM/DD/YYYY hh:mm:ss" an ISO text, or "". */
void piece_us_time(char *to, size_t size, struct piece p);

#endif
