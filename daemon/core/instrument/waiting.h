/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start on demand that came while the instrument was being connected: it waits some seconds, and
 * is then requested like any other, or answered with the reason why the instrument is not ready.
 */
#ifndef ASSAY_CORE_INSTRUMENT_WAITING_H
#define ASSAY_CORE_INSTRUMENT_WAITING_H

#include "core/runs/run.h"

struct instrument;

struct waiting_start {
	bool is_set;
	struct run_request request;
	uint64_t deadline; /* clock_boot() */
};

/*
 * Takes a request that was refused because the instrument is not ready: true.  False: it is not
 * being connected, or the request has no answer.
 */
bool waiting_take(struct instrument *instrument, struct run_request *request);

/* Returns the request that waits, owned: true if there is one. */
bool waiting_release(struct instrument *instrument, struct run_request *request);

/* Answers a request that waited: it is not started.  Takes the parts that it owns. */
void waiting_answer(
	struct instrument *instrument, struct run_request *request, int error, const char *why);

/* The same for the request that waits: true if there is one. */
bool waiting_fail(struct instrument *instrument, int error, const char *why);

/* Once a second: the time of the start that waits may be over. */
void waiting_tick(struct instrument *instrument);

#endif
