/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_TOPIC "worker"
#include "base/clock.h"
#include "base/log.h"
#include "wire/wire.h"
#include "worker/confine.h"
#include "worker/fatal.h"
#include "worker/io-thread.h"
#include "worker/session.h"
#include "worker/sha256.h"
#include "worker/worker.h"

#define SETUP_NS    (10 * NS_PER_S)
#define READ_STEP   4096
#define STACK_BYTES (1u << 20)

struct worker {
	int fd;
	struct wire_setup setup;
	struct link link;
	struct heartbeat heartbeat;
	struct monitor monitor;
	struct core_link core;
	struct channel channel;
	struct commands commands;
	struct services services;
	struct session *session;
	struct io_thread io;
	enum wire_exit ended; /* the session's, written before io.is_over */
};

/* Sends the reason why the worker cannot continue. */
static enum wire_exit give_up(
	struct worker *worker, enum wire_exit code, int error, const char *text)
{
	struct buffer message = {0};
	wire_write_state(&message, WIRE_PORT, "fault", device_code(error), text,
		(struct assay_span){NULL, 0});
	core_link_send(&worker->core, &message);
	buffer_finish(&message);
	core_link_flush(&worker->core);
	return code;
}

/* --- the first message ------------------------------------------------------------------------ */

/* More bytes of the core into `in`: 0, -ETIMEDOUT or -EPIPE. */
static int read_more(int fd, struct buffer *in, uint64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = poll(&p, 1, clock_ms_until(deadline));
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0)
		return errno == EINTR ? 0 : -EPIPE;
	uint8_t *to = buffer_reserve(in, READ_STEP);
	if (to == NULL)
		return -ENOMEM;
	ssize_t got = recv(fd, to, READ_STEP, MSG_DONTWAIT);
	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
	in->len += (size_t)got;
	return 0;
}

