/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file of assay-alert, in the YAML of assayd.yaml. */
#ifndef ASSAY_ALERT_OPTIONS_H
#define ASSAY_ALERT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define ALERT_RECIPIENTS_MAX 16
#define ALERT_LIMIT_MAX      60

/* Texts are in `arena`; times are nanoseconds. */
struct alert_options {
	struct arena arena;
	const char *sockets, *state;
	bool simulated;
	uint64_t every, retry;
	unsigned limit;  /* messages per hour and channel */
	uint64_t remind; /* 0: never */
	uint64_t settle;
	uint64_t fault, silent, clock, calibration;

	const char *to[ALERT_RECIPIENTS_MAX]; /* no mail without one */
	size_t to_count;
	const char *from, *sendmail;
	const char *url; /* NULL: no webhook */
	uint64_t deadline;
};

/*
 * Reads the file.  0; 1 after the errors were written to standard error with file, line and column.
 * alert_options_finish() in any case.
 */
int alert_options_load(struct alert_options *options, const char *path);
void alert_options_finish(struct alert_options *options);

/* The same from a text, for tests and fuzzing; errors are not written. */
int alert_options_read(struct alert_options *options, const char *text, size_t len);

#endif
