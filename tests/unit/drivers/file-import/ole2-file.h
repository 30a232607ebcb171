/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an OLE2 file by MS-CFB, as the reader's tests need it: small, large, in pieces, or wrong. */
#ifndef ASSAY_TESTS_FILE_IMPORT_OLE2_FILE_H
#define ASSAY_TESTS_FILE_IMPORT_OLE2_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OLE2_FILE_ENTRIES 16
#define OLE2_FILE_ROOT    0

struct ole2_file {
	uint8_t *bytes;
	size_t len;
	uint32_t sector, fats, used; /* sectors of the FAT; sectors in use */
	uint32_t directory;          /* its first sector, after ole2_file_finish() */
	bool is_reversed;            /* the last piece of a stream has the lowest place */
	unsigned count;
	struct ole2_file_entry {
		const char *name;
		unsigned parent;
		bool is_storage;
		uint32_t first, len, left, right, child;
		const uint8_t *data; /* of a long one: borrowed until ole2_file_finish() */
	} entries[OLE2_FILE_ENTRIES];
	uint8_t minis[1 << 14]; /* short streams */
	uint32_t minis_len, mini_fat[1 << 8];
};

/* `room`: bytes of all streams, more or less. */
struct ole2_file *ole2_file_create(uint32_t sector, size_t room);
void ole2_file_destroy(struct ole2_file *f);

/* A stream; with `data` NULL a storage.  Returns its number, which is the parent of others. */
unsigned ole2_file_add(
	struct ole2_file *f, unsigned parent, const char *name, const void *data, size_t len);

/* Writes the short streams, the directory, then the long streams, as JASCO's files have them. */
void ole2_file_finish(struct ole2_file *f);

/* Where an entry of the FAT is; where one of the directory is. */
uint8_t *ole2_file_fat(struct ole2_file *f, uint32_t sector);
uint8_t *ole2_file_entry(struct ole2_file *f, unsigned entry);

void ole2_file_put(uint8_t *at, uint32_t value);

#endif
