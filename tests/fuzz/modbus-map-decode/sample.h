/* SPDX-License-Identifier: Apache-2.0 */
/* A small map with all that a map can have, for both targets of the driver. */
#ifndef ASSAY_TESTS_FUZZ_MODBUS_SAMPLE_H
#define ASSAY_TESTS_FUZZ_MODBUS_SAMPLE_H

#include "host.h"

/* A host with that map; `bits` choose options, word order and offset. */
struct host *sample_create(const struct assay_driver *driver, uint8_t bits);

#endif
