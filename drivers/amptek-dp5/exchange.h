/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its reply, on any of the links.  The instrument sends nothing unsolicited and
 * replies to every well-formed packet once, so a failed exchange is repeated after the link has
 * been silent for some time.
 */
#ifndef ASSAY_AMPTEK_DP5_EXCHANGE_H
#define ASSAY_AMPTEK_DP5_EXCHANGE_H

#include "packet.h"

#include <assay/driver.h>

struct exchange {
	uint64_t slow_until; /* until then the instrument may write its flash and reply late */
	unsigned attempts;   /* of the last exchange */
	uint8_t refusal;     /* code of the last refusal, 0: none */
	char refused[24];    /* the command in that reply, e.g. "MCAC=1000;" */
	uint8_t tx[PACKET_REQUEST_MAX];
	uint8_t rx[PACKET_REPLY_MAX];
	size_t rx_len;
	bool has_repeats;   /* a datagram of the last reply was equal to the one before it */
	bool drops_repeats; /* the network delivers each twice */
};

/*
 * Discards input left over from earlier requests.  The silence also makes an instrument on a serial
 * line drop half a request.
 */
int exchange_clear(struct assay_instrument *ins, struct exchange *x);

/*
 * Sends a request and waits for a reply of kind `want` (its PID1); up to three attempts.  `reply`
 * borrows from x->rx until the next exchange.  A refusal is -EPROTO, explained.
 */
int exchange(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const void *data, size_t len, enum packet_reply want, struct packet *reply);

/* The same for a request whose reply is an acknowledgement. */
int exchange_command(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const void *data, size_t len);

#endif
