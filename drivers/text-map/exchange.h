/* SPDX-License-Identifier: Apache-2.0 */
/* The slots that use the link. */
#ifndef ASSAY_TEXT_MAP_EXCHANGE_H
#define ASSAY_TEXT_MAP_EXCHANGE_H

#include "reply.h"

#define ROUND_MAX (4 * REPLY_MAX) /* bytes of all replies of one frame */

/* The driver's state.  The replies of a round stay until it is over: its parts borrow them. */
struct state {
	char text[ROUND_MAX];
	size_t at, len;     /* the next reply, and all that has been received */
	bool is_silent;     /* no reply to an earlier request can come any more */
	bool is_at_line;    /* unsolicited: `at` is the start of a reply */
	uint64_t readings;  /* frames in this run */
	struct parts parts; /* of this round */
	char why[WHY_MAX];
};

int exchange_identify(struct assay_instrument *ins, struct assay_identity *id);
int exchange_start(struct assay_instrument *ins);
int exchange_acquire(struct assay_instrument *ins, struct assay_raw *raw);
int exchange_stop(struct assay_instrument *ins);

#endif
