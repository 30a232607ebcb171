/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When there is a frame: the parts with `frame`, as they were at the last frame and as they are
 * now.  Without such parts there is one per poll.
 */
#ifndef ASSAY_MODBUS_MAP_TRIGGER_H
#define ASSAY_MODBUS_MAP_TRIGGER_H

#include <assay/driver.h>

#include "part.h"

#define TRIGGER_PARTS_MAX 32

struct trigger {
	struct part parts[TRIGGER_PARTS_MAX];
	size_t count;
	bool has_last;
	struct register_value last[TRIGGER_PARTS_MAX], now[TRIGGER_PARTS_MAX];
};

/* Reads the parts from the settings; nothing was seen yet. */
void trigger_init(const struct assay_settings *settings, struct trigger *trigger);

/* Notes the parts that the reply has.  True if one of them differs from what was noted before. */
bool trigger_note(struct trigger *trigger, const struct reply *reply);

/*
 * True if the parts that were noted begin a frame.  Those of the first call never do: their frame
 * may be old.  Without a frame the next call compares with them.
 */
bool trigger_fires(struct trigger *trigger);

/* The frame of the parts that were noted is complete. */
void trigger_accept(struct trigger *trigger);

#endif
