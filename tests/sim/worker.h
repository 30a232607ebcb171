/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the simulated workers: the process (worker.c) and its units (unit.c). */
#ifndef ASSAY_TESTS_SIM_WORKER_H
#define ASSAY_TESTS_SIM_WORKER_H

#include "wire/wire.h"
#include "worker/unit-machine.h"
#include "world.h"

#define WORKER_UNITS_MAX 8

struct worker;

/* A unit follows the worker's own table; its driver's slots take time and succeed or fail by dice. */
struct sim_unit {
	struct worker *worker;
	unsigned number;
	char key[16];
	struct unit_state state;
	uint32_t pending, after_start; /* bits of enum unit_event: commands not taken yet */
	struct wire_start start;       /* the last one taken */
	struct wire_start next_start;  /* pending */
	uint8_t step[64];              /* of START, for its frames */
	size_t step_len;
	uint64_t due, due_event;
	uint64_t hazard_at; /* when the hazard was sent */
	uint64_t frames;    /* of the run */
	const char *why;    /* of the first failure */
	struct measurement *measurement;
};

struct worker {
	pid_t pid; /* 0: free */
	struct stream *stream;
	struct buffer in, out;
	struct sim_unit units[WORKER_UNITS_MAX];
	size_t unit_count, next;  /* of whom it is the turn */
	struct sim_unit *running; /* whose slot runs; NULL: none */
	uint64_t slot_event;
	uint64_t credit, first_credit;
	uint64_t open_event, beat_event, end_event, stir_event, progress;
	bool is_mute; /* it sends nothing any more */
	bool is_hung; /* and does nothing */
	bool is_leaving, got_quit, ignores_quit;
	bool sent_garbage; /* which the core may believe */
	int exit_code, exit_signal;
};

/* --- worker.c --- */

/* Sends a message, which is emptied. */
void worker_send(struct worker *w, struct buffer *message);

/* A fault that is `rarely` times as rare as others. */
bool worker_fault(uint64_t rarely);

/* The unit of this instrument, of the worker that stays if there are two; NULL: none. */
const struct sim_unit *worker_unit(const char *key);

/* All units are over: the process ends. */
void worker_over(struct worker *w);

struct measurement *measurement_create(const char *key);

/* A worker left something on at this instrument, which the next GO must announce. */
void set_unsafe(const char *key, bool on);
bool is_unsafe(const char *key);

/* --- unit.c --- */

/* Takes a message of the core for the unit. */
void unit_message(struct sim_unit *u, const struct wire_message *m);

/* QUIT, or the port was lost: for all units. */
void units_leave(struct worker *w, bool lost);

/* Lets the units do their due work. */
void units_turn(struct worker *w);

#endif
