/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that a person must know of: each lasts for a time, is reported once when it has lasted
 * long enough, again after `remind`, and once when it has ended.
 *
 *	CLEAR --bad--> WAITING --due--> RAISED --good--> ENDING --due--> CLEAR
 *	          <--good--   (alert)      <--bad--   (end)
 *
 * While nothing is known of a condition, because the daemon does not answer, it stays as it is, and
 * its time does not run out.
 */
#ifndef ASSAY_ALERT_CONDITION_H
#define ASSAY_ALERT_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alert_options;
struct look;
struct outbox;

enum condition_kind {
	CONDITION_SILENT, /* the daemon does not answer */
	CONDITION_JOURNAL,
	CONDITION_DISK,
	CONDITION_CONFIG, /* the last good configuration is in use */
	CONDITION_CLOCK,
	CONDITION_FAULT,
	CONDITION_CALIBRATION_ENDS,
	CONDITION_CALIBRATION_ENDED,
	CONDITION_KINDS,
};

/* The word for messages and the state file; the remedy. */
const char *condition_name(enum condition_kind kind);
const char *condition_remedy(enum condition_kind kind);
/* -1: there is none of this name. */
int condition_find(const char *name);

enum condition_state {
	CONDITION_CLEAR,
	CONDITION_WAITING,
	CONDITION_RAISED,
	CONDITION_ENDING,
	CONDITION_STATES,
};

enum condition_event {
	CONDITION_IS_BAD,
	CONDITION_IS_GOOD,
	CONDITION_IS_UNKNOWN,
	CONDITION_IS_DUE, /* its time is over */
	CONDITION_EVENTS,
};

enum condition_act {
	CONDITION_NOTHING,
	CONDITION_HOLD,   /* wait as long as its kind has to last */
	CONDITION_SETTLE, /* wait until it has surely ended */
	CONDITION_REST,   /* wait for the next reminder */
	CONDITION_ALERT,
	CONDITION_REMIND,
	CONDITION_END,
};

struct condition_cell {
	enum condition_state next;
	enum condition_act act;
};

struct condition_cell condition_step(enum condition_state state, enum condition_event event);

struct condition {
	enum condition_kind kind;
	char subject[80]; /* "xrf-1"; "" of the daemon */
	char text[400];
	enum condition_state state;
	uint64_t due;   /* CLOCK_BOOTTIME; 0: never */
	uint64_t since; /* UTC */
};

#define CONDITIONS_MAX 1024

struct conditions {
	struct condition *items; /* those that are not clear */
	size_t count, size;
};

/*
 * Takes a look at `now` (CLOCK_BOOTTIME), and puts notes into the outbox.  The outbox has room for
 * two notes for each condition.
 */
void conditions_take(struct conditions *all, const struct look *look,
	const struct alert_options *options, uint64_t now, struct outbox *outbox);

/* Adds one as it was stored; false: without memory. */
bool conditions_add(struct conditions *all, const struct condition *condition);
void conditions_finish(struct conditions *all);

#endif
