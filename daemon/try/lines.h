/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output in the order of time: the dialogue of the link arrives later than the messages that it
 * led to, so each text waits for a moment, and then those that belong before it are there.
 */
#ifndef ASSAY_TRY_LINES_H
#define ASSAY_TRY_LINES_H

#include <stdint.h>

#define LINES_WAIT_NS (200 * UINT64_C(1000000))

struct text_line;

/* Zero, with the start. */
struct lines {
	struct text_line *first; /* by time */
	uint64_t start;          /* clock_boot(): printed times count from it */
};

/* Takes the text, which malloc() made and whose lines end with '\n'; NULL is dropped. */
void lines_add(struct lines *lines, uint64_t time, char *text);

/* Prints the texts before `until`; UINT64_MAX: all. */
void lines_print(struct lines *lines, uint64_t until);

#endif
