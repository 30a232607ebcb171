/* SPDX-License-Identifier: Apache-2.0 */
/* Small profiles with every column, for the fuzz targets of the driver. */
#ifndef ASSAY_TESTS_TEXT_MAP_SAMPLE_H
#define ASSAY_TESTS_TEXT_MAP_SAMPLE_H

#include "host.h"

/* A host with one of them, by the two low bits: polled, with checksum and lines, arrays, unsolicited. */
struct host *sample_create(const struct assay_driver *driver, uint8_t bits);

#endif
