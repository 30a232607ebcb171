/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program around a model: control socket, signals, time limit, the ready line, faults and
 * truth.  The framework's own loop is built on it, and so is a model that brings its own `run`:
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

/* Where the user wants the simulator: --pty LINK, --udp HOST:PORT, --tcp HOST:PORT. */
struct sim_endpoint {
	enum sim_transport transport;
	const char *path; /* --pty: the symlink to make */
	char host[256];   /* --udp, --tcp: numeric IPv4 or IPv6 */
	uint16_t port;    /* 0: any free one */
};

/* The endpoint; borrowed until the host ends. */
const struct sim_endpoint *sim_host_endpoint(const struct sim_host *host);

/* Prints "ready <endpoint>" on standard output, once; tests wait for it.  0 or -EIO. */
int sim_host_ready(struct sim_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Waits until one of `fds` (borrowed, may be NULL with n = 0) is ready or `deadline` (clock_boot,
 * SIM_NEVER: none) passed; serves the control socket meanwhile.  Returns the number of ready
 * fds, 0 at the deadline or when a fault was switched, -ECANCELED when the program shall end (a
 * signal or --seconds), or another negative errno.
 */
int sim_host_wait(struct sim_host *host, struct pollfd *fds, size_t n, uint64_t deadline);

/* The instrument's time now, to be given to the model's slots. */
uint64_t sim_host_now(const struct sim_host *host);

/* When, in clock_boot(), the instrument's time will be `t`; SIM_NEVER stays. */
uint64_t sim_host_real(const struct sim_host *host, uint64_t t);

/* What the wire does to one reply; from sim_host_plan(). */
struct sim_plan {
	bool drop, stale;
	unsigned flipped;  /* bits flipped in the bytes, in place */
	size_t len;        /* what is left of it */
	uint64_t delay_ns; /* real time */
};

/*
 * Draws what the faults do to a reply, applies bit flips to `data` in place, and logs a truth line
 * if anything was damaged.  A model with its own `run` calls this for each reply it sends.
 */
struct sim_plan sim_host_plan(struct sim_host *host, uint8_t *data, size_t len);

/* Whether the link shall be down now (fault disconnect). */
bool sim_host_is_down(struct sim_host *host);

#endif
