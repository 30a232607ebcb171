/* SPDX-License-Identifier: Apache-2.0 */
/* The problems that a reply of `status` shows: each with its time and its remedy. */
#ifndef ASSAY_ASSAYCTL_VERDICT_H
#define ASSAY_ASSAYCTL_VERDICT_H

#include "print.h"

struct open_run {
	char number[128], sample[260], person[260];
	uint64_t start, frames;
};

struct shown_instrument {
	char key[40], state[20], driver[40], make[260], model[260], serial[260], fw[260];
	char code[40], text[260], values[260], interrupted[128], link[300], address[80];
	char lacking[80]; /* parts of the confinement that the kernel does not have */
	uint64_t frames, since, last_frame;
	bool simulated, hazard, changed;
	struct open_run run;
};

struct shown_retention {
	uint64_t not_archived, not_passed;
	char held_by[40];
};

struct shown_journal {
	char path[260], disk[20], error[260], why[120];
	uint64_t head, free;
	struct shown_retention retention;
};

struct shown_queue {
	uint64_t bytes;
	bool full;
};

struct shown_clock {
	uint64_t utc;
	char sync[8];
	bool unread; /* the daemon does not know how it is kept */
};

struct shown_calibration {
	char instrument[40], method[260], step[260], id[260];
	uint64_t until; /* 0: without end */
};

struct shown_daemon {
	char version[40], site[40], node[40], config_errors[400];
	uint64_t started;
	struct shown_journal journal;
	struct shown_queue live_queue;
	struct shown_clock clock;
};

/* The reply of `status`, and the items of its lists `instruments` and `calibrations`. */
extern const struct keys shown_daemon_keys, shown_instrument_keys, shown_calibration_keys;

struct verdict_item {
	bool is_problem; /* a person must act; else a note */
	char text[700];  /* the subject, its problem, since when */
	char remedy[300];
};

#define VERDICT_MAX 400
#define VERDICT_BAD 3 /* exit code: a person must act */

struct verdict {
	struct verdict_item *items; /* problems first, after verdict_sort() */
	size_t count, problems;
};

/* Each adds the problems of one part; `now` in ns since 1970. */
void verdict_daemon(struct verdict *to, const struct shown_daemon *daemon);
void verdict_calibration(struct verdict *to, const struct shown_calibration *one, uint64_t now);
void verdict_instrument(struct verdict *to, const struct shown_instrument *one, uint64_t now);

/* The item, without a remedy; NULL: no memory, or there are too many. */
struct verdict_item *verdict_add(struct verdict *to, bool is_problem, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void verdict_remedy(struct verdict_item *one, const char *format, ...) /* NULL: nothing */
	__attribute__((format(printf, 2, 3)));

void verdict_print(const struct verdict *verdict);
void verdict_sort(struct verdict *verdict);
void verdict_finish(struct verdict *verdict);

#endif
