/* SPDX-License-Identifier: Apache-2.0 */
/* A small map with every column of a map, for the fuzz targets of the driver. */
#ifndef ASSAY_TESTS_DRIVERS_SAMPLE_H
#define ASSAY_TESTS_DRIVERS_SAMPLE_H

#include "host.h"

/* A host with that map; `bits` choose options, word order and offset. */
struct host *sample_create(const struct assay_driver *driver, uint8_t bits);

#endif
