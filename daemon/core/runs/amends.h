/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Corrections of runs: `amend` records with the new and the former value, the actor and the reason.
 * The run's own records stay as they are.
 */
#ifndef ASSAY_CORE_RUNS_AMENDS_H
#define ASSAY_CORE_RUNS_AMENDS_H

#include "core/runs/past-run.h"

struct amends;
struct commit_item;
struct run_store;

enum amend_key {
	AMEND_SAMPLE = 1 << 0,
	AMEND_OPERATOR = 1 << 1,
	AMEND_NOTE = 1 << 2,
	AMEND_VALID = 1 << 3,
};

/* The values of one or all amends of a run; later ones replace earlier ones. */
struct amended {
	uint8_t run[16];
	size_t count;  /* amends */
	unsigned keys; /* enum amend_key: which of these are set */
	char sample[RUN_TEXT_MAX + 1], operator[RUN_TEXT_MAX + 1], note[RUN_TEXT_MAX + 1];
	bool valid;
	/* of the last one */
	char reason[RUN_TEXT_MAX + 1], actor[RUN_TEXT_MAX + 1];
	uint64_t when;
	uint64_t seq; /* in the current journal; 0: in a former one */
};

/*
 * The amends of runs as far as they were looked up.  `store` is borrowed.  Owned; NULL: no memory.
 * Everything here belongs to the main thread.
 */
struct amends *amends_create(struct run_store *store);
void amends_destroy(struct amends *amends);

/*
 * The sum of this run's committed amends; borrowed until the next call here; NULL: there are none,
 * or, after an error in the log, none that can be read.
 */
const struct amended *amends_of(struct amends *amends, const uint8_t run[16]);

/*
 * The run's present sample, operator and note: those of its run-start unless amended; "" if there
 * is none.
 */
const char *amends_sample(const struct runs_row *row, const struct amended *now);
const char *amends_operator(const struct runs_row *row, const struct amended *now);
const char *amends_note(const struct past_run *past, const struct amended *now);

/*
 * Writes an amend of the run with the values and reason of `change`, by `actor`.  `done` is called
 * with `arg` once it is committed.  0; -EALREADY: nothing to change; -ENOMEM or -EBADMSG, with
 * nothing written.
 */
int amends_put(struct amends *amends, const struct past_run *past, const struct amended *change,
	const struct audit_actor *actor, void (*done)(void *arg, const struct commit_item *item),
	void *arg);

#endif
