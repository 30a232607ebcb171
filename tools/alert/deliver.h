/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the notes of the outbox to people, in processes beside this one. */
#ifndef ASSAY_ALERT_DELIVER_H
#define ASSAY_ALERT_DELIVER_H

#include "job.h"
#include "outbox.h"

struct delivery_jobs {
	const char *config; /* the file, for the process that posts */
	struct job jobs[CHANNELS];
};

/* Takes results, and starts all that may be sent at `now` (CLOCK_BOOTTIME).  Never waits. */
void deliver_step(struct delivery_jobs *with, struct outbox *outbox,
	const struct alert_options *options, const char *lab, uint64_t now);

/* True while one is on its way. */
bool deliver_is_busy(const struct delivery_jobs *with);

/* Kills those on their way; their notes stay. */
void deliver_stop(struct delivery_jobs *with);

#endif
