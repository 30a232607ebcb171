/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the link usb. */
#ifndef ASSAY_WORKER_LINK_USB_H
#define ASSAY_WORKER_LINK_USB_H

#include "worker/link/link.h"

/* Opens the node of the device that fits, as link->fd; fails with link->why if none or several do. */
int usb_find_node(struct link *link, const struct port *port);

/* The first bytes of a control transfer (USB 2.0, 9.3). */
#define USB_SETUP 8

/*
 * Whether a driver may send a control transfer with this setup packet to the interface that is its
 * own: NULL, or the reason why not.  Requests of the standard that change the device, and those to
 * other interfaces or to endpoints of them, concern other programs too.
 */
const char *usb_request_complaint(const uint8_t setup[USB_SETUP], const struct link *link);

#endif
