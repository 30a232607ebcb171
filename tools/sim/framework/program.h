/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own state; opaque to models, see host.h. */
#ifndef ASSAY_SIM_PROGRAM_H
#define ASSAY_SIM_PROGRAM_H

#include "control.h"
#include "host.h"

struct sim_host {
	struct sim_endpoint endpoint;
	struct sim_faults faults;
	struct sim_random
		random; /* of the model; the wire has its own, so that faults change no data */
	struct sim_random wire_random;
	struct control control;
	FILE *truth; /* NULL: none */
	double speed;
	uint64_t started, ends; /* clock_boot(); ends may be SIM_NEVER */
	int signal_fd;
	bool quiet;
	unsigned baud; /* of the pseudo-terminal; 0: no limit */
	uint64_t sent; /* units sent or dropped, "reply" in the truth log */
};

/* The command line's options of the program, as texts. */
struct program_options {
	const char *pty, *udp, *tcp, *usb, *usb_socket;
	const char *control, *truth;
	const char *seconds, *seed, *speed, *baud;
	const char *faults[32];
	unsigned fault_count;
	bool quiet;
};

/*
 * Reads HOST:PORT, [V6]:PORT, or :PORT and PORT alone for the loopback; 0, or the error of
 * options_reject() for `option`.
 */
int endpoint_read(const char *option, const char *text, struct sim_endpoint *endpoint);

/*
 * Reads the options and opens truth log, control socket and signals; the transport is opened
 * later.  Returns 0 or a negative errno after one line on standard error; call host_close then too.
 */
int host_open(struct sim_host *host, const struct program_options *options);

/* Legal after a failed open. */
void host_close(struct sim_host *host);

/* Writes the state of the fault switches to standard error and the truth log. */
void host_log_faults(struct sim_host *host);

#endif
