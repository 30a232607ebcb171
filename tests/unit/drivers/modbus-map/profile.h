/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the `settings:` of a profile under config/profiles/ into a scripted host. */
#ifndef ASSAY_TESTS_DRIVERS_PROFILE_H
#define ASSAY_TESTS_DRIVERS_PROFILE_H

#include "host.h"

/* Aborts, with a message, if the file is missing or has a setting unknown to the driver. */
void profile_load(struct host *h, const char *path);

#endif
