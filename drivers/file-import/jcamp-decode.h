/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FILE_IMPORT_JCAMP_DECODE_H
#define FILE_IMPORT_JCAMP_DECODE_H

#include "format.h"

/*
 * The parts: "block", all records of a block with one table; "page", the records that all tables of a block
 * share, then those of one table.
 */
int jcamp_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out);

/* "2026/11/29 21:40:00" as "2026-11-29T21:40:00"; another text as it is.  A zone behind it goes to `zone`. */
void jcamp_date(const char *text, char to[FORMAT_FACT], char zone[FORMAT_FACT]);

#endif
