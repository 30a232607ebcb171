/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that this driver sends; those that write flash, calibration or stored configurations
 * are not among them.  From the firmware's source and three host programs (confirmed).
 */
#ifndef NIRSCAN_COMMAND_H
#define NIRSCAN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nano_command {
	NANO_FILE_SIZE,
	NANO_FILE_DATA,
	NANO_VERSIONS,
	NANO_SCAN,
	NANO_SCAN_DONE,
	NANO_CONFIGURATION,
	NANO_CONFIGURATIONS,
	NANO_ACTIVE,
	NANO_SELECT,
	NANO_REPEATS,
	NANO_SERIAL,
	NANO_MODEL,
	NANO_SCAN_TIME,
	NANO_TEMPERATURES,
	NANO_HUMIDITY,
	NANO_SET_HIBERNATION,
	NANO_HIBERNATION,
	NANO_STATUS,
	NANO_ERRORS,
	NANO_CLEAR_ERRORS,
	NANO_SET_GAIN,
};

struct command {
	uint16_t opcode; /* group << 8 | command */
	bool is_write;
	bool is_once;  /* a second one has another effect: it is not repeated */
	uint8_t least; /* bytes of data in its reply */
	const char *name;
};

const struct command *command_find(enum nano_command which);

#endif
