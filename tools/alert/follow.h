/* SPDX-License-Identifier: Apache-2.0 */
/* The records of the daemon since the last one that was read: runs that were lost become notes. */
#ifndef ASSAY_ALERT_FOLLOW_H
#define ASSAY_ALERT_FOLLOW_H

#include <assay/client.h>

#include "marks.h"
#include "outbox.h"
#include "requester.h"

struct follow {
	struct assay_client *client;
	struct requester *control; /* borrowed */
	struct marks marks;        /* everything up to these was read; stored with the outbox */
	bool has_read;             /* marks changed since they were stored */
};

/* Starts at follow->marks, or without any with the next record.  0, or 1 after a log line. */
int follow_start(
	struct follow *follow, const struct alert_options *options, struct requester *control);
void follow_finish(struct follow *follow);

/*
 * Reads the records that are there, waiting at most `timeout_ms` for the first record.  Reads nothing while the
 * outbox has no room: the records stay in the journal.  0, or a negative errno of the client.
 */
int follow_step(struct follow *follow, int timeout_ms, struct outbox *outbox);

/* False: neither heartbeat nor reply came in the last seconds. */
bool follow_is_connected(const struct follow *follow);

#endif
