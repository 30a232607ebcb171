/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its reply, on whatever link there is.  The instrument never speaks first and
 * answers every well-formed packet once, so an exchange that went wrong is repeated after the
 * link has been silent for a while.
 */
#ifndef ASSAY_AMPTEK_DP5_EXCHANGE_H
#define ASSAY_AMPTEK_DP5_EXCHANGE_H

#include "packet.h"

#include <assay/driver.h>

struct exchange {
	uint64_t slow_until; /* the instrument writes its flash until then, and answers late */
	unsigned attempts;   /* of the last exchange */
	uint8_t refusal;     /* the code of the last refusal, 0: none */
	char refused[24];    /* what it echoed, e.g. "MCAC=1000;" */
	uint8_t tx[PACKET_REQUEST_MAX];
	uint8_t rx[PACKET_REPLY_MAX];
	size_t rx_len;
};

/*
 * Throws away what is left of an earlier conversation; the silence it waits for also makes an
 * instrument on a serial line forget half a request.
 */
int exchange_clear(struct assay_instrument *ins, struct exchange *x);

/*
 * Asks and waits for a reply of kind `want` (its PID1); repeats up to three times.  `reply`
 * borrows from x->rx until the next exchange.  A refusal is -EPROTO, explained.
 */
int exchange(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const void *data, size_t len, enum packet_reply want, struct packet *reply);

/* The same for a request that is answered by an acknowledgement. */
int exchange_order(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const void *data, size_t len);

#endif
