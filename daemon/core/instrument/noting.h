/* SPDX-License-Identifier: Apache-2.0 */
/* When an instrument's borrowed settings are noted and dropped: actions of the machine. */
#ifndef ASSAY_CORE_INSTRUMENT_NOTING_H
#define ASSAY_CORE_INSTRUMENT_NOTING_H

#include "core/instrument/instrument.h"

/*
 * Notes the values that the START that waits, or the file, changes.  1: `done` follows, with 0 once
 * they are durable, or -EIO; it never does if another worker or note came in between.  0: there are
 * none.  -EINVAL, -ENOMEM with the reason in `why`: nothing may be changed.
 */
int noting_start(struct instrument *instrument, void (*done)(struct instrument *instrument, int r),
	char why[WIRE_TEXT_MAX]);

/* The unit has its own settings again: drops the notes of values that these do not change. */
void noting_drop(struct instrument *instrument);

#endif