static int read_setup(struct worker *worker, const volatile bool *terminate)
{
	struct buffer *in = &worker->io.in;
	uint64_t deadline = clock_boot() + SETUP_NS;
	struct wire_message message;
	int r;
	while ((r = wire_next(in->data, in->len, &message)) == 0) {
		r = read_more(worker->fd, in, deadline);
		if (r < 0 || *terminate)
			return r < 0 ? r : -EPIPE;
	}
	if (r > 0)
		r = message.type == WIRE_SETUP ? wire_read_setup(&message, &worker->setup)
					       : -EBADMSG;
	if (r == 0)
		buffer_consume(in, message.size);
	return r;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* All that opens files, except the drivers' modules. */
static enum wire_exit open_all(struct worker *worker)
{
	worker->channel.is_per_request = worker->setup.port.connection ==
					 PORT_CONNECTION_PER_REQUEST;
	if (port_kind_of(worker->setup.port.kind)->is_modbus) {
		worker->services.modbus = modbus_create(&worker->setup.port, &worker->channel);
		if (worker->services.modbus == NULL)
			return give_up(worker, WIRE_EXIT_MEMORY, -ENOMEM, "no memory for Modbus");
	}
	bool hashes = false;
	for (size_t i = 0; i < worker->setup.unit_count; i++)
		hashes = hashes || worker->setup.units[i].raw == UNIT_RAW_HASH;
	if (hashes && sha256_load() < 0)
		return give_up(worker, WIRE_EXIT_SETUP, -ENOSYS, "libcrypto cannot be loaded");
	int r = link_open(&worker->link, &worker->setup.port);
	if (r < 0)
		return give_up(worker, WIRE_EXIT_NOT_OPENED, r, worker->link.why);
	return WIRE_EXIT_CLEAN;
}

/* Loads the drivers, whose constructors run confined. */
static enum wire_exit load_drivers(struct worker *worker)
{
	const struct wire_setup *setup = &worker->setup;
	struct confine confine;
	char why[MODULE_WHY] = "";
	confine_prepare_loading(&confine);
	for (size_t i = 0; i < setup->unit_count; i++)
		module_permit(&confine, setup->drivers, setup->units[i].driver);
	int r = confine_enforce(&confine);
	confine_finish(&confine);
	if (r < 0)
		return give_up(worker, WIRE_EXIT_SETUP, r, "it cannot be confined");
	r = session_create(setup, &worker->services, &worker->session, why);
	if (r < 0)
		return give_up(worker, r == -ENOMEM ? WIRE_EXIT_MEMORY : WIRE_EXIT_SETUP, r, why);
	return WIRE_EXIT_CLEAN;
}

/* --- running ---------------------------------------------------------------------------------- */

static void *run_session(void *arg)
{
	struct worker *worker = arg;
	fatal_catch();
	enum wire_exit ended = session_run(worker->session);
	monitor_lock(&worker->monitor);
	worker->ended = ended;
	worker->io.is_over = true;
	monitor_kick(&worker->monitor);
	monitor_unlock(&worker->monitor);
	return NULL;
}

static enum wire_exit run(struct worker *worker)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	sigfillset(&all); /* only the I/O thread receives signals */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_attr_init(&attr);
	if (r == 0) {
		pthread_attr_setstacksize(&attr, STACK_BYTES);
		r = pthread_create(&thread, &attr, run_session, worker);
		pthread_attr_destroy(&attr);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return give_up(worker, WIRE_EXIT_MEMORY, -ENOMEM, "no thread for the driver");
	if (!io_thread_run(&worker->io)) {
		log_error("the driver did not end in time");
		_exit(WIRE_EXIT_UNSAFE); /* its thread still uses everything */
	}
	pthread_join(thread, NULL);
	return worker->io.failure != WIRE_EXIT_CLEAN ? worker->io.failure : worker->ended;
}

static enum wire_exit open_and_run(struct worker *worker)
{
	struct confine confine;
	char lacking[CONFINE_LACKING] = "";
	char address[LINK_ADDRESS];
	struct buffer message = {0};
	confine_prepare(&confine, lacking);
	wire_write_hello(&message, lacking);
	core_link_send(&worker->core, &message);
	enum wire_exit code = open_all(worker);
	if (code == WIRE_EXIT_CLEAN)
		code = load_drivers(worker);
	if (code == WIRE_EXIT_CLEAN) {
		int r = confine_enforce(&confine);
		if (r < 0)
			code = give_up(worker, WIRE_EXIT_SETUP, r, "it cannot be confined");
	}
	confine_finish(&confine);
	if (code == WIRE_EXIT_CLEAN) {
		monitor_lock(&worker->monitor);
		link_recorder_note(&worker->channel.recorder, CAPTURE_OPENED, 0, NULL, 0);
		monitor_unlock(&worker->monitor);
		wire_write_opened(&message, link_address(&worker->link, address, sizeof address));
		core_link_send(&worker->core, &message);
		code = run(worker);
	}
	buffer_finish(&message);
	return code;
}

static int init(struct worker *worker, int fd, const volatile bool *terminate)
{
	worker->fd = fd;
	int r = monitor_init(&worker->monitor);
	if (r < 0)
		return r;
	core_link_init(&worker->core, &worker->monitor, fd);
	channel_init(&worker->channel, &worker->monitor, &worker->link, &worker->heartbeat);
	services_init(&worker->services);
	worker->services.core = &worker->core;
	worker->services.commands = &worker->commands;
	worker->services.channel = &worker->channel;
	worker->io.monitor = &worker->monitor;
	worker->io.core = &worker->core;
	worker->io.commands = &worker->commands;
	worker->io.channel = &worker->channel;
	worker->io.heartbeat = &worker->heartbeat;
	worker->io.terminate = terminate;
	worker->io.in.limit = WIRE_PAYLOAD_MAX + WIRE_HEAD_BYTES + READ_STEP;
	fatal_init(&worker->core);
	return 0;
}

static void finish(struct worker *worker)
{
	fatal_init(NULL);
	link_close(&worker->link);
	session_destroy(worker->session);
	modbus_destroy(worker->services.modbus);
	commands_finish(&worker->commands);
	channel_finish(&worker->channel);
	core_link_finish(&worker->core);
	buffer_finish(&worker->io.in);
	wire_setup_finish(&worker->setup);
	monitor_finish(&worker->monitor);
	close(worker->fd);
}

enum wire_exit worker_run(int fd, const volatile bool *terminate)
{
	static struct worker worker; /* zeroed, and not on the stack */
	if (init(&worker, fd, terminate) < 0)
		return WIRE_EXIT_MEMORY;
	enum wire_exit code = WIRE_EXIT_MEMORY;
	int r = read_setup(&worker, terminate);
	if (r == 0)
		r = commands_init(&worker.commands, &worker.monitor, &worker.channel,
			worker.setup.unit_count);
	if (r == 0)
		code = open_and_run(&worker);
	else if (r == -EPIPE)
		code = WIRE_EXIT_CLEAN; /* the core went away before SETUP */
	else if (r != -ENOMEM)
		code = WIRE_EXIT_PROTOCOL;
	finish(&worker);
	return code;
}
