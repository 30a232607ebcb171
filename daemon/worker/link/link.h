/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link: the byte path to the instruments of a port.  One table of operations for all kinds; no
 * type of libserialport or libusb leaves its file.
 *
 * open() runs before the worker confines itself and may block; everything after it neither blocks
 * nor opens a file.  After open() all operations run under the lock of the monitor.
 *
 * A link with connect() bears that the other side closes its connection: receive() and send() then
 * return -ENOTCONN with link->why, and connect() makes another connection to the same peer.
 */
#ifndef ASSAY_WORKER_LINK_LINK_H
#define ASSAY_WORKER_LINK_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/port.h"

#define LINK_FDS_MAX 8

/* Only usb has more than endpoint 0: those of enum assay_endpoint, and the control endpoint. */
#define LINK_CONTROL   4
#define LINK_ENDPOINTS 5

/* For the slot `line`, next to enum assay_line_act: 1 while output waits to be sent, else 0. */
#define LINK_LINE_OUTPUT 0

/* That the receiver of a serial line has counted. */
struct link_errors {
	unsigned parity, framing, overrun, breaks;
};

struct link;

struct link_ops {
	/*
	 * Opens the port within port->open_ms; `port` is borrowed as long as the link is open.
	 * Returns 0, or a negative errno with link->why and nothing left open.
	 */
	int (*open)(struct link *link, const struct port *port);

	/* Closes without waiting for output.  May be NULL: close(link->fd). */
	void (*close)(struct link *link);

	/*
	 * Fills the descriptors to poll and returns their number; may lower `timeout_ms`.  NULL:
	 * link->fd alone.
	 */
	int (*watch)(
		struct link *link, bool reading, bool writing, struct pollfd *fds, int *timeout_ms);

	/* Runs the library behind the link after each poll.  May be NULL. */
	void (*handle)(struct link *link);

	/*
	 * Stores one piece of a stream, or one message, that has arrived at the endpoint
	 * link->from.  Returns its length, -EAGAIN if there is none, or -ENODEV with link->why if
	 * the port is lost.
	 */
	ssize_t (*receive)(struct link *link, uint8_t *to, size_t size);

	/*
	 * Takes bytes to send to the endpoint link->to and returns how many, -EAGAIN if it can take
	 * none yet, or -ENODEV with link->why.  A message is taken whole or not at all (-EMSGSIZE:
	 * never; -EINVAL with link->why: not there, or not this one).
	 */
	ssize_t (*send)(struct link *link, const uint8_t *data, size_t len);

	/*
	 * Of the bytes taken for link->to: 1 if all are sent, 0 not yet, or the error with which
	 * they ended, with link->why: -ENODEV if the port is lost.  NULL: sent at once.
	 */
	int (*is_sent)(struct link *link);

	/* The sender waits no longer: drops bytes taken for link->to and not sent.  May be NULL. */
	void (*give_up)(struct link *link);

	/*
	 * Connects again: 0, -EAGAIN while `*wait` is not readable, -ENOTCONN with link->why if it
	 * cannot connect now, or -ENODEV with link->why.  NULL: never.
	 */
	int (*connect)(struct link *link, int *wait);

	/*
	 * Of a serial line: enum assay_line_act or LINK_LINE_OUTPUT.  0 or more, -ENOTSUP, -EINVAL or
	 * -ENODEV with link->why.  NULL: there is no line.
	 */
	int (*line)(struct link *link, int act, int value);

	/* The errors since the last call.  With line(). */
	struct link_errors (*errors)(struct link *link);

	/* Ends the connection, until connect().  With connect(). */
	void (*hang_up)(struct link *link);

	/* The size of the buffer for receive(). */
	size_t receive_max;
};

struct link {
	const struct link_ops *ops;
	int fd;             /* -1: none */
	void *own;          /* of the kind */
	bool has_endpoints; /* more than endpoint 0 */
	unsigned from, to;  /* endpoints of the next calls of receive(), and of send() */
	bool joins;         /* the last piece continues the transfer of the piece before it */
	uint8_t ins[LINK_ENDPOINTS], outs[LINK_ENDPOINTS]; /* usb: their addresses; else 0 */
	char why[300];                                     /* the text of the last failure */
	uint64_t byte_ns;           /* of one byte on a serial line; 0: unknown */
	struct link_errors counted; /* serial: when they were read last */
	bool is_over;               /* the port was lost because a recording ended */
	bool is_unconnected;        /* datagrams, http: nothing breaks when the peer is exchanged */
};

extern const struct link_ops link_none, link_tcp, link_udp, link_serial, link_usb, link_folder,
	link_playback;

static inline unsigned link_endpoints(const struct link *link)
{
	return link->has_endpoints ? LINK_ENDPOINTS : 1;
}

/* 0, or a negative errno with link->why. */
int link_open(struct link *link, const struct port *port);

/* Writes the address of the host it is connected to, "192.0.2.10 port 502"; "": it has none. */
#define LINK_ADDRESS 80
const char *link_address(const struct link *link, char *text, size_t size);

/* For the kinds: connects a socket of `type` to the port's host, as open() does. */
int link_open_socket(struct link *link, const struct port *port, int type);

/* Legal on a link that is not open. */
void link_close(struct link *link);

/* For the kinds: formats link->why with the text of `error`, and returns -error. */
int link_fail(struct link *link, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The result of receive() or send() of a link on a plain descriptor. */
ssize_t link_fd_result(struct link *link, ssize_t n);

#endif
