/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link usb: two bulk or interrupt endpoints of one interface, by libusb.
 *
 * The device is found in sysfs and its node opened here; libusb only gets the descriptor, so that
 * it needs neither udev nor the file system once the worker is confined.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/link/link.h"
#include "worker/number.h"

#define DEVICES     "/sys/bus/usb/devices"
#define IN_BYTES    32768 /* whole packets of any size: a message ends with a short one */
#define OUT_BYTES   65536
#define CLOSE_NS    NS_PER_S
#define TEXT_MAX    127
#define PACKET_MASK 0x7ff
#define UNPLUGGED   "the device was unplugged"

struct usb {
	libusb_context *context;
	libusb_device_handle *handle;
	int interface;
	bool claimed;
	struct endpoint {
		struct libusb_transfer *transfer;
		uint8_t *buffer;
		uint8_t address;
		bool is_interrupt;
		bool is_busy;   /* in the kernel */
		bool is_filled; /* in: there is something to take */
		bool is_halted;
		enum libusb_transfer_status status;
	} in, out;
	struct pollfd fds[LINK_FDS_MAX];
	int fd_count;
};

/* --- finding ---------------------------------------------------------------------------------- */

/* One attribute of a device, without its line end; "" when it has none. */
static void read_attribute(const char *device, const char *name, char text[TEXT_MAX + 1])
{
	char path[512];
	text[0] = '\0';
	if (snprintf(path, sizeof path, DEVICES "/%.200s/%s", device, name) >= (int)sizeof path)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, TEXT_MAX);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static bool has_id(const char *device, const char *name, unsigned id)
{
	char text[TEXT_MAX + 1], wanted[8];
	if (id == 0)
		return true;
	read_attribute(device, name, text);
	snprintf(wanted, sizeof wanted, "%04x", id & 0xffff);
	return strcmp(text, wanted) == 0;
}

static bool is_wanted(const char *device, const struct port *port)
{
	char text[TEXT_MAX + 1];
	if (strchr(device, ':') != NULL) /* an interface */
		return false;
	if (port->path != NULL && strcmp(device, port->path) != 0)
		return false;
	if (!has_id(device, "idVendor", port->vid) || !has_id(device, "idProduct", port->pid))
		return false;
	if (port->serial == NULL)
		return true;
	read_attribute(device, "serial", text);
	return strcmp(text, port->serial) == 0;
}

static int open_node(struct link *link, const char *device)
{
	char text[TEXT_MAX + 1], path[64];
	int64_t bus, number;
	read_attribute(device, "busnum", text);
	if (number_parse_integer(text, strlen(text), &bus) < 0)
		return link_fail(link, ENODEV, "USB device %s has no bus number", device);
	read_attribute(device, "devnum", text);
	if (number_parse_integer(text, strlen(text), &number) < 0)
		return link_fail(link, ENODEV, "USB device %s has no number", device);
	snprintf(path, sizeof path, "/dev/bus/usb/%03d/%03d", (int)bus, (int)number);
	link->fd = open(path, O_RDWR | O_CLOEXEC);
	if (link->fd < 0)
		return link_fail(link, errno, "cannot open %s", path);
	return 0;
}

/* Opens the node of the device that fits; fails if several do. */
static int find_node(struct link *link, const struct port *port)
{
	char found[256] = "";
	unsigned count = 0;
	DIR *dir = opendir(DEVICES);
	if (dir == NULL)
		return link_fail(link, errno, "cannot list USB devices");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.' || !is_wanted(entry->d_name, port))
			continue;
		snprintf(found, sizeof found, "%s", entry->d_name);
		count++;
	}
	closedir(dir);
	if (count == 1)
		return open_node(link, found);
	snprintf(link->why, sizeof link->why, "%s USB device %04x:%04x%s%s%s%s",
		count == 0 ? "there is no" : "there is more than one", port->vid, port->pid,
		port->serial != NULL ? " with serial number " : "",
		port->serial != NULL ? port->serial : "", port->path != NULL ? " at " : "",
		port->path != NULL ? port->path : "");
	return count == 0 ? -ENODEV : -ENOTUNIQ;
}

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

static void LIBUSB_CALL on_transfer(struct libusb_transfer *transfer)
{
	struct endpoint *endpoint = transfer->user_data;
	endpoint->is_busy = false;
	endpoint->is_filled = true;
	endpoint->status = transfer->status;
	endpoint->is_halted = endpoint->is_halted || transfer->status == LIBUSB_TRANSFER_STALL;
}

