/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ASCII settings of the instrument: the values that each four-letter command accepts on which
 * device, its default and its readback.  Values are kept as the text that reads back.
 */
#ifndef ASSAY_SIM_AMPTEK_SETTINGS_H
#define ASSAY_SIM_AMPTEK_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "frame.h"

#define SETTINGS_MAX  96
#define SETTING_VALUE 16
#define SCA_COUNT     16
#define PARAMETER_MAX 10 /* characters the host may send */

struct sca {
	int low, high; /* channels, both in; high < low: off */
	char output[SETTING_VALUE];
};

struct settings {
	const struct device *device;
	char value[SETTINGS_MAX][SETTING_VALUE];
	struct sca sca[SCA_COUNT];
	int sca_index;       /* 0..15, chosen by SCAI=n */
	double hv_limit;     /* V, of the fitted bias supply */
	bool is_hv_positive; /* sign of the fitted bias supply, the only one of HVSE */
	bool is_fast_locked; /* THFA is the one that the automatic search has found */
	bool is_configured;  /* TPEA, which has no default, is set, or the device has none */
};

/* Everything to the defaults, as RESC=Y does. */
void settings_reset(struct settings *settings);

/* Starts with the defaults of `device`. */
void settings_init(struct settings *settings, const struct device *device);

/*
 * Applies one command: `name` of 4 letters and its parameter (borrowed, not terminated).  Returns
 * ACK_OK, ACK_PARAMETER, or ACK_COMMAND if this device has no such command.
 */
enum ack settings_set(
	struct settings *settings, const char *name, const char *parameter, size_t len);

/* The text that reads back, borrowed until the next change; NULL if there is no such command. */
const char *settings_get(const struct settings *settings, const char *name);

/* A numeric value; false if it is OFF, not set, or not on this device. */
bool settings_number(const struct settings *settings, const char *name, double *value);

/* Whether the value reads back as `text`. */
bool settings_is(const struct settings *settings, const char *name, const char *text);

#endif
