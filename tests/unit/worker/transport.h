/* SPDX-License-Identifier: Apache-2.0 */
/* The instrument's side of each kind of link, for the conformance suite in transport-suite.c. */
#ifndef ASSAY_TESTS_WORKER_TRANSPORT_H
#define ASSAY_TESTS_WORKER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/port.h"

struct transport {
	const char *name;
	bool keeps_messages; /* two messages are read in two calls */
	bool has_packets;    /* a large one is read in pieces, as they arrive */
	bool notices_loss;   /* the other side can be seen to go away */
	bool connects_again; /* that is no loss, except while a stream is read */
	bool has_line;       /* a serial one, beside the bytes */
	bool can_block;      /* the other side can refuse to take more */
	bool is_file;        /* played by a plain file, which poll(2) always calls ready */
	size_t large;        /* bytes of a large message */

	/* Makes the instrument and fills `port`; afterwards drop() removes it. */
	void (*make)(struct port *port);
	void (*drop)(void);

	/* A port of this kind that cannot be opened. */
	void (*make_wrong)(struct port *port);

	/* The instrument sends one message; it receives something, within 5 s. */
	void (*say)(const void *data, size_t len);
	size_t (*hear)(void *to, size_t size);

	/* The instrument takes no bytes while `on`.  May be NULL. */
	void (*refuse)(bool on);

	/* The instrument goes away: unplugged, switched off. */
	void (*leave)(void);
};

extern const struct transport transport_pty, transport_tcp, transport_udp;
extern const struct transport transport_usb, transport_tty; /* by umockdev */

/* The adapter of transport_tty makes 38400 baud if 28800 are requested. */
void tty_rounds_baud(bool on);

/* The line of transport_tty, as the worker has set it, and the errors that its receiver counts. */
struct tty_errors {
	int parity, framing, overrun, buffer, breaks;
};
struct tty_line {
	bool dtr, rts, is_broken, hangs_up;
	unsigned baud, breaks_sent;
	struct tty_errors errors;
};
const struct tty_line *tty_line(void);
void tty_count_errors(const struct tty_errors *errors);

/* Runs the suite over one transport; the number of failures. */
int transport_suite(const struct transport *transport);

/* Waits until the descriptor is readable, for 5 s at most; fails the test otherwise. */
void transport_await(int fd);

#endif
