/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decides whether an entry is given, dropped, or fetched: gap-free, once, in order per topic.
 * A pure state machine without sockets or clocks; it keeps positions and no entries.
 *
 * The caller shows it heartbeats, live entries and the answers to the requests that it asks for,
 * one at a time, and gives away what it is told to.  All journals before the current one are read
 * in their order, prefix by prefix; of the current one, each topic is followed by itself: an entry
 * is given when its `prev` is not after the topic's position, else what lies between is fetched.
 * A heartbeat says what should have come.  One global position would lose entries: a later one on
 * one topic says nothing about an earlier one on another.
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
	DELIVERY_NOTED, /* give the note first, then offer the entry again */
};

enum delivery_note_kind {
	DELIVERY_GAP = 1,
	DELIVERY_MARK, /* nothing was lost: everything up to `to` was given, or is not wanted */
	DELIVERY_END,  /* the same, and nothing more comes of this journal below this prefix */
};

struct delivery_note {
	enum delivery_note_kind kind;
	struct assay_client_cursor cursor; /* its seq is the note's last */
	uint64_t first;
	enum assay_client_why why;
};

/*
 * Begins without a journal.  Copies the prefixes.  Returns owned through `out`; -ENOMEM.  `start`
 * is for clients without any mark.
 */
int delivery_create(struct delivery **out, const struct prefixes *prefixes,
	enum assay_client_start start, uint64_t start_at);
void delivery_destroy(struct delivery *d);

/* Where the consumer is; before the first welcome.  0, -ENOMEM. */
int delivery_put_mark(struct delivery *d, const struct assay_client_cursor *mark);

/*
 * What is to be asked now; a fetch borrows until the next call.  delivery_asked() says that it was
 * sent: then nothing is needed before its answer was shown.
 */
enum delivery_need delivery_need(struct delivery *d, struct message_fetch *fetch);
void delivery_asked(struct delivery *d);

/* The connection is new: answers will not come, and journals may be others. */
void delivery_reconnected(struct delivery *d);

/* The answer to a hello.  0, -EBADMSG, -ENOMEM. */
int delivery_welcome(struct delivery *d, const struct message *welcome);

/*
 * The answer to a fetch: delivery_page() with its first part, then delivery_page_entry() for each
 * entry, then delivery_page_done().  The next page may be asked for meanwhile, but is shown after
 * that.  -EBADMSG: it makes no sense.
 */
int delivery_page(struct delivery *d, const struct message *data);
enum delivery_verdict delivery_page_entry(
	struct delivery *d, const struct assay_entry_view *entry, struct delivery_note *note);
int delivery_page_done(struct delivery *d);

/* True once after the daemon said "busy" or knew less than it had announced: ask a little later. */
bool delivery_pause(struct delivery *d);

/* The answer to either was an error.  0: it is dealt with, -EACCES, -EPROTO: it is final. */
int delivery_refused(struct delivery *d, enum message_error error);

/* A note to be given now, while no page is being read.  1, 0: none, -ENOMEM. */
int delivery_note(struct delivery *d, struct delivery_note *note);

/* A heartbeat, a live entry.  0, -EBADMSG, -ENOMEM.  DELIVERY_GIVE or DELIVERY_DROP. */
int delivery_head(struct delivery *d, const struct head_view *head);
enum delivery_verdict delivery_live_entry(struct delivery *d, const struct assay_entry_view *entry);

/* All that the last heartbeat or welcome named was given; the same of the first welcome. */
bool delivery_is_live(const struct delivery *d);
bool delivery_is_past_start(const struct delivery *d);

/* The journal being read, NULL before the first welcome; the place in it, its last entry. */
const uint8_t *delivery_journal(const struct delivery *d, uint64_t *seq, uint64_t *head);

/* Holes that were found in live data. */
uint64_t delivery_refetched(const struct delivery *d);

#endif
