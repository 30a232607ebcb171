/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of ASCII commands, "MCAC=2048;TPEA=2.000;": applying them, and reading back. */
#ifndef ASSAY_SIM_AMPTEK_CONFIG_H
#define ASSAY_SIM_AMPTEK_CONFIG_H

#include "settings.h"

struct config_result {
	enum ack ack;    /* of the last command that was wrong, or ACK_OK */
	const char *bad; /* that command with its semicolon, in the packet; NULL if none */
	size_t bad_len;
	unsigned commands;   /* in the packet */
	bool is_preset_only; /* one preset command and no other */
	bool sets_presets, enables, disables;
};

/* Applies every good command of the packet, also when others are wrong. */
struct config_result config_apply(struct settings *settings, const char *text, size_t len);

/*
 * Writes the reply to a readback request; `size` must be at least 4 times the request's length
 * plus 64.  Returns its length.
 */
size_t config_read_back(
	struct settings *settings, const char *text, size_t len, char *out, size_t size);

#endif
