/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of Agilent's programs, byte by byte. */
#ifndef ASSAY_TESTS_AGILENT_FILE_H
#define ASSAY_TESTS_AGILENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGILENT_ROOM 65536

struct agilent_file {
	uint8_t bytes[AGILENT_ROOM];
	size_t len;
	size_t start, index; /* of data.ms */
};

/* Big-endian at a place, which the file then reaches at least. */
void agilent_put(struct agilent_file *f, size_t at, unsigned size, uint64_t value);
void agilent_put_text(struct agilent_file *f, size_t at, const char *text); /* length, bytes */
void agilent_put_wide(struct agilent_file *f, size_t at, const char *text); /* length, UTF-16 */
void agilent_put_f32(struct agilent_file *f, size_t at, double value);
void agilent_put_f64(struct agilent_file *f, size_t at, double value);
void agilent_put_le(struct agilent_file *f, size_t at, unsigned size, uint64_t value);
void agilent_put_le_f64(struct agilent_file *f, size_t at, double value);
void agilent_put_le_f32(struct agilent_file *f, size_t at, double value);

/*
 * data.ms with `scans` scans; scan i at 1000 + 100 i ms has i % 5 peaks, peak k at
 * m/z (8000 - 30 k) / 20 with the intensity (100 + i) << 3 * (k % 4).
 */
void agilent_make_ms(struct agilent_file *f, unsigned scans, bool is_long);

/* The intensity of a peak, and the total that the file states of a scan. */
uint32_t agilent_ms_intensity(unsigned scan, unsigned peak);
uint32_t agilent_ms_total(unsigned scan);

/*
 * A signal of `points` values, the i-th one agilent_raw(i), at 20 Hz from 100 ms on, slope 0.5, intercept 3.
 * `software` and `type` only of new versions.
 */
void agilent_make_ch(struct agilent_file *f, const char *version, unsigned points, const char *type,
	const char *software);
double agilent_raw(unsigned i);

/* A schema, MSScan.bin and MSPeak.bin with `scans` scans: scan i at 0.1 + 0.01 i
 * min, peak k at m/z 50 + 1.5 k with the intensity of agilent_make_ms() and a half.  `mz` and `intensity`: bytes. */
extern const char agilent_xsd[];
void agilent_make_mh(struct agilent_file *scan, struct agilent_file *peak, unsigned scans,
	unsigned mz, unsigned intensity);

#endif
