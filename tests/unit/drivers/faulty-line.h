/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver and a simulator, with the worker's own filter of faults between them, in virtual time: a
 * seed decides which pieces are spoiled, and a session of minutes takes milliseconds.
 */
#ifndef ASSAY_TESTS_DRIVERS_FAULTY_LINE_H
#define ASSAY_TESTS_DRIVERS_FAULTY_LINE_H

#include <stdio.h>

#include "framework/sim.h"
#include "host.h"
#include "worker/filter.h"

struct faulty_piece;

struct faulty_line {
	struct host *h;
	struct sim_model *model;
	struct sim_random random;
	struct filter filter;
	struct faulty_piece *pieces; /* on their way, the earliest first */
	uint64_t now;                /* ns, of the event that is handled */
	FILE *truth;
	char *log; /* the truth so far */
	size_t log_len;
	unsigned frames; /* of faulty_line_run() */
};

/* The table of a driver's module, which stays loaded. */
const struct assay_driver *faulty_line_driver(const char *module);

/* Puts the model on the host's link.  `options`: name, value, ..., NULL; `faults` as of assayctl. */
void faulty_line_start(struct faulty_line *line, struct host *h, const struct sim_model_ops *ops,
	const char *const *options, const char *faults);

void faulty_line_stop(struct faulty_line *line);

/*
 * Plays the worker: identify to stop, up to `frames` of them, each slot up to three times, and
 * make_safe after a failure while a hazard is on.  `check` gets each frame, decoded.  Returns the last
 * result of acquire, or the error that ended the session.
 */
int faulty_line_run(
	struct faulty_line *line, unsigned frames, void (*check)(struct faulty_line *line));

/* The truth log so far, lines of JSON. */
const char *faulty_line_truth(struct faulty_line *line);

/* Sends a request to the model, past the filter; the reply goes to `reply`, ended by NUL. */
void faulty_line_ask(struct faulty_line *line, const char *request, char *reply, size_t size);

#endif
