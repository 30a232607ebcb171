/* SPDX-License-Identifier: Apache-2.0 */
/* A catalog like the real drivers', for tests of the configuration without any module. */
#ifndef ASSAY_TESTS_CONFIG_DRIVERS_H
#define ASSAY_TESTS_CONFIG_DRIVERS_H

#include "config/catalog.h"

extern const struct catalog test_catalog;

#endif