static int submit(struct usb *usb, struct endpoint *endpoint, size_t len)
{
	struct libusb_transfer *transfer = endpoint->transfer;
	libusb_fill_bulk_transfer(transfer, usb->handle, endpoint->address, endpoint->buffer,
		(int)len, on_transfer, endpoint, 0);
	transfer->type = endpoint->is_interrupt ? LIBUSB_TRANSFER_TYPE_INTERRUPT
						: LIBUSB_TRANSFER_TYPE_BULK;
	bool is_out = endpoint == &usb->out && !endpoint->is_interrupt;
	transfer->flags = is_out ? LIBUSB_TRANSFER_ADD_ZERO_PACKET : 0;
	int r = libusb_submit_transfer(transfer);
	endpoint->is_busy = r == 0;
	endpoint->is_filled = false;
	return r;
}

/* A request that libusb rejected: -ENODEV with the text of check_status() if the device is gone. */
static int reject(struct link *link, int error)
{
	if (error != LIBUSB_ERROR_NO_DEVICE)
		return link_fail(link, error_of(error), "the device rejects the request");
	snprintf(link->why, sizeof link->why, UNPLUGGED);
	return -ENODEV;
}

static const struct libusb_endpoint_descriptor *find_endpoint(
	const struct libusb_config_descriptor *config, const struct port *port, unsigned address)
{
	for (int i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &config->interface[i];
		const struct libusb_interface_descriptor *alt = interface->altsetting;
		if (interface->num_altsetting < 1 || alt->bInterfaceNumber != port->interface)
			continue;
		for (int k = 0; k < alt->bNumEndpoints; k++) {
			if (alt->endpoint[k].bEndpointAddress == address)
				return &alt->endpoint[k];
		}
	}
	return NULL;
}

/* An interrupt transfer ends with each packet's report: it must not be longer than one. */
static int make_endpoint(struct usb *usb, struct endpoint *endpoint, const struct port *port,
	unsigned address, size_t size)
{
	struct libusb_config_descriptor *config;
	endpoint->address = (uint8_t)address;
	if (libusb_get_active_config_descriptor(libusb_get_device(usb->handle), &config) < 0)
		return -EIO;
	const struct libusb_endpoint_descriptor *d = find_endpoint(config, port, address);
	unsigned type = d != NULL ? d->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK : 0;
	unsigned packet = d != NULL ? d->wMaxPacketSize & PACKET_MASK : 0;
	libusb_free_config_descriptor(config);
	endpoint->is_interrupt = type == LIBUSB_TRANSFER_TYPE_INTERRUPT;
	if ((type != LIBUSB_TRANSFER_TYPE_BULK && !endpoint->is_interrupt) || packet == 0)
		return -ENOENT;
	endpoint->transfer = libusb_alloc_transfer(0);
	endpoint->buffer = malloc(size);
	if (endpoint->transfer == NULL || endpoint->buffer == NULL)
		return -ENOMEM;
	endpoint->transfer->length = endpoint->is_interrupt ? (int)packet : (int)size;
	return 0;
}

static int make_endpoints(struct link *link, const struct port *port)
{
	struct usb *usb = link->own;
	link->in = port->in;
	link->out = port->out;
	int r = make_endpoint(usb, &usb->in, port, port->in, IN_BYTES);
	if (r < 0)
		return link_fail(
			link, -r, "endpoint 0x%02x of interface %u", port->in, port->interface);
	r = make_endpoint(usb, &usb->out, port, port->out, OUT_BYTES);
	if (r < 0)
		return link_fail(
			link, -r, "endpoint 0x%02x of interface %u", port->out, port->interface);
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
	libusb_set_auto_detach_kernel_driver(usb->handle, 1);
	r = libusb_claim_interface(usb->handle, usb->interface);
	if (r < 0)
		return link_fail(
			link, error_of(r), "interface %d cannot be claimed", usb->interface);
	usb->claimed = true;
	return make_endpoints(link, port);
}

/* --- operations ------------------------------------------------------------------------------- */

static void usb_handle(struct link *link)
{
	struct usb *usb = link->own;
	struct timeval none = {0, 0};
	libusb_handle_events_timeout_completed(usb->context, &none, NULL);
}

static void cancel_all(struct link *link)
{
	struct usb *usb = link->own;
	uint64_t deadline = clock_boot() + CLOSE_NS;
	if (usb->in.is_busy)
		libusb_cancel_transfer(usb->in.transfer);
	if (usb->out.is_busy)
		libusb_cancel_transfer(usb->out.transfer);
	while ((usb->in.is_busy || usb->out.is_busy) && clock_boot() < deadline) {
		struct timeval wait = {0, 50000};
		if (libusb_handle_events_timeout_completed(usb->context, &wait, NULL) < 0)
			break;
	}
}

