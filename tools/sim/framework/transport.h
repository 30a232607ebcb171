/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte path between a client and the simulator: a pseudo-terminal, a UDP socket, a TCP server
 * with one client at a time, a USB gadget, or a USB device on a played bus.  Nothing here blocks; all calls on one thread.
 */
#ifndef ASSAY_SIM_TRANSPORT_H
#define ASSAY_SIM_TRANSPORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "host.h"

/* Where a unit goes: to the sender of a datagram, or to one of two endpoints of USB. */
struct peer {
	struct sockaddr_storage address;
	socklen_t len;
	bool is_stream;
};

struct transport;

struct transport_ops {
	/* Opens and fills `ready` ("udp 127.0.0.1:10001").  Prints its own error. */
	int (*open)(struct transport *t, const struct sim_endpoint *endpoint);
	void (*close)(struct transport *t);

	/* Takes the link down (down = true) or brings it up again; 0 or a negative errno. */
	int (*set_down)(struct transport *t, bool down);

	/*
	 * Reads once.  Returns bytes, 0 for nothing now, -ECONNRESET if the client left or
	 * another one connected, or another negative errno.
	 */
	ssize_t (*receive)(struct transport *t, uint8_t *data, size_t size);

	/* Writes as far as fits; returns bytes, -EAGAIN, or another error: the bytes are lost. */
	ssize_t (*send)(
		struct transport *t, const struct peer *peer, const uint8_t *data, size_t len);
};

extern const struct transport_ops transport_pty, transport_udp, transport_tcp, transport_usb,
	transport_usb_socket;

struct transport {
	const struct transport_ops *ops;
	int fd;                       /* to be polled; -1: receive at poll_at */
	int listen_fd;                /* tcp */
	int slave_fd;                 /* pty: held until the first client sends */
	const char *path;             /* pty: the symlink; usb-socket: the socket */
	const struct sim_usb *device; /* usb-socket */
	size_t in_flight; /* usb-socket: transfers of the stream that the host has not taken */
	struct transport_usb *usb;
	bool is_down;
	bool is_open_seen; /* pty: a client has the slave open */
	uint64_t poll_at;  /* clock_boot() of the next receive without poll, or SIM_NEVER */
	struct peer peer;  /* udp: of the last datagram */
	uint64_t peer_seen, peer_hold_ns;
	char ready[320];
};

/* Opens by the endpoint's kind; 0 or a negative errno after one line on standard error. */
int transport_open(struct transport *t, const struct sim_endpoint *endpoint, uint64_t peer_hold_ns);

/* For `open` of udp and tcp: binds a socket and fills `ready`.  An fd, or as transport_open(). */
int transport_bind(struct transport *t, const struct sim_endpoint *endpoint, int type);

/* Legal on one that failed to open. */
void transport_close(struct transport *t);

#endif
