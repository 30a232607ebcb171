/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its reply over either link. */
#ifndef NIRSCAN_EXCHANGE_H
#define NIRSCAN_EXCHANGE_H

#include <assay/driver.h>

#include "command.h"
#include "packet.h"

struct exchange {
	uint8_t sequence;
	bool is_dirty; /* the last exchange failed: bytes of its reply may still come */
	size_t len;
	uint8_t rx[FRAME_MAX + REPORT_BYTES];
};

/* Data of a reply: borrowed until the next exchange. */
struct reply {
	const uint8_t *data;
	size_t len;
};

/* Discards what still comes: half a reply, or one to another program. */
int exchange_clear(struct assay_instrument *ins, struct exchange *x);

/*
 * Sends a command with `len` bytes of arguments and reads its reply; repeats it if the reply is late,
 * damaged or an error, unless the command may be sent once only.  -EPROTO: the instrument refuses it,
 * or stays busy.  All errors but those of the port are explained.
 */
int exchange(struct assay_instrument *ins, struct exchange *x, enum nano_command which,
	const void *arguments, size_t len, struct reply *out);

/* The same without arguments; the reply is a number of one or four bytes, 0 after an error. */
int exchange_number(
	struct assay_instrument *ins, struct exchange *x, enum nano_command which, uint32_t *out);

#endif
