/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruments of the test: for each driver a double, and settings with values that may be
 * requested.  Written from the instruments' protocols.
 */
#ifndef ASSAY_TESTS_SEQUENCES_KINDS_H
#define ASSAY_TESTS_SEQUENCES_KINDS_H

#include "host.h"

#define KNOBS 8

/* Where a value comes from, in the order of precedence; each source has values of its own. */
enum source { IN_FILE, BY_SET, BY_REQUEST, BY_METHOD, BY_STEP, SOURCES };

struct knob {
	const char *name; /* NULL: the end */
	/* In YAML, and as the instrument then has it. */
	struct {
		const char *text, *shown;
	} values[SOURCES];
	const char *command; /* of the instrument; NULL: it is the driver's own */
	const char *none;    /* the instrument has this if it is not requested; NULL: as found */
	const char *rest;    /* and this between runs; NULL: as in runs */
	const char *hand[2]; /* people turn it to these at the instrument; NULL: they do not */
	bool in_file;        /* always */
	bool is_whole;       /* its own values lie over all others of the instrument */
};

struct kind {
	const char *driver;
	enum assay_link link;
	const char *link_text, *settings; /* YAML; `settings`: further ones, in each file */
	struct knob knobs[KNOBS + 1];
	/* Makes the double the device of the line. */
	void (*attach)(struct host *line);
	/* Reads a value; sets one by hand. */
	void (*show)(const char *command, char text[32]);
	void (*turn)(const char *command, const char *shown);
	/* Time has passed.  May be NULL. */
	void (*tick)(struct host *line);
	bool ends; /* a run ends by itself */
};

extern const struct kind kinds[];
extern const size_t kind_count;

#endif
