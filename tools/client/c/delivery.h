/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides if an entry is delivered, dropped, or fetched: without gaps, once, in order per topic.
 * A pure state machine without sockets or clocks; it keeps positions and no entries.
 *
 * The caller passes heartbeats, live entries and the replies to the requests that it needs, one
 * at a time, and delivers the entries that it gets the verdict for.  Journals before the current
 * one are read in their order, prefix by prefix.  In the current one, each topic is followed by
 * itself: an entry is delivered if its `prev` is not after the topic's position; otherwise the
 * entries in between are fetched.  A heartbeat has the last seq of each topic.  One global
 * position would lose entries, because topics are independent of each other.
 */
#ifndef ASSAY_CLIENT_DELIVERY_H
#define ASSAY_CLIENT_DELIVERY_H

#include "marks.h"
#include "message.h"
#include "prefixes.h"
#include "record/entry.h"

#define DELIVERY_LOST UINT64_C(0x7fffffffffffffff) /* `to` of a gap without known end */

struct delivery;

enum delivery_need {
	DELIVERY_NOTHING,
	DELIVERY_HELLO,
	DELIVERY_FETCH,
};

enum delivery_verdict {
	DELIVERY_DROP,
	DELIVERY_GIVE,
	DELIVERY_NOTED, /* deliver the note first, then pass the entry again */
};

enum delivery_note_kind {
	DELIVERY_GAP = 1,
	DELIVERY_MARK, /* nothing was lost: the entries up to `to` were delivered, or are not wanted */
	DELIVERY_END, /* the same, and this prefix has no further entries in this journal */
};

struct delivery_note {
	enum delivery_note_kind kind;
	struct assay_client_cursor cursor; /* its seq is the note's last */
	uint64_t first;
	enum assay_client_why why;
};

/*
 * Starts without a journal.  Copies the prefixes.  Returns owned through `out`; -ENOMEM.  `start`
 * is for clients without any mark.
 */
int delivery_create(struct delivery **out, const struct prefixes *prefixes,
	enum assay_client_start start, uint64_t start_at);
void delivery_destroy(struct delivery *d);

/* A position of the consumer; before the first welcome.  0, -ENOMEM. */
int delivery_put_mark(struct delivery *d, const struct assay_client_cursor *mark);

/*
 * The request to send now; a fetch borrows until the next call.  Call delivery_sent() after it is
 * sent: then no request is needed until its reply has come.
 */
enum delivery_need delivery_need(struct delivery *d, struct message_fetch *fetch);
void delivery_sent(struct delivery *d);

/* The connection is new: no reply will come, and the journals may have changed. */
void delivery_reconnected(struct delivery *d);

/* The reply to a hello.  0, -EBADMSG, -ENOMEM. */
int delivery_welcome(struct delivery *d, const struct reply_view *welcome);

/*
 * The reply to a fetch: delivery_page() with its first part, then delivery_page_entry() for each
 * entry, then delivery_page_done().  The next page may be requested before that, but is passed
 * after it.  -EBADMSG: an invalid reply.
 */
int delivery_page(struct delivery *d, const struct reply_view *data);
enum delivery_verdict delivery_page_entry(
	struct delivery *d, const struct assay_entry_view *entry, struct delivery_note *note);
int delivery_page_done(struct delivery *d);

/* True once after the daemon was busy, or had fewer entries than announced: wait, then request. */
bool delivery_pause(struct delivery *d);

/* The reply to either was an error.  0: handled; -EACCES, -EPROTO: final. */
int delivery_refused(struct delivery *d, enum message_error error);

/* A note to deliver now, while no page is being read.  1, 0: none, -ENOMEM. */
int delivery_note(struct delivery *d, struct delivery_note *note);

/* A heartbeat, a live entry.  0, -EBADMSG, -ENOMEM.  DELIVERY_GIVE or DELIVERY_DROP. */
int delivery_head(struct delivery *d, const struct head_view *head);
enum delivery_verdict delivery_live_entry(struct delivery *d, const struct assay_entry_view *entry);

/* All entries up to the last heartbeat or welcome were delivered; up to the first welcome. */
bool delivery_is_live(const struct delivery *d);
bool delivery_is_past_start(const struct delivery *d);

/* The journal being read, NULL before the first welcome; the position in it, its last entry. */
const uint8_t *delivery_journal(const struct delivery *d, uint64_t *seq, uint64_t *head);

/* Holes that were found in live data. */
uint64_t delivery_refetched(const struct delivery *d);

#endif
