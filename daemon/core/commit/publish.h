/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live socket: every committed entry on its topic, and the heartbeat that tells consumers up
 * to where they should have heard of everything.  A thread of its own sends them and serves the
 * socket: nothing that a subscriber does delays the commit thread.
 *
 * Threads: opened by the main thread, then used by the commit thread alone, closed by the main
 * thread once that one has ended.
 */
#ifndef ASSAY_CORE_COMMIT_PUBLISH_H
#define ASSAY_CORE_COMMIT_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commit_item;
struct journal;
struct publisher;
struct remote_place;

/*
 * Bytes that may wait for the thread and for slow subscribers, over all of them: a message that
 * waits for several is held once.  Above a limit the messages of its row are left out, for all subscribers:
 * they see the gap by `prev` and by the heartbeat, and fetch it.  Large entries are left out first,
 * heartbeats last, because without them consumers reconnect.
 */
#define LIVE_LARGE     ((size_t)4 << 10) /* entries from this size on are large */
#define LIVE_LARGE_MAX ((size_t)64 << 20)
#define LIVE_SMALL_MAX ((size_t)96 << 20)
#define LIVE_BEATS_MAX ((size_t)128 << 20)
#define LIVE_RESUME    ((size_t)32 << 20) /* from here down everything is published again */

/*
 * Binds a PUB socket of `context` to `endpoint` and starts the thread.  `head_topic` (copied) is
 * where the heartbeat goes.  Returns owned through `out`, or a negative errno, -EADDRINUSE for one.
 */
int publisher_open(
	struct publisher **out, void *context, const char *endpoint, const char *head_topic);

/* Listens for programs of other machines, too; before publisher_start().  0 or a negative errno. */
int publisher_listen(struct publisher *publisher, const struct remote_place *place);

/* Starts the thread, which owns the socket from then on; 0 or a negative errno. */
int publisher_start(struct publisher *publisher);

/* Sends the queue, ends the thread and closes the socket; NULL is legal. */
void publisher_close(struct publisher *publisher);

/*
 * Queues topic and entry for the thread, taking one reference of the item.  Never blocks: above the
 * limits of bytes it is not sent, and PUB drops it for a subscriber with a full queue.
 */
void publisher_send(struct publisher *publisher, struct commit_item *item);

/* CLOCK_BOOTTIME at which publisher_beat() has something to send. */
uint64_t publisher_due(const struct publisher *publisher);

/* Queues the heartbeat, behind the entries that it counts, when it is due: every second, and 100 ms after the last entry. */
void publisher_beat(struct publisher *publisher, const struct journal *journal);

struct publisher_status {
	size_t bytes;     /* queued, or held for subscribers */
	uint64_t skipped; /* entries that were not sent live since the start */
	bool is_full;     /* some are not sent at present */
};
/* Threads: any. */
void publisher_status(const struct publisher *publisher, struct publisher_status *status);

#endif
