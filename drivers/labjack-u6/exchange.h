/* SPDX-License-Identifier: Apache-2.0 */
/* Dialogue with the device: commands, each with its reply. */
#ifndef LABJACK_EXCHANGE_H
#define LABJACK_EXCHANGE_H

#include <assay/driver.h>

#include "packet.h"

/*
 * Sends a command and reads its reply of p->reply bytes.  -EPROTO, explained, if the device reports
 * an error; -EBADMSG for a damaged reply, or one to another command.
 */
int exchange(struct assay_instrument *ins, const struct packet *p, uint8_t reply[PACKET_MAX]);

/*
 * Ends a stream, if one runs, and drops all packets and replies that are still on their way: the
 * next reply is that to the next command.
 */
int exchange_halt(struct assay_instrument *ins);

/* Reads the state of a digital line: 0, 1, or an error. */
int exchange_digital(struct assay_instrument *ins, unsigned line);

#endif
