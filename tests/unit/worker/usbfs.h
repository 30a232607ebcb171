/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB instrument that umockdev plays at the level of usbfs: 10c4:842a with one bulk endpoint each
 * way.  There is one at a time.  Call it from one thread; umockdev has its own.  Every error fails
 * the test.
 */
#ifndef ASSAY_TESTS_WORKER_USBFS_H
#define ASSAY_TESTS_WORKER_USBFS_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/port.h"

#define USBFS_IN          0x81
#define USBFS_OUT         0x02
#define USBFS_MESSAGE_MAX 65536

/*
 * Plugs it in, and fills `port` with where it is.  Processes that are started afterwards find it
 * there too.  usbfs_drop() removes it and what is under way.
 */
void usbfs_make(struct port *port);
void usbfs_drop(void);

/* It sends one transfer (copied), which the host gets with its next request. */
void usbfs_say(const void *data, size_t len);

/* The oldest transfer that it received, whole: its bytes, 0 when there is none. */
size_t usbfs_hear(void *to, size_t size);

/* It takes no transfer while `on`. */
void usbfs_refuse(bool on);

/* It is unplugged: all that waits fails, and all that comes. */
void usbfs_leave(void);

#endif
