/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NIRscan Nano played by the test, from its own reading of the published facts: the commands, both
 * envelopes, and files of scans.
 */
#ifndef NIRSCAN_BENCH_H
#define NIRSCAN_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

#define BENCH_FILE 3822

extern const struct assay_driver *const assay_driver;

struct bench_section {
	int type, width, first, last, patterns, exposure;
};

/* A scan as the test wants it: the capture's own values by bench_capture(). */
struct bench_scan {
	int type; /* 2: slew, in four structures; else in one */
	const char *name;
	int repeats;
	int section_count;
	struct bench_section sections[5];
	int time[7];
	int board, detector, humidity, photodiode;
	uint32_t index;
	double polynomial[3];
	const char *serial;
	int black_first, black_period, gain;
	int samples; /* stated number */
	int32_t adc[900];
	int adc_count;                    /* of the array */
	int coefficients, section_places; /* 3 and 5 of a right file */
};

/* The capture's scan: dark samples of 21206, and its printed intensities; the others rise and fall. */
struct bench_scan bench_capture(void);

/* Writes the intensities between the dark samples: sample i is dark + intensity. */
void bench_fill(struct bench_scan *s, int32_t dark, const int32_t *intensities, int count);

/* Returns the length without padding; the rest of the file's 3822 bytes is 0. */
size_t bench_file(const struct bench_scan *s, uint8_t out[BENCH_FILE]);

/* The stored configuration of such a scan, as 02-20 sends it after the size. */
size_t bench_configuration(const struct bench_scan *s, uint8_t *out);

enum bench_fault {
	FAULT_NONE,
	FAULT_SILENT,   /* the reply does not come */
	FAULT_LOST,     /* nor did the request */
	FAULT_CUT,      /* half of it comes */
	FAULT_FLIP,     /* one bit of it is wrong */
	FAULT_CHECKSUM, /* the instrument found the request's checksum wrong */
	FAULT_GAP,      /* the instrument found a gap in the request */
	FAULT_STALE,    /* the reply before comes once more in front of it */
	FAULT_NOISE,    /* bytes of no meaning in front of it */
	FAULT_OTHER,    /* the reply to another command, with its number, in front of it */
	FAULT_READ,     /* the direction of it is wrong */
	FAULT_SHORT,    /* it has no data */
	FAULT_LATE,     /* its second half comes late */
	FAULT_RAGGED,   /* bytes are missing in its first report */
	FAULT_BUSY,
	FAULT_COUNT,
};

struct bench {
	struct host *h;
	struct bench_scan scans[3]; /* the stored configurations */
	int active, count;
	uint8_t file[BENCH_FILE];
	size_t file_at;
	int polls; /* replies "scanning" before a scan is over */
	int left;  /* of the present scan */
	bool scanning;
	uint32_t scans_done, errors;
	uint8_t codes[20];
	int hibernation, repeats, gain_fixed, gain;
	size_t chunk;     /* bytes of file data in a reply */
	uint32_t refused; /* an opcode that is refused; 0: none */
	bool sensors_failed, stays_awake;
	uint32_t estimate, file_size;

	unsigned requests; /* received so far */
	unsigned fault_at; /* number of the request whose reply is spoiled, from 1; 0: none */
	enum bench_fault fault;
	unsigned fault_for; /* so many requests */
	uint8_t last[600];
	size_t last_len;
	char dialogue[8192]; /* "0233 0218[00] ...", as received */
	bool is_wrong;       /* a request broke the protocol */
};

struct bench *bench_create(enum assay_link link);
void bench_destroy(struct bench *b);

/* Calls a slot as the worker does: again, up to three times, after -ETIMEDOUT and -EBADMSG. */
int bench_start(struct bench *b);
int bench_acquire(struct bench *b);

#endif
