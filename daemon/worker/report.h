/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that a driver read back from its instrument; they replace those that were sent. */
#ifndef ASSAY_WORKER_REPORT_H
#define ASSAY_WORKER_REPORT_H

#include <assay/driver.h>
#include <stdint.h>

#include "base/buffer.h"

struct report_item {
	char name[33];
	struct buffer value; /* one `setting` of the record format */
};

/* Zero is a valid empty report. */
struct report {
	struct report_item *items;
	size_t count, size;
};

void report_finish(struct report *report);

/* Removes all items. */
void report_reset(struct report *report);

/* Adds a value, or replaces that of the same name.  0, -EINVAL if it is not a setting, -ENOMEM. */
int report_add(struct report *report, const char *name, const struct assay_variable *v);

/* Removes a value, if there is one. */
void report_drop(struct report *report, const char *name);

/*
 * Appends the CBOR map of the settings in `sent` (such a map; len 0: none), each replaced by its
 * reported value, and then the values that were only reported.  0, -EBADMSG or -ENOMEM.
 */
int report_merge(const struct report *report, const uint8_t *sent, size_t len, struct buffer *out);

#endif
