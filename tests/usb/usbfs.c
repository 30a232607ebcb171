/* SPDX-License-Identifier: Apache-2.0 */
#include "usbfs.h"

#include <assay/driver.h>
#include <errno.h>

#include "usb/device.h"

#define SERIAL "DP5-2524"

/* Device, configuration, two interfaces, endpoints. */
static const uint8_t descriptors[] = {0x12, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x40, 0xC4, 0x10,
	0x2A, 0x84, 0x00, 0x01, 0x01, 0x02, 0x03, 0x01,
	/* */ 0x09, 0x02, 0x3E, 0x00, 0x02, 0x01, 0x00, 0x80, 0xFA,
	/* */ 0x09, 0x04, 0x00, 0x00, 0x05, 0xFF, 0x00, 0x00, 0x00,
	/* */ 0x07, 0x05, USBFS_IN, 0x02, 0x40, 0x00, 0x00,
	/* */ 0x07, 0x05, USBFS_OUT, 0x02, 0x40, 0x00, 0x00,
	/* */ 0x07, 0x05, USBFS_STREAM, 0x02, 0x40, 0x00, 0x00,
	/* */ 0x07, 0x05, USBFS_REPORT, 0x03, 0x40, 0x00, 0x01,
	/* */ 0x07, 0x05, USBFS_OUT_2, 0x02, 0x40, 0x00, 0x00,
	/* */ 0x09, 0x04, 0x01, 0x00, 0x00, 0xFF, 0x00, 0x00, 0x00};

static struct usb_device *device;
static usbfs_on_control *on_control;

static int control(void *context, const uint8_t setup[8], uint8_t *data, size_t size)
{
	return on_control != NULL ? on_control(setup, data, size) : -EPIPE;
}

void usbfs_make(struct port *port)
{
	on_control = NULL;
	usb_open();
	device = usb_plug(&(struct usb_plug){.descriptors = descriptors,
		.len = sizeof descriptors,
		.serial = SERIAL,
		.port = 2,
		.control = control});
	port_init(port, NULL, port_kind_of(ASSAY_LINK_USB));
	port->vid = 0x10c4;
	port->pid = 0x842a;
	port->serial = SERIAL;
	port->in = USBFS_IN;
	port->out = USBFS_OUT;
}

void usbfs_drop(void)
{
	usb_close();
}

void usbfs_say(const void *data, size_t len)
{
	usb_send(device, USBFS_IN, data, len);
}

void usbfs_send(unsigned address, const void *data, size_t len)
{
	usb_send(device, address, data, len);
}

bool usbfs_send_packet(unsigned address, const void *data, size_t len)
{
	return usb_send_packet(device, address, data, len);
}

size_t usbfs_hear(void *to, size_t size)
{
	return usb_hear(device, USBFS_OUT, to, size);
}

size_t usbfs_hear_at(unsigned address, void *to, size_t size)
{
	return usb_hear(device, address, to, size);
}

void usbfs_halt(unsigned address)
{
	usb_halt(device, address);
}

void usbfs_set_control(usbfs_on_control *answer)
{
	on_control = answer;
}

bool usbfs_has_rights(void)
{
	return usb_has_rights(device);
}

void usbfs_leave(void)
{
	usb_leave(device);
}

void usbfs_refuse(bool on)
{
	usb_refuse(device, on);
}
