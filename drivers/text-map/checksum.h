/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of line protocols, by name.  Pure. */
#ifndef ASSAY_TEXT_MAP_CHECKSUM_H
#define ASSAY_TEXT_MAP_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum checksum_form { CHECKSUM_HEX, CHECKSUM_BYTES, CHECKSUM_LOW_FIRST };

extern const char *const checksum_names[]; /* "none" first; ends with NULL */
extern const char *const checksum_forms[]; /* by enum checksum_form */

/* Characters of the checksum `kind`, an index of checksum_names; 0: none. */
size_t checksum_width(unsigned kind, enum checksum_form form);

/* Whether the checksum_width() characters at `written` are that of the data. */
bool checksum_fits(
	unsigned kind, enum checksum_form form, const char *data, size_t len, const char *written);

#endif
