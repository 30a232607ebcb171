/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of an instrument changed at run time: they lie over those of the configuration until
 * that is read again.  Where runs follow one another by themselves, the open one is ended and the
 * next begins with the new settings; an instrument that refuses them gets the former ones back.
 */
#ifndef ASSAY_CORE_CHANGE_H
#define ASSAY_CORE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "config/config.h"

struct instrument;
struct audit_actor;

/* Zero is a valid beginning: as configured. */
struct change {
	struct buffer settings; /* CBOR, complete; empty: those of the configuration */
	struct buffer before;   /* likewise, to go back to while the change is pending */
	bool pending;           /* until a run has begun with them */
	bool sent;              /* to the worker, in a START */
	void (*answer)(void *arg, struct instrument *instrument, int r, const char *text);
	void *arg;
};

void change_finish(struct change *change);

/* The settings in force; borrowed until they are changed. */
struct config_map change_settings(const struct instrument *instrument);

/* Is anything not as the configuration says? */
bool change_is_made(const struct instrument *instrument);

/* May they be changed now?  No while an on-demand run is open or another change is pending. */
bool change_is_possible(const struct instrument *instrument);

/*
 * Lays `part` (CBOR map name => setting, checked by config_parse_setting) over the settings in
 * force.  Then calls `answer`, perhaps before this returns: with 0 once they are in force, or with
 * a negative errno and the instrument's words when it refused them.  It must be possible.  -ENOMEM:
 * nothing is changed, `answer` is not called.
 */
int change_begin(struct instrument *instrument, const struct buffer *part,
	const struct audit_actor *actor,
	void (*answer)(void *arg, struct instrument *instrument, int r, const char *text),
	void *arg);

/*
 * The end of a pending change, if there is one: r 0, it stays; negative, the instrument refused it
 * and it is taken back.
 */
void change_settle(struct instrument *instrument, int r, const char *text);

#endif
