/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with the head: commands, text replies, and getting back into step.
 *
 * A command is two letters and a parameter, ended by CR.  A text reply ends with LF CR.  A refused
 * command has no reply at all, so every silent one is followed by its query.  All functions return
 * 0 or a negative errno as said in <assay/driver.h>, those that talk about a setting explained.
 */
#ifndef ASSAY_SRS_RGA_SESSION_H
#define ASSAY_SRS_RGA_SESSION_H

#include <assay/driver.h>

#include "status.h"

#define RGA_LINE_MAX 64 /* of a text reply; ID? needs 24 */

/* Sends one command and its CR. */
int rga_send(struct assay_instrument *ins, const char *command);

/* Sends a query and reads its reply into line[0 ... RGA_LINE_MAX), once more after a resync. */
int rga_ask(struct assay_instrument *ins, const char *query, char *line);
int rga_ask_number(struct assay_instrument *ins, const char *query, double *out);

/* Sends a command that answers STATUS within `ms`; the byte goes to *status. */
int rga_command(struct assay_instrument *ins, const char *command, int ms, uint8_t *status);

/*
 * Sets `name` (two letters) silently, asks for it and compares.  -EPROTO, explained with the
 * head's own reason, when the head kept another value.
 */
int rga_set(struct assay_instrument *ins, const char *name, int value);

/*
 * Sets `name` by a command that answers STATUS within `ms`, then asks for it.  -EPROTO when the
 * value read back is further from `value` than `tolerance`.
 */
int rga_adjust(struct assay_instrument *ins, const char *name, double value, double tolerance,
	int ms, double *read_back);

/*
 * Ends whatever is going on (half a command, a scan, degassing), waits for silence, and asks ID?
 * until the head answers; `line` gets that answer.  Runs no half command: what was begun is made
 * too long, and thrown away by the head.
 */
int rga_resync(struct assay_instrument *ins, char *line);

/* ER?, and the error bytes behind its bits; hardware faults are asked for twice. */
int rga_read_status(struct assay_instrument *ins, struct rga_status *status);

/* Clears what earlier commands left behind as communication error: by EC?, else by IN0. */
int rga_clear_errors(struct assay_instrument *ins);

/* After lost bytes: clears the head's buffers with IN0 until it answers. */
int rga_recover(struct assay_instrument *ins);

#endif
