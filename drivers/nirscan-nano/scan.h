/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structures of a scan: its configuration, and the file that a scan leaves.  Pure.  A file is
 * padded; all lengths are those of its own descriptions.
 */
#ifndef NIRSCAN_SCAN_H
#define NIRSCAN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_MEDIA     "application/x-nirscan-scan"
#define FILE_MAX_BYTES 16384 /* firmware 2 sends 3822 */

#define SECTIONS_MAX 5
#define EXPOSURES    7

enum scan_type { SCAN_COLUMN = 0, SCAN_HADAMARD = 1, SCAN_SLEW = 2 };

/* A range of wavelengths that is scanned in one way: one, but of a slew scan up to five. */
struct section {
	uint8_t type, width;  /* enum scan_type; width of a column in pixels */
	uint16_t first, last; /* nm */
	uint16_t patterns;
	uint16_t exposure; /* index of scan_exposures; not of a column or Hadamard scan */
};

struct configuration {
	uint8_t type;
	char name[41];
	uint16_t repeats;
	size_t section_count;
	struct section sections[SECTIONS_MAX];
};

struct scan {
	uint8_t time[7];         /* year, month, day, day of the week, hour, minute, second */
	int16_t board, detector; /* temperatures, 0.01 degrees Celsius */
	uint16_t humidity;       /* 0.01 % */
	uint16_t photodiode;
	uint32_t index;
	double polynomial[3]; /* nm = p[0] + p[1] x + p[2] x^2, x: the column of the mirrors */
	char serial[9];
	uint8_t black_first, black_period, gain;
	struct configuration configuration;
	const uint8_t *samples; /* 32 bits each, little-endian, signed */
	size_t sample_count;
};

/* In us. */
extern const uint32_t scan_exposures[EXPOSURES];

/* 0, or -EBADMSG with `why`; `out` points into the bytes. */
int configuration_open(
	const uint8_t *bytes, size_t len, struct configuration *out, const char **why);
int scan_open(const uint8_t *bytes, size_t len, struct scan *out, const char **why);

int32_t scan_sample(const struct scan *s, size_t i);

/* Whether the sample is of a dark pattern. */
bool scan_is_black(const struct scan *s, size_t i);

/* Whether all its sections are column scans: those of another type have no published evaluation. */
bool configuration_is_of_columns(const struct configuration *c);

#endif
