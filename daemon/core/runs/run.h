/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open run of an instrument: run-start, frames n = 0 ... N-1, run-end, all on one topic.
 */
#ifndef ASSAY_CORE_RUNS_RUN_H
#define ASSAY_CORE_RUNS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "config/config.h"
#include "core/commit/audit.h"
#include "record/check.h"
#include "record/record.h"
#include "wire/wire.h"

struct instrument;
struct run;

#define RUN_TEXT_MAX   AUDIT_TEXT_MAX /* bytes of a sample id, an operator, a note */
#define RUN_NUMBER_MAX 96             /* <node>/<instrument>/<yyyymmdd>-<nnn> */

/* Who the instrument is, as its worker read it or the configuration declares it. */
struct run_identity {
	char make[64], model[64], serial[64], fw[64];
	bool declared;
	bool mismatch; /* another unit than configured, to be flagged */
};

/* What is asked for when a run is started. */
struct run_request {
	char sample[RUN_TEXT_MAX + 1];      /* "" none */
	char operator[RUN_TEXT_MAX + 1];    /* "" none */
	char note[RUN_TEXT_MAX + 1];        /* "" none */
	enum entry_way entered;             /* how the sample id was entered; 0: not said */
	const struct config_method *method; /* NULL: the instrument's own settings */
	struct buffer refs;                 /* CBOR array of run-ref; empty: none.  Owned */
	struct buffer settings; /* CBOR map over the instrument's, beneath the method's.  Owned */
	enum config_mode mode;
	struct audit_actor actor;

	/*
	 * Called once when the run-start is committed (r 0, with its number), or with a negative
	 * errno and the reason when it does not come to that.  NULL: nobody waits.
	 */
	void (*answer)(void *arg, int r, const char *text, const struct run *run);
	void *arg;
};

void run_request_finish(struct run_request *request);

/* Are these bytes a CBOR array of run-ref?  0 or -EBADMSG. */
int run_refs_check(const struct buffer *refs);

/*
 * Begins a run: makes the run-start from the instrument, the request (its circumstances are taken)
 * and the moment and settings at which acquisition began.  0 with the run in instrument->run, or
 * -ENOMEM.
 */
int run_begin(struct instrument *instrument, struct run_request *request,
	const struct wire_started *started);

/*
 * Checks and writes one frame; `size` bytes of the worker's credit go back once it is committed.
 * 0; -EBADMSG when the worker's part does not pass the check, with the finding in `error`; -ENOMEM.
 */
int run_frame(
	struct run *run, const struct wire_frame *frame, size_t size, struct schema_error *error);

/* Remembers who asked for the end; his name goes into the run-end. */
void run_asked_to_end(struct run *run, const struct audit_actor *actor);

/* Gives the run-end a reason, where nothing better is known then.  A literal. */
void run_end_reason(struct run *run, const char *why);

/* Writes the run-end, and frees the run.  `why` may be NULL. */
void run_finish(struct run *run, enum run_status status, const char *why);

/* Ends this run as complete and begins the next in the same circumstances. */
int run_renew(struct run *run);

/* Takes the next step of the method.  NULL: there is none left. */
const struct config_step *run_next_step(struct run *run);

/* The step under way, from 0, and its method; NULL: a run without a method. */
const struct config_method *run_method(const struct run *run, size_t *step);

/* What it was asked for with; borrowed. */
const struct run_request *run_circumstances(const struct run *run);

/* Frees a run whose end cannot be written any more; it will be found open at the next start. */
void run_forget(struct run *run);

const char *run_number(const struct run *run);
const uint8_t *run_id(const struct run *run);
uint64_t run_first(const struct run *run); /* seq of its run-start */
uint64_t run_frames(const struct run *run);
uint64_t run_started(const struct run *run);
enum config_mode run_mode(const struct run *run);
const char *run_sample(const struct run *run);
const char *run_operator(const struct run *run);

#endif
