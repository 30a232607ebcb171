/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link usb: bulk and interrupt endpoints of one interface, and control transfers, by libusb.
 *
 * The node is opened here; libusb only gets the descriptor, so that it needs neither udev nor the
 * file system once the worker is confined.
 *
 * Each transfer to the host is one packet.  A longer one ends only with a short packet, and some
 * instruments send none after a reply of whole packets, or stream whole packets without end.  Many
 * transfers wait in the kernel, so that it can take packets while this process does not run.
 */
#include <errno.h>
#include <libusb.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/link/usb.h"

#define OUT_BYTES     65536
#define CONTROL_BYTES 4096 /* as usbfs has it */
#define PACKET_MAX    1024 /* of SuperSpeed */
#define PACKET_MASK   0x7ff
#define REPLIES       32  /* packets in flight at the endpoint of replies, */
#define STREAM        256 /* and of a stream: 128 ms of a LabJack U6 at 50,000 samples per second */
#define CLOSE_NS      NS_PER_S
#define UNPLUGGED     "the device was unplugged"

struct transfer {
	struct libusb_transfer *of;
	uint8_t *buffer;
	bool is_busy; /* in the kernel */
	bool is_done; /* ended, and its bytes were not taken yet */
};

/* The addresses are in struct link. */
struct endpoint {
	bool is_interrupt;
	unsigned packet;
	struct transfer out;
	struct transfer *in; /* a ring, in the order of submission */
	unsigned count, next;
	bool is_whole; /* the last packet was a full one: more of its transfer may follow */
};

struct usb {
	libusb_context *context;
	libusb_device_handle *handle;
	int interface;
	bool claimed;
	struct endpoint endpoints[LINK_ENDPOINTS];
	struct pollfd fds[LINK_FDS_MAX];
	int fd_count;
};

/* --- libusb ----------------------------------------------------------------------------------- */

static int error_of(int r)
{
	switch (r) {
	case LIBUSB_ERROR_ACCESS: return EACCES;
	case LIBUSB_ERROR_NO_DEVICE: return ENODEV;
	case LIBUSB_ERROR_NOT_FOUND: return ENOENT;
	case LIBUSB_ERROR_BUSY: return EBUSY;
	case LIBUSB_ERROR_TIMEOUT: return ETIMEDOUT;
	case LIBUSB_ERROR_NO_MEM: return ENOMEM;
	case LIBUSB_ERROR_NOT_SUPPORTED: return EOPNOTSUPP;
	case LIBUSB_ERROR_INVALID_PARAM: return EINVAL;
	default: return EIO;
	}
}

static void LIBUSB_CALL on_transfer(struct libusb_transfer *of)
{
	struct transfer *t = of->user_data;
	t->is_busy = false;
	t->is_done = true;
}

static int submit(struct transfer *t)
{
	int r = libusb_submit_transfer(t->of);
	t->is_busy = r == 0;
	t->is_done = false;
	return r;
}

/* A request that libusb rejected: -ENODEV with link->why. */
static int reject(struct link *link, int error)
{
	if (error != LIBUSB_ERROR_NO_DEVICE)
		link_fail(link, error_of(error), "the device rejects the request");
	else
		snprintf(link->why, sizeof link->why, UNPLUGGED);
	return -ENODEV;
}

/* The result of a transfer that has ended: 0, or -ENODEV with link->why if the port is lost. */
static int check_status(struct link *link, enum libusb_transfer_status status, unsigned address)
{
	const char *event = "failed";
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
	case LIBUSB_TRANSFER_CANCELLED:
	case LIBUSB_TRANSFER_TIMED_OUT: return 0;
	case LIBUSB_TRANSFER_NO_DEVICE:
		snprintf(link->why, sizeof link->why, UNPLUGGED);
		return -ENODEV;
	case LIBUSB_TRANSFER_STALL: event = "was refused: the instrument halted it"; break;
	case LIBUSB_TRANSFER_OVERFLOW: event = "was longer than a packet"; break;
	case LIBUSB_TRANSFER_ERROR: break;
	}
	snprintf(link->why, sizeof link->why, "a transfer at endpoint 0x%02x %s", address, event);
	return -ENODEV;
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_transfer(
	struct usb *usb, struct transfer *t, unsigned address, bool is_interrupt, size_t size)
{
	t->of = libusb_alloc_transfer(0);
	t->buffer = malloc(size);
	if (t->of == NULL || t->buffer == NULL)
		return -ENOMEM;
	libusb_fill_bulk_transfer(t->of, usb->handle, (unsigned char)address, t->buffer, (int)size,
		on_transfer, t, 0);
	if (is_interrupt)
		t->of->type = LIBUSB_TRANSFER_TYPE_INTERRUPT;
	return 0;
}

