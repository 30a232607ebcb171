/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth log: one JSON line with the exact values of each delivered measurement, each change of
 * a fault switch, and each reply that was damaged on purpose.  Tests compare the daemon's records
 * with it.  Each line is `{"t":<instrument ns>,"event":"<event>",...}`.
 */
#ifndef ASSAY_SIM_TRUTH_H
#define ASSAY_SIM_TRUTH_H

#include <stdint.h>
#include <stdio.h>

/* Starts a line; add members with fprintf(out, ",\"name\":%d", ...).  `out` must not be NULL. */
void truth_start(FILE *out, uint64_t t, const char *event);

/* Ends the line and flushes it, so that a waiting reader gets a whole line. */
void truth_end(FILE *out);

#endif
