/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of vendors' files as UTF-8 that can be shown: bytes that are no character of the encoding become
 * U+FFFD, control characters a blank.  A text ends at its first NUL; blanks at both ends go.
 */
#ifndef FILE_IMPORT_TEXT_H
#define FILE_IMPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum text_encoding {
	TEXT_LATIN_1, /* ISO 8859-1: 0x80 to 0x9f are controls */
	TEXT_CP1252,
	TEXT_UTF_8,
	TEXT_UTF_16_LE,
	TEXT_UTF_16_BE,
	TEXT_SHIFT_JIS, /* ASCII and half-width katakana; each two-byte character becomes U+FFFD */
};

/* Converts `len` bytes into `to`, cut after a whole character; always ends with a NUL. */
void text_convert(
	char *to, size_t size, enum text_encoding encoding, const uint8_t *bytes, size_t len);

/* For a member of struct format_facts and every other array. */
#define text_set(array, encoding, bytes, len) \
	text_convert((array), sizeof(array), (encoding), (bytes), (len))

#endif
