/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open run of an instrument: run-start, frames n = 0 ... N-1, run-end, all on one topic.
 */
#ifndef ASSAY_CORE_RUNS_RUN_H
#define ASSAY_CORE_RUNS_RUN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/list.h"
#include "config/config.h"
#include "core/commit/audit.h"
#include "record/check.h"
#include "record/record.h"
#include "wire/wire.h"

struct ledger;
struct ledger_topic;
struct commit_item;
struct run;
struct runs;
struct timekeeper;

#define RUN_TEXT_MAX   AUDIT_TEXT_MAX /* bytes of a sample id, an operator, a note */
#define RUN_NUMBER_MAX 96             /* <node>/<instrument>/<yyyymmdd>-<nnn> */

/* The instrument's identity, read by its worker or declared by the configuration. */
struct run_identity {
	char make[64], model[64], serial[64], fw[64];
	bool declared;
	bool mismatch; /* another unit than configured, to be flagged */
};

/* The settings of a run's steps, each complete; one step without a method. */
struct run_steps {
	struct buffer *settings; /* CBOR maps; owned */
	struct buffer *holds;    /* the values for which each one's calibration holds; owned */
	size_t count;
	struct buffer changed; /* CBOR map of those that differ from the configuration; owned */
};

/* The run that a request started, as its answer has it. */
struct run_label {
	char number[RUN_NUMBER_MAX + 1];
	uint8_t id[16];
};

/* Parameters of a run to be started. */
struct run_request {
	char sample[RUN_TEXT_MAX + 1];      /* "" none */
	char operator[RUN_TEXT_MAX + 1];    /* "" none */
	char note[RUN_TEXT_MAX + 1];        /* "" none */
	enum entry_way entered;             /* how the sample id was entered; 0: not known */
	char reported[RUN_TEXT_MAX + 1];    /* by the instrument, if it differs; escaped */
	const struct config_method *method; /* NULL: the instrument's own settings */
	struct buffer refs;                 /* CBOR array of run-ref; empty: none.  Owned */
	struct buffer references;           /* CBOR array of raw blocks, for decode().  Owned */
	struct buffer settings; /* CBOR map over the instrument's, below the method's.  Owned */
	struct run_steps steps; /* the resulting settings; set by request_check().  Owned */
	enum config_mode mode;
	struct audit_actor actor;

	/*
	 * Called once: when the run-start is committed (r 0), or with a negative errno and the
	 * reason if none will be.  May be NULL.
	 */
	void (*answer)(void *arg, int r, const char *text, const struct run_label *run);
	void *arg;
};

void run_request_finish(struct run_request *request);

/* Calls the answer, if one is waited for, with a failure, and finishes the request. */
void run_request_fail(struct run_request *request, int r, const char *text);

/* Shared by all runs: where they are written, listed and numbered.  All borrowed. */
struct run_store {
	struct ledger *ledger;
	struct runs *rows;
	const struct timekeeper *clock;
	char path[PATH_MAX]; /* of the journal: outlives the configuration that names it */
	const char *sync;    /* the journal's mode in words: "always", "1s" */
	struct list waiting; /* answers for run-starts under way */
};

void run_store_init(struct run_store *store);
void run_store_finish(struct run_store *store);

/* The instrument of a run.  `instrument` and `topic` are borrowed for the life of the run. */
struct run_subject {
	const struct config *config;
	const struct config_instrument *instrument;
	const struct run_identity *identity;
	struct ledger_topic *topic;
	struct assay_span settings; /* as sent or read back when it was configured */
};

/* Its identity as in records; borrows from both. */
struct inst_id run_inst(
	const struct run_identity *identity, const struct config_instrument *instrument);

/*
 * Starts a run: writes the run-start with the request (which is taken) and the time and settings at
 * which acquisition started.  0 with the run in *out, or -ENOMEM with the request left as it was.
 */
int run_begin(struct run **out, struct run_store *store, const struct run_subject *subject,
	struct run_request *request, const struct wire_started *started);

/*
 * Checks and writes one frame; `done` is called with `arg` and `size` as tag once it is committed.
 * 0; -EBADMSG if the worker's part does not pass the check, with the finding in `error`; -ENOMEM.
 */
int run_frame(struct run *run, const struct wire_frame *frame, size_t size,
	void (*done)(void *arg, const struct commit_item *item), void *arg,
	struct schema_error *error);

/* The instrument reports this sample id for a further step: its frames are flagged if it differs. */
void run_compare_sample(struct run *run, struct assay_string reported);

/* No further step starts.  The run-end names the actor, NULL: the core. */
void run_asked_to_end(struct run *run, bool abort, const struct audit_actor *actor);

/* The reason in the run-end if run_finish() gives none.  A literal. */
void run_end_reason(struct run *run, const char *why);

/* Writes the run-end and frees the run.  `why` may be NULL.  Returns the bytes of its frames. */
uint64_t run_finish(struct run *run, enum run_status status, const char *why);

/*
 * Ends the run as complete and starts the next with the same request and settings; *run is NULL
 * if that fails.  0 or -ENOMEM.
 */
int run_renew(struct run **run, const struct run_subject *subject);

/* True if steps of the method have not started. */
bool run_lacks_steps(const struct run *run);

/* True if an abort was requested. */
bool run_is_aborted(const struct run *run);

/* Moves on to the next step of the method.  False: there is none left, or the run is to end. */
bool run_next_step(struct run *run);

/* The present step, from 0, and its method; NULL: a run without a method. */
const struct config_method *run_method(const struct run *run, size_t *step);

/* Borrowed. */
const struct run_request *run_request(const struct run *run);
const struct config_instrument *run_config(const struct run *run);
const struct run_label *run_label(const struct run *run);

/* Frees a run whose end cannot be written any more; the next start finds it open. */
void run_forget(struct run *run);

uint64_t run_first(const struct run *run); /* seq of its run-start */
uint64_t run_started(const struct run *run);

#endif
