/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

/* clang-format off */
static const struct command commands[] = {
	[NANO_FILE_SIZE]       = {0x002D, false, false, 4, "read file size"},
	[NANO_FILE_DATA]       = {0x002E, false, true,  1, "read file"},
	[NANO_VERSIONS]        = {0x0216, false, false, 4, "read versions"},
	[NANO_SCAN]            = {0x0218, true,  true,  0, "scan"},
	[NANO_SCAN_DONE]       = {0x0219, false, false, 1, "read end of scan"},
	[NANO_CONFIGURATION]   = {0x0220, false, false, 4, "read scan configuration"},
	[NANO_CONFIGURATIONS]  = {0x0222, false, false, 1, "read number of scan configurations"},
	[NANO_ACTIVE]          = {0x0223, false, false, 1, "read active scan configuration"},
	[NANO_SELECT]          = {0x0224, true,  false, 0, "select scan configuration"},
	[NANO_REPEATS]         = {0x022E, true,  false, 0, "set number of scans"},
	[NANO_SERIAL]          = {0x0233, false, false, 1, "read serial number"},
	[NANO_MODEL]           = {0x023C, false, false, 1, "read model"},
	[NANO_SCAN_TIME]       = {0x0237, false, false, 4, "read scan time"},
	[NANO_TEMPERATURES]    = {0x0300, false, false, 0, "read temperatures"},
	[NANO_HUMIDITY]        = {0x0302, false, false, 0, "read humidity"},
	[NANO_SET_HIBERNATION] = {0x030E, true,  false, 0, "set hibernation"},
	[NANO_HIBERNATION]     = {0x030F, false, false, 1, "read hibernation"},
	[NANO_STATUS]          = {0x0403, false, false, 4, "read status"},
	[NANO_ERRORS]          = {0x0404, false, false, 4, "read errors"},
	[NANO_CLEAR_ERRORS]    = {0x0405, true,  false, 0, "clear errors"},
	[NANO_SET_GAIN]        = {0x040C, true,  false, 0, "set gain"},
};
/* clang-format on */

const struct command *command_find(enum nano_command which)
{
	return &commands[which];
}
