/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An RGA head for tests of the driver: replies to the driver's commands from a table of values that
 * the test can set, and counts the commands.
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
	bool nf_echoes;            /* STATUS after NF, as on some pages of the manual */
	size_t lost, extra;        /* bytes missing from, or added to, each scan */
	unsigned unanswered;       /* queries that get no reply */
	bool mute;                 /* no scan is answered */
	int32_t (*word)(size_t i); /* of a scan or MR */
	char partial[160];         /* a command without its CR */
	size_t partial_len;
	char heard[4096]; /* all commands, each followed by a blank */
};

/* Puts the head on the host's link. */
void head_init(struct head *head, struct host *h);

/* The value of a two-letter name; made if it is new. */
struct head_value *head_value(struct head *head, const char *name);

#endif
