/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run numbers in a second state folder, so that none is given twice when another journal is in use than
 * before: its disk may be back tomorrow.  Numbers of a day are reserved in blocks, for all instruments
 * at once; a journal that follows another one begins after all that was reserved.
 *
 * The file <folder>/numbers: the journal's id, then a line with day, floor and end of the last block
 * for each day.  The main thread gives numbers, the commit thread writes the file before a group with
 * such a number is published.
 */
#ifndef ASSAY_CORE_RUNS_NUMBERS_H
#define ASSAY_CORE_RUNS_NUMBERS_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "journal/id.h"

#define NUMBERS_DAYS  64 /* the latest */
#define NUMBERS_BLOCK 100

struct numbers_day {
	unsigned day;   /* yyyymmdd */
	unsigned floor; /* not to be given: up to here */
	unsigned upto;  /* reserved up to here */
};

struct numbers {
	char folder[PATH_MAX]; /* "": none, nothing is reserved */
	uint8_t journal[JOURNAL_ID_SIZE];
	pthread_mutex_t lock;
	struct numbers_day days[NUMBERS_DAYS]; /* by day */
	size_t count;
	bool is_open, is_changed;
};

/* Reads the file; `journal` is in use from now on.  A damaged file counts as none, and is logged. */
void numbers_open(
	struct numbers *numbers, const char *folder, const uint8_t journal[JOURNAL_ID_SIZE]);
void numbers_close(struct numbers *numbers);

/* The number to give when `next` is the first that is free in the journals.  Reserves it. */
unsigned numbers_give(struct numbers *numbers, unsigned day, unsigned next);

/* Writes what was reserved, durably.  Commit thread. */
void numbers_sync(struct numbers *numbers);

#endif
