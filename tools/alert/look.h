/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon at one moment: the conditions that are there, from its reply to `status`. */
#ifndef ASSAY_ALERT_LOOK_H
#define ASSAY_ALERT_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "condition.h"

/* A condition that is there now. */
struct seen {
	enum condition_kind kind;
	char subject[80], text[400]; /* printable */
};

struct look {
	uint64_t utc;
	char lab[80];     /* "SITE/NODE"; "" if unknown */
	unsigned unknown; /* bit of each kind of which nothing is known */
	struct seen *items;
	size_t count, size;
};

/*
 * Reads a reply, borrowed; instruments that are simulated count only if the options say so.  `utc`
 * is now.  Anything that is not a reply of the daemon counts as no reply.
 */
void look_read(struct look *look, struct assay_span reply, const struct alert_options *options,
	uint64_t utc);

/* The daemon does not reply, and why not. */
void look_silent(struct look *look, const char *why, uint64_t utc);

/* NULL: this condition is not there. */
const struct seen *look_find(
	const struct look *look, enum condition_kind kind, const char *subject);

void look_finish(struct look *look);

#endif
