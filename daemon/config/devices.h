/* SPDX-License-Identifier: Apache-2.0 */
/* The serial ports that are plugged in now, for messages about one that is not there. */
#ifndef ASSAY_CONFIG_DEVICES_H
#define ASSAY_CONFIG_DEVICES_H

#include "base/arena.h"

/*
 * "; now there are /dev/serial/by-id/a, ...", with /dev/ttyUSB0 and so on if there is no by-id name,
 * or "; no serial adapter is plugged in now".  In the arena.
 */
const char *devices_text(struct arena *arena);

#endif
