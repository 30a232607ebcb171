/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands, text replies, and resynchronising.
 *
 * A command is two letters and a parameter, ended by CR.  A text reply ends with LF CR.  A refused
 * command has no reply, so a command without reply is followed by its query.  All functions return
 * 0 or a negative errno of <assay/driver.h>, explained if it concerns a setting.
 */
#ifndef ASSAY_SRS_RGA_SESSION_H
#define ASSAY_SRS_RGA_SESSION_H

#include <assay/driver.h>

#include "status.h"

#define RGA_LINE_MAX 64 /* of a text reply; ID? needs 24 */

/* Sends one command and its CR. */
int rga_send(struct assay_instrument *ins, const char *command);

/* Sends a query and reads its reply into line[0 ... RGA_LINE_MAX), once more after a resync. */
int rga_query(struct assay_instrument *ins, const char *query, char *line);
int rga_query_number(struct assay_instrument *ins, const char *query, double *out);

/* Sends a command whose reply is STATUS within `ms`; the byte goes to *status. */
int rga_command(struct assay_instrument *ins, const char *command, int ms, uint8_t *status);

/*
 * Sets `name` (two letters) by a command without reply, then queries and compares.  -EPROTO,
 * explained with the head's error bytes, if the head has another value.
 */
int rga_set(struct assay_instrument *ins, const char *name, int value);

/*
 * Sets `name` by a command whose reply is STATUS within `ms`, then queries it.  -EPROTO, explained,
 * if the value read back differs from `value` by more than `tolerance`.
 */
int rga_adjust(struct assay_instrument *ins, const char *name, double value, double tolerance,
	int ms, double *read_back);

/*
 * Ends half a command, a scan or degassing, waits for silence, and queries ID? until the head
 * replies; `line` gets the reply.  Half a command is not run: it is made too long, and the head
 * drops it.
 */
int rga_resync(struct assay_instrument *ins, char *line);

/* Queries ER? and the error bytes of its bits; those of hardware faults twice. */
int rga_read_status(struct assay_instrument *ins, struct rga_status *status);

/* Clears communication errors of earlier commands, by EC? or else IN0. */
int rga_clear_errors(struct assay_instrument *ins);

/* After lost bytes: clears the head's buffers with IN0 until it replies. */
int rga_recover(struct assay_instrument *ins);

#endif
