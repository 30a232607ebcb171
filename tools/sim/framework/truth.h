/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of what was really true: one JSON line per delivered measurement with its exact
 * values, per fault switch, and per reply that was damaged on purpose.  A test compares what the
 * daemon recorded with it.  Each line is `{"t":<instrument ns>,"event":"<event>",...}`.
 */
#ifndef ASSAY_SIM_TRUTH_H
#define ASSAY_SIM_TRUTH_H

#include <stdint.h>
#include <stdio.h>

/* Starts a line; add members with fprintf(out, ",\"name\":%d", ...).  `out` must not be NULL. */
void truth_begin(FILE *out, uint64_t t, const char *event);

/* Ends the line and flushes it, so that a reader that waits for it gets it whole. */
void truth_end(FILE *out);

#endif