static const struct libusb_endpoint_descriptor *find_endpoint(
	const struct libusb_config_descriptor *config, int number, unsigned address)
{
	for (int i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &config->interface[i];
		const struct libusb_interface_descriptor *alt = interface->altsetting;
		if (interface->num_altsetting < 1 || alt->bInterfaceNumber != number)
			continue;
		for (int k = 0; k < alt->bNumEndpoints; k++) {
			if (alt->endpoint[k].bEndpointAddress == address)
				return &alt->endpoint[k];
		}
	}
	return NULL;
}

static int describe(struct usb *usb, struct endpoint *e, unsigned address)
{
	struct libusb_config_descriptor *config;
	if (libusb_get_active_config_descriptor(libusb_get_device(usb->handle), &config) < 0)
		return -EIO;
	const struct libusb_endpoint_descriptor *d = find_endpoint(config, usb->interface, address);
	unsigned type = d != NULL ? d->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK : 0;
	e->packet = d != NULL ? d->wMaxPacketSize & PACKET_MASK : 0;
	libusb_free_config_descriptor(config);
	e->is_interrupt = type == LIBUSB_TRANSFER_TYPE_INTERRUPT;
	bool is_usable = type == LIBUSB_TRANSFER_TYPE_BULK || e->is_interrupt;
	return is_usable && e->packet > 0 && e->packet <= PACKET_MAX ? 0 : -ENOENT;
}

/*
 * A former process may have left the endpoint halted, or with the other data toggle: then the first
 * packet would be lost.  A device that cannot do it is used all the same.
 */
static int clear_halt(struct usb *usb, unsigned address)
{
	int r = libusb_clear_halt(usb->handle, (unsigned char)address);
	return r == LIBUSB_ERROR_NO_DEVICE ? -ENODEV : 0;
}

static int make_in(struct usb *usb, struct endpoint *e, unsigned address, unsigned count)
{
	int r = describe(usb, e, address);
	if (r == 0)
		r = clear_halt(usb, address);
	if (r == 0)
		e->in = calloc(count, sizeof *e->in);
	if (r == 0 && e->in == NULL)
		return -ENOMEM;
	if (e->is_interrupt && count > REPLIES)
		count = REPLIES;
	while (r == 0 && e->count < count)
		r = make_transfer(usb, &e->in[e->count++], address, e->is_interrupt, e->packet);
	return r;
}

static int make_out(struct usb *usb, struct endpoint *e, unsigned address)
{
	int r = describe(usb, e, address);
	if (r == 0)
		r = clear_halt(usb, address);
	if (r == 0)
		r = make_transfer(usb, &e->out, address, e->is_interrupt, OUT_BYTES);
	if (r == 0 && !e->is_interrupt)
		e->out.of->flags = LIBUSB_TRANSFER_ADD_ZERO_PACKET;
	return r;
}

static int make_endpoints(struct link *link, const struct port *port)
{
	struct usb *usb = link->own;
	const struct {
		unsigned in, out, count;
	} wanted[] = {
		[ASSAY_ENDPOINT_MAIN] = {port->in, port->out, REPLIES},
		[ASSAY_ENDPOINT_STREAM] = {port->stream, 0, STREAM},
		[ASSAY_ENDPOINT_STREAM_2] = {port->stream_2, 0, STREAM},
		[ASSAY_ENDPOINT_OUT_2] = {0, port->out_2, 0},
	};
	struct transfer *control = &usb->endpoints[LINK_CONTROL].out;
	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		struct endpoint *e = &usb->endpoints[i];
		unsigned address = wanted[i].in;
		int r = address != 0 ? make_in(usb, e, address, wanted[i].count) : 0;
		if (r == 0 && wanted[i].out != 0)
			r = make_out(usb, e, address = wanted[i].out);
		if (r < 0)
			return link_fail(link, -r, "endpoint 0x%02x of interface %u", address,
				port->interface);
		link->ins[i] = (uint8_t)wanted[i].in;
		link->outs[i] = (uint8_t)wanted[i].out;
	}
	link->ins[LINK_CONTROL] = LIBUSB_ENDPOINT_IN;
	link->has_endpoints = true;
	if (make_transfer(usb, control, 0, false, USB_SETUP + CONTROL_BYTES) < 0)
		return link_fail(link, ENOMEM, "USB");
	return 0;
}

