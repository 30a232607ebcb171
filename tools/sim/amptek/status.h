/* SPDX-License-Identifier: Apache-2.0 */
/* The 64 bytes of the status block. */
#ifndef ASSAY_SIM_AMPTEK_STATUS_H
#define ASSAY_SIM_AMPTEK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#define STATUS_LEN 64

struct status {
	uint32_t fast, slow, general;
	uint64_t accumulation_ms, real_ms;
	uint32_t live_ms; /* 0: the device does not report it */
	uint8_t firmware_major, firmware_minor, firmware_build;
	uint8_t fpga_major, fpga_minor;
	uint32_t serial;
	double bias_v, detector_k, board_c, tec_v;
	bool preset_real, preset_live, preset_counts;
	bool fast_locked; /* shares its bit with preset_live, which only the MCA8000D has */
	bool enabled, gate_inactive, configured;
	bool mcs_finished, first_since_boot, clock_80, clock_auto;
	bool pc5_good; /* the bias supply is found */
	bool hv_positive, preamp_8v5, hpge_supply;
	uint8_t device_id, bootloader;
};

/* Writes the block; bytes without a field here are zero. */
void status_write(const struct status *status, uint8_t out[STATUS_LEN]);

#endif
