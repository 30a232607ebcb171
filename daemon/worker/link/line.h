/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which request a reply on a Modbus line belongs to.  A frame of a line has no transaction number:
 * N requests without a reply owe N replies, and each of them can still come, in their order.
 *
 * After a time-out nothing is sent to that unit until all owed replies have come, or the time of a
 * reply has passed in silence.  Silence alone proves nothing about a unit that is stalled: its
 * first reply after that is believed only if all owed ones were to the same request, and is
 * followed by such a silence, too.  Then the unit owes nothing any more.  This holds for units that
 * reply in order and, once a stall is over, at most the time of a reply apart.
 *
 * Pure: no I/O, no clock.  Times are of clock_boot().
 */
#ifndef ASSAY_WORKER_LINK_LINE_H
#define ASSAY_WORKER_LINK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_UNITS   256
#define LINE_REQUEST 6 /* unit, function, address, count */

struct line_unit {
	bool is_used;                  /* it is one of the line's */
	unsigned owed;                 /* replies to former requests */
	uint8_t request[LINE_REQUEST]; /* to this one, unless they differ */
	bool differ;
	bool has_replied;    /* since the last time-out */
	uint64_t not_before; /* the next request */
};

struct line {
	uint64_t reply_ns; /* the time of one reply */
	bool is_doubtful;
	struct line_unit units[LINE_UNITS];
};

/*
 * `is_doubtful`: a former process may have left requests without a reply, so each unit starts as if
 * it owed some.
 */
void line_init(struct line *line, uint64_t reply_ns, bool is_doubtful);

/* When the unit may get its next request: `now`, or later. */
uint64_t line_not_before(struct line *line, uint8_t unit, uint64_t now);

/* True if a reply to a former request can still come. */
bool line_owes(const struct line *line, uint8_t unit);

/* The request got no reply, or none that differs from noise. */
void line_missed(struct line *line, const uint8_t request[LINE_REQUEST], uint64_t now);

/* A reply to a former request has come. */
void line_heard(struct line *line, uint8_t unit, uint64_t now);

/* The request got a reply that fits.  True if it is certain that it is not that to a former one. */
bool line_replied(struct line *line, const uint8_t request[LINE_REQUEST], uint64_t now);

/* --- the bytes received ----------------------------------------------------------------------- */

#define LINE_INBOX 1024
#define LINE_FIRST 16

struct line_inbox {
	uint8_t data[LINE_INBOX]; /* that belong to no frame yet */
	size_t len;
	size_t before;             /* of them: too soon to reply to the present request */
	size_t noise;              /* bytes since the request that belong to no frame, */
	uint8_t first[LINE_FIRST]; /* and the first of them */
	bool has_echo;             /* the request has come back */
	uint8_t heard[LINE_FIRST]; /* the start of the last reply that was counted as owed */
	size_t heard_len;
};

/* The request under way. */
struct line_query {
	const uint8_t *sent; /* as on the line */
	size_t sent_len;
	size_t reply_len; /* 0: not known, the reply ends with a silence */
	bool echoes;      /* the adapter returns each request */
	bool is_mirrored; /* the reply is the request */
};

struct line_frame {
	uint8_t data[LINE_INBOX];
	size_t len;
};

enum line_result {
	LINE_MORE,    /* no reply yet */
	LINE_REPLY,   /* the frame is a sound reply to the request, or its exception */
	LINE_DAMAGED, /* the frame is such a reply, except for its CRC */
	LINE_STRANGE, /* the frame is sound, and of another unit, function or length */
	LINE_ECHO,    /* the request came back, and no adapter should return it */
};

/* True if the bytes are one sound frame of a line: a reply to functions 1 to 4. */
bool line_is_frame(const uint8_t *data, size_t len);

/* The request is sent: all bytes so far are older than its reply. */
void line_request(struct line_inbox *in);

/*
 * Takes frames out of the inbox and counts owed replies, until there is a result for `q` (NULL: no
 * request is under way).  `is_last`: no more bytes will come.
 */
enum line_result line_take(struct line *line, struct line_inbox *in, const struct line_query *q,
	bool is_last, uint64_t now, struct line_frame *frame);

#endif
