/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a simulated NIRscan Nano: packets, settings, the scan that runs, and the last scan's file. */
#ifndef ASSAY_SIM_NIRSCAN_H
#define ASSAY_SIM_NIRSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "framework/sim.h"

#define NIRSCAN_REPORT    64
#define NIRSCAN_BODY_MAX  512 /* opcode and arguments, or data */
#define NIRSCAN_ADC_MAX   864
#define NIRSCAN_FILE_SIZE 3822 /* of each scan; the end is zero */
#define NIRSCAN_SECTIONS  5
#define NIRSCAN_CONFIGS   3

struct nirscan_section {
	uint8_t type, width; /* 0: columns */
	uint16_t start, end, patterns, exposure;
};

struct nirscan_config {
	uint8_t type; /* 0: column, 2: slew */
	const char *name;
	uint16_t repeats;
	uint8_t n_sections;
	struct nirscan_section sections[2];
};

extern const struct nirscan_config nirscan_configs[NIRSCAN_CONFIGS];

struct nirscan_plan {
	uint32_t serial;
	int sample;
	double noise;
	uint64_t gap; /* UART, real time */
};

struct nirscan {
	struct sim_model *m;
	struct nirscan_plan plan;

	uint8_t config, gain;
	uint16_t repeats;
	bool may_hibernate;
	uint32_t errors;

	bool is_scanning;
	uint64_t scan_ends;
	uint32_t scans;
	uint8_t *file; /* owned: the last scan; NULL: none */
	const uint8_t *reading;
	size_t reading_at, reading_len;
	uint8_t reference[NIRSCAN_FILE_SIZE];

	uint8_t in[16 + NIRSCAN_BODY_MAX + NIRSCAN_REPORT];
	size_t in_len;
	uint64_t heard;
	uint16_t last_length; /* of the reply before, on the UART */
	bool skips_frame;     /* the next one, after arguments that were not taken */
	uint64_t now;
};

/* One request without its framing. */
struct nirscan_request {
	bool is_read;
	uint16_t opcode; /* group << 8 | command */
	const uint8_t *arguments;
	size_t len;
};

enum nirscan_result { RESULT_OK, RESULT_ERROR, RESULT_BUSY };

/*
 * Carries out a request; writes at most `max` bytes of data to `to` and their number to `len`.
 */
enum nirscan_result nirscan_carry_out(struct nirscan *n, const struct nirscan_request *request,
	uint8_t *to, size_t max, size_t *len);

/* Bytes of a USB report, or of the UART. */
void packet_take(struct nirscan *n, const uint8_t *data, size_t len, bool is_usb);

/* A request that stays unfinished for too long is dropped; on the UART with a reply. */
uint64_t packet_due(const struct nirscan *n);
void packet_give_up(struct nirscan *n);

/* Nanoseconds that a scan takes. */
uint64_t scan_duration(const struct nirscan *n);
unsigned scan_patterns(const struct nirscan_config *config);

/* Makes a file of NIRSCAN_FILE_SIZE bytes in `to`. */
void scan_make(struct nirscan *n, bool is_reference, uint8_t *to);

/* The configuration as the instrument sends it, appended to `to`. */
void scan_put_config(const struct nirscan *n, uint8_t index, struct buffer *to);

/* Share of the light that sample `i` returns; names end with NULL, the first one is white. */
extern const char *const light_samples[];
double light_returned(int sample, double nm);

/* The lamp and the detector. */
double light_lamp(double nm);

extern const struct sim_model_ops nirscan_model;

#endif
