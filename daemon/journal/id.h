/* SPDX-License-Identifier: Apache-2.0 */
/* A journal's id: a random UUID, as bytes and as the name of its folder.  Any thread. */
#ifndef ASSAY_JOURNAL_ID_H
#define ASSAY_JOURNAL_ID_H

#include <stdint.h>

#define JOURNAL_ID_SIZE 16
#define JOURNAL_ID_TEXT 37 /* 8-4-4-4-12 hex digits and the final zero */

/* Writes an id as text, 8-4-4-4-12 hex digits. */
void journal_id_format(char text[JOURNAL_ID_TEXT], const uint8_t id[JOURNAL_ID_SIZE]);

/* Reads such a text, nothing before or after it.  0 or -EINVAL. */
int journal_id_parse(uint8_t id[JOURNAL_ID_SIZE], const char *text);

#endif
