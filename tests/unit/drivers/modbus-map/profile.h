/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the `settings:` of a profile under config/profiles/ into a scripted host. */
#ifndef ASSAY_TESTS_DRIVERS_PROFILE_H
#define ASSAY_TESTS_DRIVERS_PROFILE_H

#include "host.h"

/* Aborts, with a message, on a file that is not there or says what the driver does not know. */
void profile_load(struct host *h, const char *path);

#endif
