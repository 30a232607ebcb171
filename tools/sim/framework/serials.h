/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial numbers that belong to simulators.  No instrument we know of carries them, and the
 * daemon refuses one on an instrument that is not marked `simulated: true`.  The same list is in
 * config/reserved-serials.csv, which the daemon reads; a test compares the two.
 */
#ifndef ASSAY_SIM_SERIALS_H
#define ASSAY_SIM_SERIALS_H

#include <stdint.h>

/* driver, first, last; both ends belong to the range. */
#define SIM_SERIALS(X)                    \
	X("amptek-dp5", 9990001, 9990099) \
	X("srs-rga", 9990100, 9990199)

struct sim_serials {
	const char *driver;
	uint32_t first, last;
};

/* The table; ends with a NULL driver. */
extern const struct sim_serials sim_serials[];

/* Whether `serial` is reserved for simulators of that driver. */
int serial_is_reserved(const char *driver, uint32_t serial);

#endif
