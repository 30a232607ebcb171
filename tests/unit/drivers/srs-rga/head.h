/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RGA head as the test wants it: answers what the driver writes, from a table of values that
 * the test may set, and counts the commands.  For tests of the driver only.
 */
#ifndef ASSAY_TESTS_DRIVERS_HEAD_H
#define ASSAY_TESTS_DRIVERS_HEAD_H

#include "host.h"

struct head_value {
	char name[3];
	double value;
	bool refuses; /* keeps its value, sets EC to 2 */
};

struct head {
	const char *id;
	struct head_value values[32];
	size_t count;
	const char *line_end;      /* "\n\r" */
	bool ec_stays;             /* reading EC does not clear it; IN0 does */
	bool nf_echoes;            /* STATUS after NF, as some pages of the manual say */
	size_t lost, extra;        /* bytes missing from, or behind, each scan */
	unsigned unanswered;       /* so many queries stay without a reply */
	bool mute;                 /* no scan is answered */
	int32_t (*word)(size_t i); /* of a scan or MR */
	char partial[160];         /* a command whose CR has not come */
	size_t partial_len;
	char heard[4096]; /* all commands, each followed by a blank */
};

/* Puts the head on the host's link. */
void head_init(struct head *head, struct host *h);

/* The value behind a two-letter name; made when it is new. */
struct head_value *head_value(struct head *head, const char *name);

#endif
