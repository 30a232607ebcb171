/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual time for a whole simulation: events at times, and the daemon's threads as coroutines in
 * one real thread.  A thread runs until it blocks; of those that can run, dice choose the next.
 * When none can run, time goes to the next event.  All dice come from one seed.
 */
#ifndef ASSAY_TESTS_SIM_SCHEDULE_H
#define ASSAY_TESTS_SIM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define NEVER UINT64_MAX
#define US    UINT64_C(1000)
#define MS    UINT64_C(1000000)
#define S     UINT64_C(1000000000)
#define HOUR  (3600 * S)

void schedule_start(uint64_t seed);
void schedule_finish(void);

/* --- dice --- */

uint64_t dice64(void);
uint64_t dice(uint64_t bound);    /* 0 ... bound - 1 */
bool dice_one_in(uint64_t count); /* true once in so many; 0: never */
uint64_t dice_between(uint64_t low, uint64_t high);

/* A time between `low` and `high` of which each order of magnitude is as likely. */
uint64_t dice_time(uint64_t low, uint64_t high);

/* --- time --- */

/* Time since the simulation began, which never jumps; CLOCK_REALTIME. */
uint64_t now_boot(void);
uint64_t now_utc(void);

/* CLOCK_REALTIME is set. */
void clock_step(int64_t ns);

/* Runs `fn` at that time, outside of the daemon; the number is for event_cancel(). */
uint64_t event_at(uint64_t when, void (*fn)(void *arg), void *arg);
uint64_t event_in(uint64_t delay, void (*fn)(void *arg), void *arg);
void event_cancel(uint64_t number); /* 0 and one that ran already are legal */

/* --- threads of the daemon --- */

struct thread;

/* Makes a thread that can run.  NULL: too many. */
struct thread *thread_create(void *(*fn)(void *arg), void *arg);
bool thread_has_ended(const struct thread *thread);
void thread_free(struct thread *thread); /* of one that has ended */

/* The thread that runs; NULL: the world outside does. */
struct thread *thread_self(void);

/* Blocks until thread_wake(on) or the time `until`.  False: the time came. */
bool thread_block(const void *on, uint64_t until);
void thread_wake(const void *on, bool all);

/* Lets other threads run first, once in `count` times. */
void thread_yield(uint64_t count);

/* Drops all threads where they are; called by one of them it does not return. */
void threads_kill(void (*after)(void *arg), void *arg);

/*
 * Runs until schedule_stop() or that time.  Returns NULL, or the fault: everything waits for
 * nothing, or something runs without end.
 */
const char *schedule_run(uint64_t until);
void schedule_stop(void);

/* How often a thread ran, and how many events there were, for statistics. */
uint64_t schedule_turns(void);

#endif
