/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data set in memory, for tests and fuzz targets of formats.
 *
 *	struct import *im = import_create("ftir", "ir/parafilm.spa");
 *	import_add(im, NULL, bytes, len);
 *	assert_int_equal(import_look(im, &format_omnic), FORMAT_WHOLE);   the format alone
 *	assert_string_equal(im->facts.sample, "...");
 *	assert_true(import_start(im));                                    the driver with all formats
 *	while (import_frame(im))
 *		... host_find(im->host, "absorbance") ...                 decoded twice
 *	import_destroy(im);
 *
 * import_frame() aborts unless each block has the bytes of the file at the place that its name states,
 * and, after the last frame, all bytes of all files were in a block.  Needs no cmocka.
 */
#ifndef ASSAY_TESTS_FILE_IMPORT_HARNESS_H
#define ASSAY_TESTS_FILE_IMPORT_HARNESS_H

#include "file-import/format.h"
#include "host.h"

#define IMPORT_FILES 64

struct import_file {
	char path[256]; /* below the data set */
	uint8_t *data;
	size_t len;
	uint8_t *seen; /* 1: this byte was in a block */
};

struct import {
	struct source source; /* for calls of a format without the driver */
	struct source_file list[IMPORT_FILES];
	struct host *host;
	char name[256];
	bool is_folder;
	struct import_file files[IMPORT_FILES];
	struct format_facts facts;         /* of the last import_look() */
	enum assay_folder_verdict verdict; /* 0: it has not ended */
	bool is_offered;
	bool is_last; /* the last frame was the last one */
	unsigned frames;
	unsigned long long reads; /* bytes that the format read */
};

/* `name` is that of the file, or of a folder if it ends with '/'. */
struct import *import_create(const char *technique, const char *name);
void import_destroy(struct import *im);

/* Copies the bytes of a file; `path` NULL: the one file of this name.  The same path again replaces it. */
void import_add(struct import *im, const char *path, const void *data, size_t len);

/* The format's fits() and look(): an enum format_found or an error; FORMAT_FOREIGN if it does not fit. */
int import_look(struct import *im, const struct format *format);

/* Calls start() of the driver: true if the data set is a run; else im->verdict has its end. */
bool import_start(struct import *im);

/* The next frame, in im->host->raw and ->frame; false after the last one. */
bool import_frame(struct import *im);

/* Compares a block with the file at the place that its name states, and aborts if they differ. */
void import_see(struct import *im, const struct assay_bytes *block);

/* Aborts unless each byte of the files was in a block. */
void import_expect_all_seen(const struct import *im);

/* import_start() and all frames: how many. */
unsigned import_all(struct import *im);

/*
 * A fuzz target: `data` is the file; of a folder ("run.d/") a list of files, each its path, NUL, u32 length
 * in little-endian, bytes.  `format` NULL: all of them.
 */
int import_fuzz(const struct format *format, const char *name, const uint8_t *data, size_t size);

/* --- sample files --- */

/* The bytes of ASSAY_SAMPLES/PATH, to be freed; NULL: it is not there, and the test is to be skipped. */
uint8_t *import_sample(const char *path, size_t *len);

/*
 * Calls check() with each length from 0 to len - 1 of `cuts` cuts that are spread over the file, and at
 * len - 1, of a data set of one file: once cut, once with zeros in place of the rest.  Aborts if
 * `format` finds one of them whole; `slack` bytes at the end may be missing (0: none).
 */
void import_cut(const struct format *format, const char *technique, const char *name,
	const uint8_t *data, size_t len, size_t cuts, size_t slack);

#endif
