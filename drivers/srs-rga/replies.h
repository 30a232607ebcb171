/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head's text replies as stored with a scan: one line "<command> <reply>" each, e.g.
 * "MI? 10\nMF? 50\nSA? 10\nAP? 401\nTP1\nER? 0\n".  Written by start and acquire, read by decode,
 * which needs nothing else except the scan's bytes.
 */
#ifndef ASSAY_SRS_RGA_REPLIES_H
#define ASSAY_SRS_RGA_REPLIES_H

#include <stdbool.h>
#include <stddef.h>

#define RGA_REPLIES_MAX 2560 /* MR with 300 masses, and some 25 short lines */

struct rga_replies {
	char text[RGA_REPLIES_MAX];
	size_t len;
	bool full; /* a line did not fit */
};

/* Drops the text from `len` on. */
void rga_replies_cut(struct rga_replies *replies, size_t len);

/* Appends one line; `reply` may be NULL. */
void rga_replies_add(struct rga_replies *replies, const char *command, const char *reply);

/*
 * Finds the reply to `command` in text[0 ... len): its first byte, its length in *size, or NULL.
 * If there are several the last one counts.
 */
const char *rga_replies_find(const char *text, size_t len, const char *command, size_t *size);

#endif
