/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB device for a bus that tests play (tests/usb/bus.c): a unix socket of messages, one
 * client at a time.  The first one has the descriptors of the device and of its configuration, the
 * text of the serial number with its NUL, and the descriptor of an instrument's reports (HID), if it
 * has any.  Then come transfers, each behind the address of its endpoint.  The address of the stream
 * comes back when the host has taken a transfer of it.
 */
#include "transport.h"

#include <assert.h>
#include <errno.h>
#include <linux/hid.h>
#include <linux/usb/ch9.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO_MAX 256

/* Chapter 9.6 of USB 2.0, and 6.2.1 of HID 1.11; returns the number of bytes. */
static size_t describe(const struct sim_usb *usb, uint8_t to[HELLO_MAX])
{
	bool has_reports = usb->report_len > 0;
	uint8_t type = has_reports ? USB_ENDPOINT_XFER_INT : USB_ENDPOINT_XFER_BULK;
	const uint8_t endpoints[] = {usb->in, usb->out, usb->stream};
	uint8_t count = usb->stream != 0 ? 3 : 2;
	const uint8_t device[] = {USB_DT_DEVICE_SIZE, USB_DT_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
		(uint8_t)usb->vendor, (uint8_t)(usb->vendor >> 8), (uint8_t)usb->product,
		(uint8_t)(usb->product >> 8), 0x00, 0x01, 0, 0, usb->serial != NULL ? 3 : 0, 1};
	const uint8_t reports[] = {
		9, HID_DT_HID, 0x11, 0x01, 0, 1, HID_DT_REPORT, (uint8_t)usb->report_len, 0};
	size_t hid = has_reports ? sizeof reports : 0;
	size_t total = USB_DT_CONFIG_SIZE + USB_DT_INTERFACE_SIZE + hid +
		       (size_t)count * USB_DT_ENDPOINT_SIZE;
	const uint8_t parts[] = {USB_DT_CONFIG_SIZE, USB_DT_CONFIG, (uint8_t)total, 0, 1, 1, 0,
		USB_CONFIG_ATT_ONE, 250,
		/* */ USB_DT_INTERFACE_SIZE, USB_DT_INTERFACE, 0, 0, count,
		has_reports ? USB_CLASS_HID : USB_CLASS_VENDOR_SPEC, 0, 0, 0};
	size_t len = 0;
	memcpy(to, device, sizeof device);
	memcpy(to + (len += sizeof device), parts, sizeof parts);
	memcpy(to + (len += sizeof parts), reports, hid);
	len += hid;
	for (uint8_t i = 0; i < count; i++) {
		const uint8_t endpoint[] = {USB_DT_ENDPOINT_SIZE, USB_DT_ENDPOINT, endpoints[i],
			type, (uint8_t)usb->packet, (uint8_t)(usb->packet >> 8), has_reports};
		memcpy(to + len, endpoint, sizeof endpoint);
		len += sizeof endpoint;
	}
	return len;
}

static ssize_t send_parts(int fd, const void *first, size_t n, const void *second, size_t m)
{
	struct iovec parts[] = {{(void *)(uintptr_t)first, n}, {(void *)(uintptr_t)second, m}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent >= 0 ? sent : -errno;
}

static void drop_client(struct transport *t)
{
	if (t->fd >= 0 && t->fd != t->listen_fd)
		close(t->fd);
	t->fd = t->listen_fd;
}

static int fail(const char *path, int error)
{
	fprintf(stderr, "assay-sim: --usb-socket %s: %s\n", path, strerror(error));
	return -error;
}

static int socket_listen(struct transport *t)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(t->path) >= sizeof(address.sun_path))
		return fail(t->path, ENAMETOOLONG);
	strcpy(address.sun_path, t->path);
	unlink(t->path);
	t->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->listen_fd < 0 ||
		bind(t->listen_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(t->listen_fd, 1) < 0)
		return fail(t->path, errno);
	t->fd = t->listen_fd;
	return 0;
}

static int socket_open(struct transport *t, const struct sim_endpoint *endpoint)
{
	t->path = endpoint->path;
	t->device = endpoint->usb;
	snprintf(t->ready, sizeof(t->ready), "usb-socket %s", t->path);
	return socket_listen(t);
}

/* Unplugged, it cannot be reached. */
static int socket_set_down(struct transport *t, bool down)
{
	if (!down)
		return socket_listen(t);
	drop_client(t);
	unlink(t->path);
	close(t->listen_fd);
	t->listen_fd = t->fd = -1;
	return 0;
}

static void socket_close(struct transport *t)
{
	if (t->listen_fd >= 0)
		socket_set_down(t, true);
}

static ssize_t accept_client(struct transport *t)
{
	uint8_t hello[HELLO_MAX];
	int fd = accept4(t->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return 0;
	const char *serial = t->device->serial != NULL ? t->device->serial : "";
	size_t len = describe(t->device, hello), text = strlen(serial) + 1;
	assert(len + text <= sizeof(hello));
	memcpy(hello + len, serial, text);
	if (send_parts(fd, hello, len + text, t->device->report, t->device->report_len) < 0) {
		close(fd);
		return 0;
	}
	t->fd = fd;
	t->in_flight = 0;
	return -ECONNRESET;
}

static ssize_t socket_receive(struct transport *t, uint8_t *data, size_t size)
{
	uint8_t address = 0;
	struct iovec parts[] = {{&address, 1}, {data, size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	if (t->fd == t->listen_fd)
		return accept_client(t);
	ssize_t n = recvmsg(t->fd, &message, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	t->in_flight -= n > 0 && address == t->device->stream && t->in_flight > 0;
	if (n > 0)
		return address == t->device->out ? n - 1 : 0;
	drop_client(t);
	return -ECONNRESET;
}

static ssize_t socket_send(
	struct transport *t, const struct peer *peer, const uint8_t *data, size_t len)
{
	uint8_t address = peer->is_stream ? t->device->stream : t->device->in;
	if (t->fd == t->listen_fd)
		return (ssize_t)len;
	ssize_t n = send_parts(t->fd, &address, 1, data, len);
	t->in_flight += n > 0 && peer->is_stream;
	return n > 0 ? n - 1 : n;
}

const struct transport_ops transport_usb_socket = {
	.open = socket_open,
	.close = socket_close,
	.set_down = socket_set_down,
	.receive = socket_receive,
	.send = socket_send,
};
