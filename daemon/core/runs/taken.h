/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data sets of link folders: which one a run records, by the settings `file` and `file_sha256` of its
 * run-start, and the last complete run of each path.  Thread: main.
 */
#ifndef ASSAY_CORE_RUNS_TAKEN_H
#define ASSAY_CORE_RUNS_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "wire/wire.h"

#define TAKEN_PATH_BYTES 16

/* Bytes only: the index of runs has it as it is.  Zero is none. */
struct taken_file {
	uint8_t path
		[TAKEN_PATH_BYTES]; /* a hash of the instrument, if it is simulated, and the path */
	uint8_t key[WIRE_TAKEN_BYTES]; /* of the path and the content, as in SETUP */
};

bool taken_is_file(const struct taken_file *file);

/* Reads it from the settings of a run-start; zero if the run records no data set. */
void taken_read(
	struct taken_file *file, const char *instrument, bool sim, struct assay_span settings);

/* The numbers of complete runs by path.  Zero is an empty table. */
struct taken_table {
	struct taken_place *slots;
	size_t count, size; /* size: a power of two, or 0 */
};

/* Sets the last run of this path.  0 or -ENOMEM. */
int taken_put(struct taken_table *table, const uint8_t path[TAKEN_PATH_BYTES], size_t run);
bool taken_find(const struct taken_table *table, const uint8_t path[TAKEN_PATH_BYTES], size_t *run);
void taken_finish(struct taken_table *table);

#endif