static void free_endpoint(struct usb *usb, struct endpoint *endpoint)
{
	if (endpoint->is_busy)
		return; /* the kernel may still write to it: leaks it */
	if (endpoint->is_halted)
		libusb_clear_halt(usb->handle, endpoint->address);
	if (endpoint->transfer != NULL)
		libusb_free_transfer(endpoint->transfer);
	free(endpoint->buffer);
}

static void usb_close(struct link *link)
{
	struct usb *usb = link->own;
	if (usb->handle != NULL) {
		cancel_all(link);
		free_endpoint(usb, &usb->in);
		free_endpoint(usb, &usb->out);
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
	int r = find_node(link, port);
	if (r < 0)
		return r;
	struct usb *usb = link->own = calloc(1, sizeof *usb);
	if (usb == NULL) {
		close(link->fd);
		return link_fail(link, ENOMEM, "USB");
	}
	r = open_handle(link, port);
	if (r == 0)
		r = take_pollfds(usb);
	if (r == 0) {
		int error = submit(usb, &usb->in, (size_t)usb->in.transfer->length);
		if (error < 0)
			r = reject(link, error);
	}
	if (r < 0)
		usb_close(link);
	return r;
}

static int usb_watch(
	struct link *link, bool reading, bool writing, struct pollfd *fds, int *timeout_ms)
{
	struct usb *usb = link->own;
	memcpy(fds, usb->fds, (size_t)usb->fd_count * sizeof *fds);
	return usb->fd_count;
}

/* The status of a transfer: 0 if the link still works. */
static int check_status(struct link *link, const struct endpoint *endpoint)
{
	switch (endpoint->status) {
	case LIBUSB_TRANSFER_COMPLETED:
	case LIBUSB_TRANSFER_CANCELLED:
	case LIBUSB_TRANSFER_TIMED_OUT:
	case LIBUSB_TRANSFER_OVERFLOW: return 0;
	case LIBUSB_TRANSFER_NO_DEVICE: snprintf(link->why, sizeof link->why, UNPLUGGED); break;
	case LIBUSB_TRANSFER_STALL:
		snprintf(link->why, sizeof link->why, "endpoint 0x%02x is halted",
			endpoint->address);
		break;
	case LIBUSB_TRANSFER_ERROR:
		snprintf(link->why, sizeof link->why, "a transfer on endpoint 0x%02x failed",
			endpoint->address);
		break;
	}
	return -ENODEV;
}

static ssize_t usb_receive(struct link *link, uint8_t *to, size_t size)
{
	struct usb *usb = link->own;
	struct endpoint *in = &usb->in;
	if (in->is_busy || !in->is_filled)
		return -EAGAIN;
	if (check_status(link, in) < 0)
		return -ENODEV;
	size_t len = (size_t)in->transfer->actual_length;
	if (in->status != LIBUSB_TRANSFER_COMPLETED || len > size)
		len = 0;
	memcpy(to, in->buffer, len);
	int r = submit(usb, in, (size_t)in->transfer->length);
	if (r < 0) {
		reject(link, r);
		if (len == 0)
			return -ENODEV;
		in->status = LIBUSB_TRANSFER_NO_DEVICE; /* reported after these bytes */
		in->is_filled = true;
	}
	return len > 0 ? (ssize_t)len : -EAGAIN;
}

static ssize_t usb_send(struct link *link, const uint8_t *data, size_t len)
{
	struct usb *usb = link->own;
	struct endpoint *out = &usb->out;
	if (len > OUT_BYTES)
		return -EMSGSIZE;
	if (out->is_busy)
		return -EAGAIN;
	if (out->is_filled && check_status(link, out) < 0)
		return -ENODEV;
	memcpy(out->buffer, data, len);
	int r = submit(usb, out, len);
	if (r < 0) {
		reject(link, r);
		return -ENODEV;
	}
	return (ssize_t)len;
}

static bool usb_is_sent(struct link *link)
{
	struct usb *usb = link->own;
	return !usb->out.is_busy;
}

static void usb_give_up(struct link *link)
{
	struct usb *usb = link->own;
	if (usb->out.is_busy)
		libusb_cancel_transfer(usb->out.transfer);
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
	.receive_max = IN_BYTES,
};