static int submit_all(struct link *link)
{
	struct usb *usb = link->own;
	for (unsigned i = 0; i < LINK_ENDPOINTS; i++) {
		struct endpoint *e = &usb->endpoints[i];
		for (unsigned k = 0; k < e->count; k++) {
			int r = submit(&e->in[k]);
			if (r < 0)
				return reject(link, r);
		}
	}
	return 0;
}

/* The descriptors stay the same while the device is open. */
static int take_pollfds(struct usb *usb)
{
	const struct libusb_pollfd **list = libusb_get_pollfds(usb->context);
	if (list == NULL)
		return -ENOMEM;
	for (int i = 0; list[i] != NULL && i < LINK_FDS_MAX; i++)
		usb->fds[usb->fd_count++] = (struct pollfd){
			.fd = list[i]->fd, .events = list[i]->events};
	libusb_free_pollfds(list);
	return 0;
}

/*
 * The interface is this process' own from here on.  The descriptor can then neither take another one
 * from its driver nor reset the device while other programs use it, even if an instrument has taken the driver over.
 */
static int claim(struct link *link)
{
	struct usb *usb = link->own;
	uint32_t others = 0;
	int r = libusb_detach_kernel_driver(usb->handle, usb->interface);
	if (r < 0 && r != LIBUSB_ERROR_NOT_FOUND && r != LIBUSB_ERROR_NOT_SUPPORTED)
		return link_fail(link, error_of(r), "interface %d cannot be taken from its driver",
			usb->interface);
	r = libusb_claim_interface(usb->handle, usb->interface);
	if (r < 0)
		return link_fail(
			link, error_of(r), "interface %d cannot be claimed", usb->interface);
	usb->claimed = true;
	if (ioctl(link->fd, USBDEVFS_DROP_PRIVILEGES, &others) < 0 && errno != ENOTTY)
		return link_fail(link, errno, "the rights to the device cannot be dropped");
	return 0;
}

static int open_handle(struct link *link, const struct port *port)
{
	struct usb *usb = link->own;
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	int r = libusb_init(&usb->context);
	if (r < 0)
		return link_fail(link, error_of(r), "libusb does not start");
	r = libusb_wrap_sys_device(usb->context, link->fd, &usb->handle);
	if (r < 0)
		return link_fail(link, error_of(r), "libusb does not take the device");
	usb->interface = (int)port->interface;
	r = claim(link);
	if (r == 0)
		r = make_endpoints(link, port);
	if (r == 0)
		r = take_pollfds(usb);
	return r < 0 ? r : submit_all(link);
}

/* --- ending ----------------------------------------------------------------------------------- */

static void cancel(struct transfer *t)
{
	if (t->is_busy)
		libusb_cancel_transfer(t->of);
}

static bool is_busy(const struct usb *usb)
{
	bool busy = false;
	for (unsigned i = 0; i < LINK_ENDPOINTS; i++) {
		const struct endpoint *e = &usb->endpoints[i];
		busy = busy || e->out.is_busy;
		for (unsigned k = 0; k < e->count; k++)
			busy = busy || e->in[k].is_busy;
	}
	return busy;
}

/* The newest first: else packets could still arrive in those behind. */
static void cancel_all(struct usb *usb)
{
	uint64_t deadline = clock_boot() + CLOSE_NS;
	for (unsigned i = 0; i < LINK_ENDPOINTS; i++) {
		struct endpoint *e = &usb->endpoints[i];
		cancel(&e->out);
		for (unsigned k = e->count; k-- > 0;)
			cancel(&e->in[(e->next + k) % e->count]);
	}
	while (is_busy(usb) && clock_boot() < deadline) {
		struct timeval wait = {0, 50000};
		if (libusb_handle_events_timeout_completed(usb->context, &wait, NULL) < 0)
			break;
	}
}

