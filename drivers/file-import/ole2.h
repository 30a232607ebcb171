/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the streams of an OLE2 file, a "compound file" by MS-CFB: a small file system with sectors of 512 or
 * 4096 bytes, whose chains are in a table, the FAT.  Streams shorter than 4096 bytes are in sectors of 64
 * bytes of one further stream, with a FAT of their own.
 */
#ifndef FILE_IMPORT_OLE2_H
#define FILE_IMPORT_OLE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OLE2_MAGIC_SIZE 8

struct ole2_stream {
	uint32_t first;
	uint64_t len;
	bool is_mini;
	uint64_t written;   /* offset behind those bytes that are the last in the file; 0: mini */
	uint32_t at_sector; /* where the last reading ended */
	uint64_t at_index;
};

/* The members from `sector` on are filled by ole2_open(). */
struct ole2 {
	/* The bytes [offset, offset + len): 0, or an error of the reader's own. */
	int (*read)(void *context, uint64_t offset, void *to, size_t len);
	void *context;
	uint64_t size;

	uint32_t sector, sectors; /* bytes of one; how many the file has */
	uint32_t fat_sectors, more_fat, mini_cutoff;
	struct ole2_stream directory, mini_fat, minis;
};

bool ole2_has_magic(const uint8_t bytes[OLE2_MAGIC_SIZE]);

/*
 * Errors of all functions: -ENODATA, it ends before, or a part was not written; -EBADMSG, a chain loops, or
 * another contradiction; or an error of `read`.  Each takes a time that the size of the file limits.
 *
 * ole2_open() checks that the file ends with the last sector that is in use.
 */
int ole2_open(struct ole2 *file);

/*
 * Finds a stream by its path, such as "DataInfo" or "Results/Result-1/Data", in any case of the letters of
 * ASCII, and checks its chain.  -ENOENT: there is none.
 */
int ole2_find(struct ole2 *file, const char *path, struct ole2_stream *out);

/* Reads [offset, offset + len) of a stream. */
int ole2_read(struct ole2 *file, struct ole2_stream *stream, uint64_t offset, void *to, size_t len);

#endif
