/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of a link: what a filter between the link and the driver does to the bytes of a simulated
 * instrument, in both directions.  One text for the configuration, assayctl and the messages to the worker:
 *
 *	delay=200ms drop=0.01 corrupt=0.02 truncate=0.01 rate=960 seed=7 log=20
 */
#ifndef ASSAY_WIRE_FAULTS_H
#define ASSAY_WIRE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#define FAULTS_MILLION  1000000
#define FAULTS_WHY      160
#define FAULTS_TEXT_MAX 160 /* of a request, with its end */

/* All zero: none. */
struct faults {
	unsigned delay_ms;
	unsigned drop, corrupt, truncate; /* of a million pieces */
	unsigned rate;                    /* bytes per second; 0: as they come */
	unsigned seed;                    /* of the random numbers */
	unsigned log; /* lines of the log per second at most: what passes; 0: none */
};

/* Reads a text; "off" and "" are none.  0, or -EINVAL with `why`. */
int faults_read(struct faults *faults, const char *text, char why[FAULTS_WHY]);

bool faults_are_any(const struct faults *faults);

#endif
