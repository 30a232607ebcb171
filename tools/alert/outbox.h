/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes that wait for delivery.  Each channel (mail, webhook) takes all notes in order, in messages
 * of one or more; a note leaves when every channel has delivered it, never before.  A channel
 * sends at most `limit` messages in any hour and waits after a failure, so that the notes of the
 * meantime are collected into one message.
 */
#ifndef ASSAY_ALERT_OUTBOX_H
#define ASSAY_ALERT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "options.h"

enum note_event {
	NOTE_ALERT,
	NOTE_REMINDER,
	NOTE_END,
	NOTE_LOST, /* a run, or entries: it has no end */
	NOTE_TEST,
	NOTE_EVENTS,
};

const char *note_event_name(enum note_event event);
/* -1: there is none of this name. */
int note_event_find(const char *name);

/* Texts are printable. */
struct note {
	uint64_t id; /* ascending; given by outbox_put() */
	uint64_t utc, since;
	enum note_event event;
	char about[24]; /* "fault", "run" */
	char subject[80], text[400], remedy[160];
};

enum channel_kind {
	CHANNEL_MAIL,
	CHANNEL_WEBHOOK,
	CHANNELS,
};

const char *channel_name(enum channel_kind kind);

struct channel {
	bool is_used;
	uint64_t done;  /* notes up to this id are delivered */
	uint64_t taken; /* those up to this id are in the message on its way; 0: there is none */
	uint64_t sent[ALERT_LIMIT_MAX]; /* CLOCK_BOOTTIME of the last messages, a ring */
	size_t sent_at;
	uint64_t not_before;
	struct backoff backoff;
	unsigned failures; /* in a row */
};

#define OUTBOX_MAX     5000
#define OUTBOX_RESERVE (2 * 1024 + 2) /* for two notes of each condition */
#define MESSAGE_NOTES  50             /* in one message */

struct outbox {
	struct note *notes; /* oldest first */
	size_t count, size;
	uint64_t last; /* id of the last one ever */
	struct channel channels[CHANNELS];
	bool changed; /* since the state was stored */
};

void outbox_init(struct outbox *outbox, const struct alert_options *options);
void outbox_finish(struct outbox *outbox);

/* False: nothing more may be put now; its cause is looked at again later. */
bool outbox_has_room(const struct outbox *outbox);

/* Copies it.  Call only with room. */
void outbox_put(struct outbox *outbox, const struct note *note);

/*
 * The notes of the next message of a channel that may be sent at `now` (CLOCK_BOOTTIME): their
 * number, and the first one, borrowed until the next call.  0: none.  The channel is busy until
 * outbox_done().
 */
size_t outbox_take(struct outbox *outbox, enum channel_kind kind,
	const struct alert_options *options, uint64_t now, const struct note **first);

/* The message was delivered, or not: then it is tried again after a wait. */
void outbox_done(struct outbox *outbox, enum channel_kind kind, bool delivered,
	const struct alert_options *options, uint64_t now);

#endif
