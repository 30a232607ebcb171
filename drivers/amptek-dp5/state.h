/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's state of one instrument between the slots, and the two requests that all slots use:
 * the status, and the readback of the configuration.
 */
#ifndef ASSAY_AMPTEK_DP5_STATE_H
#define ASSAY_AMPTEK_DP5_STATE_H

#include "command.h"
#include "exchange.h"
#include "status.h"

enum { READBACK_MAX = 4096 };

/* Presets end a measurement; 0: off. */
struct presets {
	double accumulation, real, live; /* s */
	double counts;
};

struct state {
	struct exchange x;
	struct status status; /* the last one read */
	bool is_identified;
	uint32_t serial;         /* as identified, 0: none */
	bool rebooted;           /* since the configuration was last sent */
	struct commands refused; /* by this unit, and not needed */
	struct presets presets;
	char readback[READBACK_MAX]; /* every command's value, after the last configure */

	/* Of the running measurement. */
	uint64_t growing_due, slice_due, tick; /* ms; tick: last change of its clocks */
	bool is_unready;                       /* logged */
};

/*
 * Reads the status into st->status.  -EPROTO, explained, for a device of another family, and
 * -ENODEV for another unit than the one identified.
 */
int state_poll(struct assay_instrument *ins, struct state *st);

/* 0 if it is the unit that was identified, else -ENODEV, explained: it is identified again. */
int state_check_unit(
	struct assay_instrument *ins, const struct state *st, const struct status *status);

/* Reads back every command that the device has, as "MCAC=2048;TPEA=2.000;...". */
int state_read_back(struct assay_instrument *ins, struct state *st, char *text, size_t size);

#endif
