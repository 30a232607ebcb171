/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a Galactic file, and the places that it leads to. */
#ifndef FILE_IMPORT_SPC_HEAD_H
#define FILE_IMPORT_SPC_HEAD_H

#include "date.h"
#include "format.h"
#include "numbers.h"

#define SPC_HEAD_MAX 512
#define SPC_SUBHEAD  32
#define SPC_FLOAT    (-128) /* the exponent of values that are f32 */

enum spc_version { SPC_NEW = 0x4b, SPC_NEW_BIG_ENDIAN = 0x4c, SPC_OLD = 0x4d };

/* Bits of the first byte. */
enum spc_flags {
	SPC_16_BIT = 1 << 0,
	SPC_MULTI = 1 << 2,
	SPC_LABELS = 1 << 5,
	SPC_OWN_X = 1 << 6, /* each subfile has its own places */
	SPC_X = 1 << 7,     /* one array of places, behind the header */
};

struct spc_head {
	enum spc_version version;
	unsigned flags, year, month, day, hour, minute;
	uint8_t x, y, z; /* codes of units */
	int exponent;
	uint32_t points; /* with SPC_OWN_X: 0 */
	uint64_t subfiles, directory, log;
	double first, last;
	uint64_t data; /* the first subfile, behind the places that all have */
};

/* The bytes of a header; 0: none begins so. */
size_t spc_head_size(const uint8_t *bytes);

/* Reads a header, of which all bytes are there; an old one counts its subfiles by the file's size. */
void spc_head_read(const uint8_t *bytes, uint64_t file_size, struct spc_head *head);

/* The bytes of a subfile with this subheader, 32 bytes. */
uint64_t spc_subfile_size(const struct spc_head *head, const uint8_t *subhead);
uint32_t spc_subfile_points(const struct spc_head *head, const uint8_t *subhead);
int spc_subfile_exponent(const struct spc_head *head, const uint8_t *subhead);

/* A subfile that cannot be decoded: why in one line; NULL: it can be. */
const char *spc_refuses(const struct spc_head *head, const uint8_t *subhead);

/* 4, or 2: of one value with this exponent. */
unsigned spc_value_size(const struct spc_head *head, int exponent);

/* "1995-04-18T09:20:00"; "" if none is stated. */
void spc_date(const struct spc_head *head, char to[DATE_TEXT]);

/* The meaning of codes of units. */
struct quantity spc_places(const struct spc_head *head);
struct quantity spc_values(const struct spc_head *head);
const char *spc_series_unit(const struct spc_head *head);
bool spc_is_time(const char *unit);

/* Decode of both parts, "spectrum" and "subfile". */
int spc_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out);

#endif
