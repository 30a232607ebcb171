/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes: only those that the table `actions` declares, by name.  Values that are held during a run
 * are read before and put back by the daemon; what is switched on is a hazard and is switched off by
 * this driver; a pulse is written before the start or after the stop.
 */
#ifndef ASSAY_MODBUS_MAP_ACTION_H
#define ASSAY_MODBUS_MAP_ACTION_H

#include <assay/driver.h>

#define ACTION_HELD_MAX 8
#define ACTION_HOLD_MAX 400 /* bytes of the text of `hold` */

/* What an action is for; the settings that name actions, in the same order. */
enum action_use { ACTION_HOLD, ACTION_PULSE, ACTION_HAZARD, ACTION_USES };

struct action {
	const char *name;
	enum action_use use;
	bool is_coil, is_multiple; /* functions 15 and 16 instead of 5 and 6 */
	unsigned address;
	unsigned value, off;
};

extern const struct assay_setting action_columns[];

/* The row of that name.  False: there is none. */
bool action_find(
	const struct assay_settings *settings, const char *name, size_t len, struct action *action);

/*
 * The next part of a text such as "stream=2, mode": its name in *name and *len, its value, or the
 * action's own.  Returns the rest, or NULL: *error is set if the text is none.
 */
const char *action_next(const struct assay_settings *settings, const char *text,
	struct action *action, const char **error);

/* For the slots of <assay/driver.h>.  Errors are explained. */
int actions_hold(struct assay_instrument *ins);      /* configure */
int actions_read_back(struct assay_instrument *ins); /* the same without a write */
int actions_start(struct assay_instrument *ins);
int actions_stop(struct assay_instrument *ins);
int actions_make_safe(struct assay_instrument *ins);

#endif
