/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which consumer uses a cursor at present: one at a time.  The first that takes or moves a cursor
 * holds it; others are rejected until its process has ended, or until it has been silent for
 * LEASE_NS.  A ROUTER socket does not see that a peer is gone, but the kernel names the process of a
 * local one, and reports its end: a program that is killed and started again does not wait.  A peer
 * without a known process is its connection, and ends by silence only.
 *
 * Nothing of this is on the disk, and positions do not depend on it: after a restart of the daemon
 * the first one to come holds the cursor.
 *
 * Threads: the replay thread's.
 */
#ifndef ASSAY_CORE_REPLAY_LEASES_H
#define ASSAY_CORE_REPLAY_LEASES_H

#include <sys/types.h>

#include <assay/record.h>

#include "base/clock.h"

#define LEASE_NS (60 * NS_PER_S)

struct leases;

/* The sender of a request; borrowed. */
struct lease_peer {
	pid_t pid;            /* 0: not known */
	struct assay_span id; /* of its connection */
};

struct leases *leases_create(void);
void leases_destroy(struct leases *leases);

/*
 * Takes or renews the lease of a cursor.  0; -EBUSY: another has it, and `who` names it.  With more
 * names than there can be cursors it has no effect, and returns 0.
 */
int leases_take(struct leases *leases, struct assay_string name, const struct lease_peer *peer,
	char *who, size_t size);

#endif
