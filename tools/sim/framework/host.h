/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program around a model: control socket, signals, time limit, the ready line, faults and
 * truth log.  Used by the framework's own loop and by a model with its own `run`:
 *
 *	int r = sim_host_ready(host, "tcp 127.0.0.1:%d", port);
 *	while (r >= 0 && (r = sim_host_wait(host, fds, n, deadline)) >= 0)
 *		... serve ...
 *	return r == -ECANCELED ? 0 : r;
 */
#ifndef ASSAY_SIM_HOST_H
#define ASSAY_SIM_HOST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim.h"

/*
 * From the command line: --pty LINK, --udp HOST:PORT, --tcp HOST:PORT, --usb-gadget CONTROLLER,
 * --usb-socket PATH.
 */
struct sim_endpoint {
	enum sim_transport transport;
	/* --pty: the symlink to make; --usb-gadget: the device controller; --usb-socket: the socket */
	const char *path;
	const struct sim_usb *usb; /* the model's */
	bool is_played;            /* --usb-socket */
	char host[256];            /* --udp, --tcp: numeric IPv4 or IPv6 */
	uint16_t port;             /* 0: any free one */
};

/* The endpoint; borrowed until the host ends. */
const struct sim_endpoint *sim_host_endpoint(const struct sim_host *host);

/* Prints "ready <endpoint>" on standard output, once; tests wait for it.  0 or -EIO. */
int sim_host_ready(struct sim_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Waits until one of `fds` (borrowed, may be NULL with n = 0) is ready or until `deadline`
 * (clock_boot, SIM_NEVER: none), and serves the control socket.  Returns the number of ready fds, 0
 * at the deadline or after a change of faults, -ECANCELED when the program must end (a signal or
 * --seconds), or another negative errno.
 */
int sim_host_wait(struct sim_host *host, struct pollfd *fds, size_t n, uint64_t deadline);

/* The instrument's time now, for the model's slots. */
uint64_t sim_host_now(const struct sim_host *host);

/* The clock_boot() at which the instrument's time is `t`; SIM_NEVER stays SIM_NEVER. */
uint64_t sim_host_real(const struct sim_host *host, uint64_t t);

/*
 * Counts one reply, and draws whether the one before is sent again in front of it (fault stale); writes
 * a truth line then.  A model with its own `run` calls this for each reply that it sends.
 */
bool sim_host_is_stale(struct sim_host *host, size_t len);

/* Whether the link must be down now (fault disconnect). */
bool sim_host_is_down(struct sim_host *host);

#endif
