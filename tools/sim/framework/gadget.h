/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB device made of this process: a FunctionFS gadget with one interface and two bulk endpoints,
 * bound to a USB device controller.  Linux only; needs root, configfs, and the modules libcomposite,
 * usb_f_fs and that of the controller (dummy_hcd has one without hardware).
 */
#ifndef ASSAY_SIM_GADGET_H
#define ASSAY_SIM_GADGET_H

#include <stdbool.h>

#include "sim.h"

struct gadget;

/* Owned; 0 or a negative errno after one line on standard error.  `controller`: "dummy_udc.0". */
int gadget_open(struct gadget **gadget, const struct sim_usb *usb, const char *controller);

/* Plugs it in or out; 0 or a negative errno. */
int gadget_plug(struct gadget *gadget, bool in);

/* Borrowed files of the endpoints, seen from the gadget; blocking.  `control` reports events. */
int gadget_control(const struct gadget *gadget);
int gadget_to_host(const struct gadget *gadget);
int gadget_from_host(const struct gadget *gadget);

/* Unplugs it and removes all that was made; NULL is legal. */
void gadget_close(struct gadget *gadget);

#endif
