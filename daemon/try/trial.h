/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument, without the daemon: starts a worker, which is confined as always, and plays the
 * core for it.  Nothing is recorded.
 *
 *	HELLO, OPENED, IDENTITY -> GO -> READY -> START -> frames -> QUIT
 *
 * A signal aborts the measurement, and the worker leaves by its way of stop and make_safe.  If it
 * died while a hazard was on, another worker makes the instrument safe.
 */
#ifndef ASSAY_TRY_TRIAL_H
#define ASSAY_TRY_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

#define TRIAL_UNSAFE 16 /* exit code: something harmful may be on */

struct trial_options {
	const char *worker, *drivers;
	uint64_t frames; /* 0: only the identity; no setting is sent */
	bool json;       /* a line of JSON per event in place of text, without the dialogue */
};

/* Returns an exit code: 0, 1 after a failure or a signal, TRIAL_UNSAFE. */
int trial_run(const struct trial_options *options, const struct config_instrument *instrument);

/* One event for programs on standard output: {event, code, text}; `code` is an errno's name or "". */
void trial_put_event(const char *name, const char *code, const char *text);

#endif
