/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One port and its worker process: starts it, sends it messages and credit, reads its messages,
 * notices its end or a hang, and starts the next one after a growing delay.  A unit of the port is
 * known only by its callbacks: the instruments are above.
 *
 * Threads: main.
 */
#ifndef ASSAY_CORE_PORT_SUPERVISE_H
#define ASSAY_CORE_PORT_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "core/port/recorder.h"
#include "wire/port.h"
#include "wire/wire.h"

struct loop;
struct supervisor;

#define PORT_UNITS_MAX 64

struct port_unit_ops {
	/* The unit's part of SETUP, as it is now; borrowed until the next event. */
	struct unit (*setup)(void *arg);
	/* The port it is configured on; also borrowed. */
	const struct port *(*port)(void *arg);
	/* Appends what SETUP has as `taken`, of a link folder.  May be NULL. */
	void (*taken)(void *arg, struct buffer *out);
	/* A message about this unit.  0, or -EBADMSG if it is not as wire.h describes. */
	int (*message)(void *arg, const struct wire_message *message);
	/* The worker is gone: `why` for people, NULL if it exited after QUIT. */
	void (*lost)(void *arg, const char *why);
};

struct port_unit {
	const struct port_unit_ops *ops;
	void *arg;
};

/* Shared by all ports; borrowed while any supervisor lives. */
struct port_host {
	struct loop *loop;
	const char *worker;   /* the program assay-worker */
	const char *drivers;  /* the folder of driver modules */
	uint64_t credit_late; /* bytes of credit whose release may be delayed */
	/* Starts a worker that inherits `fd` and `error`: process_start(), or a test's. */
	int (*start)(const char *worker, int fd, int error, pid_t *pid);
};

/*
 * Starts to supervise a worker for these units (1 to PORT_UNITS_MAX, copied; `arg` of each outlives
 * the supervisor).  0 or -ENOMEM.
 */
int supervise_start(const struct port_host *host, const struct port_unit *units, size_t count,
	struct supervisor **out);

/*
 * Sends QUIT; after the worker has exited, the units are not called any more.  `gone` is then called,
 * possibly before this returns.  The supervisor frees itself.
 */
void supervise_stop(struct supervisor *supervisor, void (*gone)(void *arg), void *arg);

/* A device was plugged in somewhere: if it may be the port's, it is tried at once. */
void supervise_look(struct supervisor *supervisor);

/* A unit of the port is ready: once that lasts, the next failure starts with a short delay. */
void supervise_worked(struct supervisor *supervisor);

/* supervise_stop() was called: nothing new is started on its units. */
bool supervise_is_stopping(const struct supervisor *supervisor);

/* Sends the messages in the buffer and empties it. */
void supervise_send(struct supervisor *supervisor, struct buffer *message);

/* Kills a worker that broke the protocol and logs the reason; the next one follows. */
void supervise_punish(struct supervisor *supervisor, const char *why);

/* A frame was handed to the journal; `bytes` of credit return when it is committed. */
void supervise_hold(struct supervisor *supervisor);
void supervise_release(struct supervisor *supervisor, uint64_t bytes);

/* The port as recorder_start() needs it: it reports workers, records and its end to a recording. */
struct recording_port supervise_recording_port(struct supervisor *supervisor);

/* Faults of the link (wire/faults.h) in place of those of the configuration, also of later workers. */
void supervise_set_faults(struct supervisor *supervisor, const char *text);

/* Those in use; "": none. */
const char *supervise_faults(const struct supervisor *supervisor);

/* True while there is one, or while a worker still sends records of the last. */
bool supervise_is_recording(const struct supervisor *supervisor);

/* Process id of the worker, 0 when none runs; how often one was started. */
int supervise_pid(const struct supervisor *supervisor);
unsigned supervise_starts(const struct supervisor *supervisor);

/* The address that the worker is connected to, such as "192.0.2.10 port 502"; "": none. */
const char *supervise_address(const struct supervisor *supervisor);

/* The parts of confinement that the kernel lacks, as the worker reported: "landlock"; "": none. */
const char *supervise_lacking(const struct supervisor *supervisor);

#endif
