/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages on the replay socket: requests as bytes, and the first parts of replies as views that
 * borrow from the bytes, which may be hostile.  Any thread.
 */
#ifndef ASSAY_CLIENT_MESSAGE_H
#define ASSAY_CLIENT_MESSAGE_H

#include <assay/client.h>

#include "base/buffer.h"
#include "record/read.h"

enum message_kind {
	MESSAGE_WELCOME = 1,
	MESSAGE_DATA,
	MESSAGE_OK,
	MESSAGE_CURSOR,  /* {name, at} */
	MESSAGE_CURSORS, /* all of them */
	MESSAGE_ERROR,
	MESSAGE_OTHER, /* another reply, not read */
};

enum message_error {
	MESSAGE_BAD_REQUEST = 1,
	MESSAGE_NOT_AUTHORISED,
	MESSAGE_WRONG_JOURNAL,
	MESSAGE_NOT_FOUND,
	MESSAGE_BUSY,
	MESSAGE_UNSUPPORTED,
	MESSAGE_IN_USE,
	MESSAGE_FAILED, /* a code that this version does not know */
};

struct message_journal {
	const uint8_t *id;
	uint64_t first, last;
};

struct message_gap {
	uint64_t from, to;
	enum assay_client_why why;
};

struct reply_view {
	enum message_kind kind;
	/* MESSAGE_WELCOME */
	const uint8_t *journal; /* the current one */
	uint64_t head;
	size_t journals_count;
	struct assay_span journals; /* CBOR array: message_journals() */
	struct assay_span topics;   /* CBOR map: message_topics() */
	/* MESSAGE_DATA; also head */
	uint64_t count, next;
	struct assay_span gaps; /* CBOR array: message_gaps() */
	/* MESSAGE_CURSOR, MESSAGE_CURSORS */
	struct assay_span at; /* CBOR array: message_marks() */
	/* MESSAGE_ERROR */
	enum message_error error;
	struct assay_string text;
};

/* 0, or -EBADMSG: not a reply, or incomplete. */
int message_read(const void *data, size_t len, struct reply_view *message);

/*
 * Call each() for the elements of a list, until it returns non-zero, which is returned.  0 after
 * the last one; -EBADMSG.
 */
int message_journals(const struct reply_view *message,
	int (*each)(void *arg, const struct message_journal *journal), void *arg);
int message_gaps(const struct reply_view *message,
	int (*each)(void *arg, const struct message_gap *gap), void *arg);
int message_marks(const struct reply_view *message,
	int (*each)(void *arg, const struct assay_client_cursor *mark), void *arg);

/* A map of topic => last seq, as in a welcome and a heartbeat. */
int message_topics(struct assay_span topics,
	int (*each)(void *arg, struct assay_string topic, uint64_t last), void *arg);

struct message_fetch {
	const uint8_t *journal;
	const char *name; /* a topic, or a prefix of topics */
	bool is_prefix;
	uint64_t from, to;
	uint64_t max_bytes; /* 0: the limit of the daemon */
};

/* Requests, appended to `to`, whose failure is the only error. */
void message_hello(struct buffer *to);
void message_fetch(struct buffer *to, const struct message_fetch *fetch);
void message_fetch_id(struct buffer *to, const uint8_t *run, uint64_t from);
void message_fetch_run(struct buffer *to, const char *number, uint64_t from);
void message_cursor_set(
	struct buffer *to, const char *name, const struct assay_client_cursor *mark);
void message_cursor_get(struct buffer *to, const char *name, bool take);
void message_cursors(struct buffer *to);

#endif
