/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and their replies: one line each, without a number.  A reply that was lost or came late
 * shifts all that follow; the identity, which no other command replies, shows that.
 *
 * All functions return 0 or a negative errno of <assay/driver.h>, explained.
 */
#ifndef ASSAY_HIDEN_RGA_SESSION_H
#define ASSAY_HIDEN_RGA_SESSION_H

#include <assay/driver.h>

#include "status.h"
#include "stream.h"

#define HIDEN_LINE_MAX 4096 /* 100 points of 32 characters */
#define HIDEN_NAME_MAX 64

/* The driver's state. */
struct hiden {
	char name[HIDEN_NAME_MAX]; /* the reply to "pget name", as it was identified */
	bool owes_reply;           /* the last exchange was cut off */
	bool is_after_cr;          /* a LF that comes next belongs to it */
	bool is_busy;              /* a job runs or was abandoned */
	bool is_lit;               /* filament or multiplier, by us */
	int row_mode;              /* operating mode of the scan's rows */
	uint64_t done;             /* frames of this measurement */
	size_t at, have;           /* of `in` */
	char in[512];
	size_t status_len, len;
	char status[HIDEN_STATUS_MAX]; /* see status.h */
	char text[HIDEN_TEXT_MAX];     /* see stream.h */
	char line[HIDEN_LINE_MAX];     /* the last reply */
};

/* Whether the slot must return this error at once. */
bool hiden_is_final(int r);

/* Sends a command once, and reads its reply into the state's `line`, also an error. */
int hiden_exchange(struct assay_instrument *ins, const char *command);

/*
 * The same for one or several commands, joined by ';', that may be sent twice: once more after a
 * resync.  A reply with an error code is -EPROTO, explained.
 */
int hiden_command(struct assay_instrument *ins, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A command for a part that not every unit has: 0, or 1 if the unit refuses it. */
int hiden_attempt(struct assay_instrument *ins, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads a logical device: 0, or 1 if the unit does not have it. */
int hiden_get(struct assay_instrument *ins, const char *device, double *out);

/*
 * Spoils half a command, waits for silence, and reads the identity.  -ENODEV: another unit than the
 * one identified replies.
 */
int hiden_resync(struct assay_instrument *ins);

/* Waits, also after a request to stop; a byte that comes meanwhile is no reply. */
int hiden_wait(struct assay_instrument *ins, int ms);

/* The identity again: if it is not the reply, those before it belonged to other commands. */
int hiden_fence(struct assay_instrument *ins);

/* Sends without reading a reply: for a unit that is silent. */
int hiden_send_blind(struct assay_instrument *ins, const char *command);

#endif
