/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB gadget.  FunctionFS has blocking files only: three threads move transfers between them and
 * a socket pair, one message each, so that the program's loop never waits.
 *
 *	loop --pair[0]--> pair[1] -- sender ----> to_host
 *	loop <--pair[0]-- pair[1] <-- receiver -- from_host
 *	                  pair[1] <-- watcher --- control: a message of no bytes, the host changed
 */
#include "transport.h"

#include <endian.h>
#include <errno.h>
#include <linux/usb/functionfs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gadget.h"

#define TRANSFER_MAX 65536 /* whole packets */

enum thread { SENDER, RECEIVER, WATCHER, THREADS };

struct transport_usb {
	struct gadget *gadget;
	unsigned packet;
	int pair[2];
	pthread_t threads[THREADS];
	unsigned started;
};

/* A transfer ends with a short packet: one of whole packets with an empty one. */
static void *send_transfers(void *context)
{
	struct transport_usb *usb = context;
	uint8_t data[TRANSFER_MAX];
	int fd = gadget_to_host(usb->gadget);
	for (;;) {
		ssize_t n = recv(usb->pair[1], data, sizeof(data), 0);
		if (n <= 0)
			return NULL;
		ssize_t sent = write(fd, data, (size_t)n);
		if (sent == n && (size_t)n % usb->packet == 0)
			sent = write(fd, data, 0);
		(void)sent; /* unplugged: the bytes are lost, as on a cable */
	}
}

static void *receive_transfers(void *context)
{
	struct transport_usb *usb = context;
	uint8_t data[TRANSFER_MAX];
	int fd = gadget_from_host(usb->gadget);
	for (;;) {
		ssize_t n = read(fd, data, sizeof(data)); /* waits while it is not configured */
		if (n < 0 && errno != ESHUTDOWN && errno != EINTR && errno != EAGAIN)
			return NULL;
		if (n > 0 && send(usb->pair[1], data, (size_t)n, MSG_NOSIGNAL) < 0)
			return NULL;
	}
}

/* Requests to the interface are refused: the instrument has none. */
static void refuse(int control, const struct usb_ctrlrequest *setup)
{
	ssize_t n = (setup->bRequestType & USB_DIR_IN) != 0 ? read(control, NULL, 0)
							    : write(control, NULL, 0);
	(void)n; /* the wrong direction stalls the endpoint, and fails with EL2HLT */
}

static void *watch_events(void *context)
{
	struct transport_usb *usb = context;
	struct usb_functionfs_event event;
	int control = gadget_control(usb->gadget);
	while (read(control, &event, sizeof(event)) == sizeof(event)) {
		if (event.type == FUNCTIONFS_SETUP)
			refuse(control, &event.u.setup);
		else if ((event.type == FUNCTIONFS_ENABLE || event.type == FUNCTIONFS_DISABLE) &&
			 send(usb->pair[1], "", 0, MSG_NOSIGNAL) < 0)
			break;
	}
	return NULL;
}

static int start_threads(struct transport_usb *usb)
{
	static void *(*const bodies[THREADS])(void *) = {
		[SENDER] = send_transfers,
		[RECEIVER] = receive_transfers,
		[WATCHER] = watch_events,
	};
	int r = 0;
	while (r == 0 && usb->started < THREADS) {
		r = -pthread_create(&usb->threads[usb->started], NULL, bodies[usb->started], usb);
		usb->started += r == 0;
	}
	return r;
}

static void usb_close(struct transport *t)
{
	struct transport_usb *usb = t->usb;
	if (usb == NULL)
		return;
	for (unsigned i = 0; i < usb->started; i++)
		pthread_cancel(usb->threads[i]);
	for (unsigned i = 0; i < usb->started; i++)
		pthread_join(usb->threads[i], NULL);
	gadget_close(usb->gadget);
	close(usb->pair[0]);
	close(usb->pair[1]);
	free(usb);
	t->usb = NULL;
	t->fd = -1;
}

static int usb_open(struct transport *t, const struct sim_endpoint *endpoint)
{
	struct transport_usb *usb = calloc(1, sizeof(*usb));
	if (usb == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, usb->pair) < 0) {
		int error = errno;
		free(usb);
		return -error;
	}
	t->usb = usb;
	usb->packet = endpoint->usb->packet;
	int r = gadget_open(&usb->gadget, endpoint->usb, endpoint->path);
	if (r == 0)
		r = start_threads(usb);
	if (r < 0)
		return r;
	t->fd = usb->pair[0];
	snprintf(t->ready, sizeof(t->ready), "usb %s", endpoint->path);
	return 0;
}

static int usb_set_down(struct transport *t, bool down)
{
	return gadget_plug(t->usb->gadget, !down);
}

static ssize_t usb_receive(struct transport *t, uint8_t *data, size_t size)
{
	ssize_t n = recv(t->fd, data, size, MSG_DONTWAIT);
	if (n == 0)
		return -ECONNRESET; /* of the watcher */
	return n > 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static ssize_t usb_send(
	struct transport *t, const struct peer *peer, const uint8_t *data, size_t len)
{
	ssize_t n = send(t->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n >= 0 ? n : -errno;
}

const struct transport_ops transport_usb = {
	.open = usb_open,
	.close = usb_close,
	.set_down = usb_set_down,
	.receive = usb_receive,
	.send = usb_send,
};