static void free_transfer(struct transfer *t)
{
	if (t->is_busy)
		return; /* the kernel may still write to it: leaks it */
	if (t->of != NULL)
		libusb_free_transfer(t->of);
	free(t->buffer);
}

static void free_endpoint(struct endpoint *e)
{
	bool busy = false;
	free_transfer(&e->out);
	for (unsigned k = 0; k < e->count; k++) {
		free_transfer(&e->in[k]);
		busy = busy || e->in[k].is_busy;
	}
	if (!busy)
		free(e->in);
}

static void usb_close(struct link *link)
{
	struct usb *usb = link->own;
	if (usb->handle != NULL) {
		cancel_all(usb);
		for (unsigned i = 0; i < LINK_ENDPOINTS; i++)
			free_endpoint(&usb->endpoints[i]);
		if (usb->claimed)
			libusb_release_interface(usb->handle, usb->interface);
		libusb_close(usb->handle);
	}
	if (usb->context != NULL)
		libusb_exit(usb->context);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	free(usb);
	link->own = NULL;
}

static int usb_open(struct link *link, const struct port *port)
{
	int r = usb_find_node(link, port);
	if (r < 0)
		return r;
	struct usb *usb = link->own = calloc(1, sizeof *usb);
	if (usb == NULL) {
		close(link->fd);
		return link_fail(link, ENOMEM, "USB");
	}
	r = open_handle(link, port);
	if (r < 0)
		usb_close(link);
	return r;
}

/* --- operations ------------------------------------------------------------------------------- */

static void usb_handle(struct link *link)
{
	struct usb *usb = link->own;
	struct timeval none = {0, 0};
	libusb_handle_events_timeout_completed(usb->context, &none, NULL);
}

static int usb_watch(
	struct link *link, bool reading, bool writing, struct pollfd *fds, int *timeout_ms)
{
	struct usb *usb = link->own;
	memcpy(fds, usb->fds, (size_t)usb->fd_count * sizeof *fds);
	return usb->fd_count;
}

/* A reply of the control endpoint starts with its request: a late one is then known. */
static ssize_t receive_control(struct usb *usb, uint8_t *to)
{
	struct transfer *t = &usb->endpoints[LINK_CONTROL].out;
	if (!t->is_done || t->of->status != LIBUSB_TRANSFER_COMPLETED)
		return -EAGAIN;
	t->is_done = false;
	bool is_in = (t->buffer[0] & LIBUSB_ENDPOINT_IN) != 0;
	size_t len = USB_SETUP + (is_in ? (size_t)t->of->actual_length : 0);
	memcpy(to, t->buffer, len);
	return (ssize_t)len;
}

static ssize_t usb_receive(struct link *link, uint8_t *to, size_t size)
{
	struct usb *usb = link->own;
	struct endpoint *e = &usb->endpoints[link->from];
	if (link->from == LINK_CONTROL)
		return receive_control(usb, to);
	struct transfer *t = e->count > 0 ? &e->in[e->next] : NULL;
	while (t != NULL && t->is_done) {
		size_t len = (size_t)t->of->actual_length;
		if (check_status(link, t->of->status, link->ins[link->from]) < 0)
			return -ENODEV;
		memcpy(to, t->buffer, len);
		link->joins = e->is_whole;
		e->is_whole = len == e->packet && !e->is_interrupt;
		int r = submit(t);
		if (r < 0) { /* reported after these bytes */
			t->is_done = true;
			t->of->status = r == LIBUSB_ERROR_NO_DEVICE ? LIBUSB_TRANSFER_NO_DEVICE
								    : LIBUSB_TRANSFER_ERROR;
		}
		e->next = (e->next + 1) % e->count;
		if (len > 0)
			return (ssize_t)len;
		t = &e->in[e->next]; /* an empty packet only ends a transfer */
	}
	return -EAGAIN;
}

