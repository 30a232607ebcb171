/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB instrument that umockdev plays at the level of usbfs: 10c4:842a.  Interface 0 has two bulk
 * endpoints each way and one of interrupts; interface 1 has another driver.  There is one at a time.  Call it from one thread; umockdev has its own.  Every error fails
 * the test.
 */
#ifndef ASSAY_TESTS_WORKER_USBFS_H
#define ASSAY_TESTS_WORKER_USBFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/port.h"

#define USBFS_IN          0x81
#define USBFS_OUT         0x02
#define USBFS_STREAM      0x83
#define USBFS_REPORT      0x84 /* interrupts */
#define USBFS_OUT_2       0x05
#define USBFS_MESSAGE_MAX 65536

/*
 * Plugs it in, and fills `port` with where it is.  Processes that are started afterwards find it
 * there too.  usbfs_drop() removes it and what is under way.
 */
void usbfs_make(struct port *port);
void usbfs_drop(void);

/*
 * It sends packets of 64 bytes and the rest (copied), when the host has room for them, at USBFS_IN or
 * at another address.
 */
void usbfs_say(const void *data, size_t len);
void usbfs_send(unsigned address, const void *data, size_t len);

/* It sends one packet now.  False: no transfer of the host waits for it, and it is lost. */
bool usbfs_send_packet(unsigned address, const void *data, size_t len);

/* The oldest transfer that it received, whole: its bytes, 0 when there is none. */
size_t usbfs_hear(void *to, size_t size);
size_t usbfs_hear_at(unsigned address, void *to, size_t size);

/* It halts the endpoint, until the host clears that. */
void usbfs_halt(unsigned address);

/* Answers control transfers: the bytes moved, or -EPIPE, as it does without one. */
typedef int usbfs_on_control(const uint8_t setup[8], uint8_t *data, size_t size);
void usbfs_set_control(usbfs_on_control *answer);

/* Whether the host may still take other interfaces and reset the device. */
bool usbfs_has_rights(void);

/* It takes no transfer while `on`. */
void usbfs_refuse(bool on);

/* It is unplugged: all that waits fails, and all that comes. */
void usbfs_leave(void);

#endif
