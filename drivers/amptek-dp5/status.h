/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 64-byte status block.  It comes alone (80 01) or after a spectrum (81 even).  Its counters
 * and times are little-endian, its voltages and temperatures big-endian.
 */
#ifndef ASSAY_AMPTEK_DP5_STATUS_H
#define ASSAY_AMPTEK_DP5_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATUS_BYTES = 64 };

enum device {
	DEVICE_DP5 = 0,
	DEVICE_PX5 = 1,
	DEVICE_DP5G = 2,
	DEVICE_MCA8000D = 3,
	DEVICE_TB5 = 4,
	DEVICE_DP5X = 5,
	DEVICE_COUNT,
};

struct status {
	uint32_t fast_count, slow_count;
	uint32_t accumulation_ms; /* excludes readout, not the dead time of pulses */
	uint32_t live_ms;         /* only where status_has_live_time() */
	uint32_t real_ms;
	uint8_t firmware, fpga; /* major in the high nibble, minor in the low one */
	uint8_t build;
	uint32_t serial;
	bool has_serial;     /* one is programmed */
	double high_voltage; /* V, signed */
	double detector_kelvin;
	int board_celsius;
	bool enabled; /* counting */
	bool real_time_reached, counts_reached, live_time_reached;
	bool configured;         /* it has its settings */
	bool rebooted;           /* the first status since power-up */
	bool high_voltage_fault; /* PX5: the jumper does not fit the module */
	unsigned device;         /* enum device, or an unknown number from DEVICE_COUNT on */
};

/* Reads the block. */
void status_parse(const uint8_t bytes[STATUS_BYTES], struct status *out);

/* "DP5", "PX5" ...; NULL for an unknown device. */
const char *status_device_name(unsigned device);

/* Whether the device fills these fields; the sheet gives live time for one device only. */
bool status_has_live_time(const struct status *s);
bool status_has_real_time(const struct status *s);
bool status_has_high_voltage(const struct status *s);
bool status_has_cooler(const struct status *s);

/* Writes "6.08 build 6, FPGA 6.11". */
void status_firmware_text(const struct status *s, char *out, size_t size);

#endif