/* USB 2.0, 9.3.1: bits 5 and 6 of the first byte are the type of the request, 0 to 4 its recipient. */
const char *usb_request_complaint(const uint8_t setup[USB_SETUP], const struct link *link)
{
	enum {
		TYPE = 0x60,
		RECIPIENT = 0x1f,
	};
	bool is_mine = setup[4] == 0 || setup[4] == LIBUSB_ENDPOINT_IN;
	const struct usb *usb = link->own;
	if ((setup[0] & TYPE) == LIBUSB_REQUEST_TYPE_STANDARD &&
		(setup[0] & LIBUSB_ENDPOINT_IN) == 0)
		return "it changes the device";
	if ((setup[0] & TYPE) == LIBUSB_REQUEST_TYPE_VENDOR)
		return NULL;
	switch (setup[0] & RECIPIENT) {
	case LIBUSB_RECIPIENT_DEVICE: return NULL;
	case LIBUSB_RECIPIENT_INTERFACE:
		return setup[4] == usb->interface ? NULL : "it is for another interface";
	case LIBUSB_RECIPIENT_ENDPOINT:
		for (unsigned i = 0; i < LINK_CONTROL; i++)
			is_mine = is_mine || setup[4] == link->ins[i] || setup[4] == link->outs[i];
		return is_mine ? NULL : "it is for an endpoint that the link does not name";
	default: return "it has no known recipient";
	}
}

/* `data`: the setup packet and, to the device, as many bytes as it announces. */
static int fill_control(struct link *link, struct transfer *t, const uint8_t *data, size_t len)
{
	const struct usb *usb = link->own;
	size_t announced = len >= USB_SETUP ? data[6] | (size_t)data[7] << 8 : 0;
	bool is_in = len >= USB_SETUP && (data[0] & LIBUSB_ENDPOINT_IN) != 0;
	if (len < USB_SETUP || announced > CONTROL_BYTES ||
		len != USB_SETUP + (is_in ? 0 : announced))
		return -EMSGSIZE;
	const char *complaint = usb_request_complaint(data, link);
	if (complaint != NULL) {
		snprintf(link->why, sizeof link->why, "request 0x%02x 0x%02x was not sent: %s",
			data[0], data[1], complaint);
		return -EINVAL;
	}
	memcpy(t->buffer, data, len);
	libusb_fill_control_transfer(t->of, usb->handle, t->buffer, on_transfer, t, 0);
	return 0;
}

static ssize_t usb_send(struct link *link, const uint8_t *data, size_t len)
{
	struct usb *usb = link->own;
	struct transfer *t = &usb->endpoints[link->to].out;
	if (t->of == NULL)
		return link_fail(link, EINVAL, "the link has no such endpoint to the instrument");
	if (len > OUT_BYTES)
		return -EMSGSIZE;
	if (t->is_busy)
		return -EAGAIN;
	int r = 0;
	if (link->to == LINK_CONTROL) {
		r = fill_control(link, t, data, len);
	} else {
		memcpy(t->buffer, data, len);
		t->of->length = (int)len;
	}
	if (r < 0)
		return r;
	r = submit(t);
	return r < 0 ? reject(link, r) : (ssize_t)len;
}

/* Only the control endpoint clears its halt by itself: the others need another opening. */
static int usb_is_sent(struct link *link)
{
	const struct usb *usb = link->own;
	const struct transfer *t = &usb->endpoints[link->to].out;
	if (t->is_busy)
		return 0;
	if (link->to == LINK_CONTROL && t->of->status == LIBUSB_TRANSFER_STALL) {
		snprintf(link->why, sizeof link->why,
			"the instrument refuses request 0x%02x 0x%02x", t->buffer[0], t->buffer[1]);
		return -EPROTO;
	}
	int r = check_status(link, t->of->status, link->outs[link->to]);
	return r < 0 ? r : 1;
}

static void usb_give_up(struct link *link)
{
	struct usb *usb = link->own;
	cancel(&usb->endpoints[link->to].out);
}

const struct link_ops link_usb = {
	.open = usb_open,
	.close = usb_close,
	.watch = usb_watch,
	.handle = usb_handle,
	.receive = usb_receive,
	.send = usb_send,
	.is_sent = usb_is_sent,
	.give_up = usb_give_up,
	.receive_max = USB_SETUP + CONTROL_BYTES,
};
