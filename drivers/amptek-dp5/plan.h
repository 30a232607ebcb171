/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands for the settings on this device, in the right order: those of the text
 * `configuration`, replaced by settings of their own name, and OFF for presets that are not set.
 */
#ifndef ASSAY_AMPTEK_DP5_PLAN_H
#define ASSAY_AMPTEK_DP5_PLAN_H

#include "command.h"
#include "state.h"

enum plan_kind { PLAN_INTEGER, PLAN_NUMBER, PLAN_FLAG, PLAN_WORDS };

/* A setting that is one command. */
struct plan_mapping {
	const char *setting, *command;
	enum plan_kind kind;
	int digits; /* decimals that are sent */
	bool zero_is_off;
};

/* Both end with .setting = NULL. */
extern const struct plan_mapping plan_general[], plan_presets[];

#define PLAN_REFUSED "refused by the instrument"

struct plan {
	struct commands general, presets;
	char left_out[8192]; /* commands of the text that are not sent, with the reasons */
};

/*
 * Makes the plan from ins->settings, the device's status and its readback.  -EINVAL, explained, for
 * settings that contradict each other or the device.
 */
int plan_make(struct assay_instrument *ins, struct plan *plan);

/* The driver's check slot. */
void plan_check(const struct assay_settings *settings, struct assay_check *out);

/*
 * Whether preset_time is sent as real time because the device has no preset of accumulation time.
 */
bool plan_lacks_pret(const struct state *st);

/* Notes that a command of the text is not sent. */
void plan_leave_out(struct plan *plan, const struct command *c, const char *why);

/* The setting to which a command, or text that starts with one, belongs. */
const char *plan_setting_of(const char *command);

#endif
