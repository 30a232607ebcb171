/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial numbers that simulators carry (config/reserved-serials.csv).  One of them on an
 * instrument that is not marked `simulated: true` is refused, so that training never passes for
 * evidence.
 */
#ifndef ASSAY_CORE_SERIALS_H
#define ASSAY_CORE_SERIALS_H

#include <stdbool.h>

/* Is this, as a driver tells it, a simulator's serial number? */
bool serial_is_reserved(const char *driver, const char *serial);

#endif
