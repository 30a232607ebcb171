/* SPDX-License-Identifier: Apache-2.0 */
/* The data set that the link offers, as a struct source. */
#ifndef FILE_IMPORT_SET_H
#define FILE_IMPORT_SET_H

#include "format.h"

#define SET_WINDOW  (64u << 10)
#define SET_WINDOWS 8

/* Pieces of the files that were read last. */
struct set_window {
	uint8_t bytes[SET_WINDOW];
	size_t len;
	unsigned file;
	uint64_t offset, used; /* used: by which read, 0: never */
};

struct set {
	struct source source; /* the first member: source.read() finds the set by it */
	struct assay_instrument *ins;
	struct assay_folder_set of;
	struct source_file *files;
	uint64_t reads;
	struct set_window windows[SET_WINDOWS];
};

/* Lists the files of set->of, which the link offers: 0 or an error of the link.  Then set_close(). */
int set_open(struct set *set, struct assay_instrument *ins);

/* Legal on one that is closed. */
void set_close(struct set *set);

#endif
