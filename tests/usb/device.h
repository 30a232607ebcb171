/* SPDX-License-Identifier: Apache-2.0 */
/*
 * USB devices that umockdev plays at the level of usbfs: programs that are started under
 * umockdev-wrapper after usb_open() find them in sysfs and open their nodes.  Bytes move in packets,
 * at the endpoints of interface 0.  umockdev calls from a thread of its own; every error ends the
 * program, or fails the test.
 */
#ifndef ASSAY_TESTS_USB_DEVICE_H
#define ASSAY_TESTS_USB_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usb_device;

struct usb_plug {
	const uint8_t *descriptors; /* of the device and its configuration, copied */
	size_t len;
	const char *serial; /* NULL: none */
	unsigned port;      /* of the hub: it is 1-PORT in sysfs */
	void *context;
	/* Takes a transfer of the host; NULL: kept for usb_hear(). */
	void (*hear)(void *context, unsigned address, const uint8_t *data, size_t len);
	/* The host has taken a message of usb_send(); may be NULL. */
	void (*taken)(void *context, unsigned address);
	/* Answers a control transfer: the bytes moved, or -EPIPE.  NULL: refuses. */
	int (*control)(void *context, const uint8_t setup[8], uint8_t *data, size_t size);
};

/* An empty bus; processes that are started afterwards see it. */
void usb_open(void);
void usb_close(void);

/* Plugs a device in, with a number of its own; valid until usb_close(). */
struct usb_device *usb_plug(const struct usb_plug *plug);

/* Unplugs it: all that waits fails, and all that comes; it leaves sysfs. */
void usb_unplug(struct usb_device *device);

/* The same, but it stays in sysfs. */
void usb_leave(struct usb_device *device);

/* It sends packets and the rest (copied), when the host has room for them. */
void usb_send(struct usb_device *device, unsigned address, const void *data, size_t len);

/* It sends one packet now.  False: no transfer of the host waits for it, and it is lost. */
bool usb_send_packet(struct usb_device *device, unsigned address, const void *data, size_t len);

/* The oldest transfer that it received, whole: its bytes, 0 when there is none. */
size_t usb_hear(struct usb_device *device, unsigned address, void *to, size_t size);

/* It halts the endpoint, until the host clears that. */
void usb_halt(struct usb_device *device, unsigned address);

/* It takes no transfer while `on`. */
void usb_refuse(struct usb_device *device, bool on);

/* Whether the host may still take other interfaces and reset the device. */
bool usb_has_rights(struct usb_device *device);

#endif
