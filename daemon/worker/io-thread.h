/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The I/O thread: owns the port and the core's socket.  It carries bytes and messages and sends the
 * heartbeat.  It blocks only in the poll(2) of io_thread_run().
 */
#ifndef ASSAY_WORKER_IO_THREAD_H
#define ASSAY_WORKER_IO_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "wire/exit.h"
#include "worker/channel.h"
#include "worker/commands.h"
#include "worker/core-link.h"
#include "worker/heartbeat.h"

struct io_thread {
	struct monitor *monitor;
	struct core_link *core;
	struct commands *commands;
	struct channel *channel;
	struct heartbeat *heartbeat;
	const volatile bool
		*terminate; /* set by the handler of SIGTERM, which interrupts poll(2) */
	struct buffer in;   /* from the core; the bytes after SETUP are there at the start */
	uint64_t beat_at, beaten_at, quit_at;
	bool said_rest; /* the last beat */
	bool is_closed; /* the core is gone */
	enum wire_exit failure;

	/* Set by the driver's thread, under the lock, when its session is over. */
	bool is_over;
};

/*
 * Runs until the session is over and all is sent: true.  False: the driver's thread did not end in
 * time.
 */
bool io_thread_run(struct io_thread *io);

#endif
