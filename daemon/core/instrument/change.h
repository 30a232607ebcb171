/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of an instrument changed at run time: they lie over those of the configuration until
 * that is read again.  Where runs follow one another, the open one is ended and the next starts
 * with the new settings; if the instrument refuses them, the former ones come back.
 */
#ifndef ASSAY_CORE_INSTRUMENT_CHANGE_H
#define ASSAY_CORE_INSTRUMENT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "config/config.h"

/* Zero is valid: as configured. */
struct change {
	struct buffer settings; /* CBOR, complete; empty: those of the configuration */
	struct buffer before;   /* the same, to go back to while the change is pending */
	bool pending;           /* until a run has started with them */
	bool sent;              /* to the worker, in a START */
	void (*answer)(void *arg, int r, const char *text);
	void *arg;
};

void change_finish(struct change *change);

/* The settings in force over `configured`; borrowed until they are changed. */
struct assay_span change_settings(const struct change *change, struct assay_span configured);

/* Is anything not as configured? */
bool change_is_made(const struct change *change);

/* Lays `part` over the settings in force; the change is pending then.  -ENOMEM. */
int change_lay(struct change *change, const struct catalog_driver *driver,
	struct assay_span configured, struct assay_span part,
	void (*answer)(void *arg, int r, const char *text), void *arg);

/* Ends a pending change, if there is one: r 0, it stays; negative, it is taken back. */
void change_settle(struct change *change, int r, const char *text);

#endif
