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

/* Before the driver's thread. */
enum gate {
	GATE_CLOSED, /* it waits: the worker is not confined yet */
	GATE_OPEN,
	GATE_OFF, /* it ends at once */
};

struct worker {
	int fd;
	struct wire_setup setup;
	struct link link;
	char address[LINK_ADDRESS]; /* of the link's peer, found before confinement */
	struct heartbeat heartbeat;
	struct monitor monitor;
	struct core_link core;
	struct channel channel;
	struct commands commands;
	struct services services;
	struct session *session;
	struct io_thread io;
	enum wire_exit ended; /* the session's, written before io.is_over */
	pthread_t thread;     /* the driver's */
	enum gate gate;       /* under the lock */
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
	struct faults faults;
	char why[FAULTS_WHY];
	if (worker->setup.port.faults != NULL &&
		faults_read(&faults, worker->setup.port.faults, why) == 0)
		channel_set_faults(&worker->channel, &faults);
	worker->channel.is_per_request = worker->setup.port.connection ==
					 PORT_CONNECTION_PER_REQUEST;
	if (port_kind_of(worker->setup.port.kind)->is_modbus) {
		worker->services.modbus = modbus_create(&worker->setup.port, &worker->channel);
		if (worker->services.modbus == NULL)
			return give_up(worker, WIRE_EXIT_MEMORY, -ENOMEM, "no memory for Modbus");
	}
	if (port_kind_of(worker->setup.port.kind)->is_http) {
		worker->services.http = http_create(&worker->setup.port, &worker->channel);
		if (worker->services.http == NULL)
			return give_up(worker, WIRE_EXIT_MEMORY, -ENOMEM, "no memory for HTTP");
	}
	if (port_kind_of(worker->setup.port.kind)->is_folder) {
		worker->services.folder = folder_create(&worker->channel);
		if (worker->services.folder == NULL)
			return give_up(worker, WIRE_EXIT_MEMORY, -ENOMEM, "no memory for a folder");
	}
	bool hashes = false;
	for (size_t i = 0; i < worker->setup.unit_count; i++)
		hashes = hashes || worker->setup.units[i].raw == UNIT_RAW_HASH;
	if (hashes && sha256_load() < 0)
		return give_up(worker, WIRE_EXIT_SETUP, -ENOSYS, "libcrypto cannot be loaded");
	worker->setup.port.taken = worker->setup.taken;
	int r = link_open(&worker->link, &worker->setup.port);
	if (r < 0)
		return give_up(worker, WIRE_EXIT_NOT_OPENED, r, worker->link.why);
	link_address(&worker->link, worker->address, sizeof worker->address);
	return WIRE_EXIT_CLEAN;
}

/* --- the driver's thread ---------------------------------------------------------------------- */

static void *run_session(void *arg)
{
	struct worker *worker = arg;
	fatal_catch();
	monitor_lock(&worker->monitor);
	while (worker->gate == GATE_CLOSED)
		monitor_wait(&worker->monitor, UINT64_MAX);
	bool is_off = worker->gate == GATE_OFF;
	monitor_unlock(&worker->monitor);
	if (is_off)
		return NULL;
	enum wire_exit ended = session_run(worker->session);
	monitor_lock(&worker->monitor);
	worker->ended = ended;
	worker->io.is_over = true;
	monitor_kick(&worker->monitor);
	monitor_unlock(&worker->monitor);
	return NULL;
}

/* 0 or a negative errno. */
static int create_thread(struct worker *worker)
{
	sigset_t all, before;
	pthread_attr_t attr;
	sigfillset(&all);        /* only the I/O thread receives signals, */
	sigdelset(&all, SIGSYS); /* except those of the thread's own calls */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_attr_init(&attr);
	if (r == 0) {
		pthread_attr_setstacksize(&attr, STACK_BYTES);
		r = pthread_create(&worker->thread, &attr, run_session, worker);
		pthread_attr_destroy(&attr);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static void set_gate(struct worker *worker, enum gate gate)
{
	monitor_lock(&worker->monitor);
	worker->gate = gate;
	monitor_notify(&worker->monitor);
	monitor_unlock(&worker->monitor);
}

/* --- running ---------------------------------------------------------------------------------- */

/* Loads the drivers, whose constructors run confined; afterwards nothing more can be loaded. */
static enum wire_exit load_drivers(struct worker *worker, struct confine *confine)
{
	char why[MODULE_WHY] = "it cannot be confined";
	int r = confine_calls(confine, CONFINE_LOADING);
	if (r == 0)
		r = session_create(&worker->setup, &worker->services, &worker->session, why);
	if (r == 0)
		r = confine_calls(confine, CONFINE_RUNNING);
	if (r < 0)
		return give_up(worker, r == -ENOMEM ? WIRE_EXIT_MEMORY : WIRE_EXIT_SETUP, r, why);
	return WIRE_EXIT_CLEAN;
}

static enum wire_exit run(struct worker *worker)
{
	struct buffer message = {0};
	monitor_lock(&worker->monitor);
	link_recorder_note(&worker->channel.recorder, CAPTURE_OPENED, 0, NULL, 0);
	monitor_unlock(&worker->monitor);
	wire_write_opened(&message, worker->address);
	core_link_send(&worker->core, &message);
	buffer_finish(&message);
	set_gate(worker, GATE_OPEN);
	if (!io_thread_run(&worker->io)) {
		log_error("the driver did not end in time");
		_exit(WIRE_EXIT_UNSAFE); /* its thread still uses everything */
	}
	return worker->io.failure;
}

/*
 * The thread inherits limits and Landlock; the filters of calls hold for both threads, and allow no
 * other thread.
 */
static enum wire_exit confine_and_run(struct worker *worker, struct confine *confine)
{
	const struct wire_setup *setup = &worker->setup;
	for (size_t i = 0; i < setup->unit_count; i++)
		module_permit(confine, setup->drivers, setup->units[i].driver);
	int r = confine_files(confine);
	if (r < 0)
		return give_up(worker, WIRE_EXIT_SETUP, r, "it cannot be confined");
	if (create_thread(worker) < 0)
		return give_up(worker, WIRE_EXIT_MEMORY, -ENOMEM, "no thread for the driver");
	enum wire_exit code = load_drivers(worker, confine);
	if (code == WIRE_EXIT_CLEAN)
		code = run(worker);
	else
		set_gate(worker, GATE_OFF);
	pthread_join(worker->thread, NULL);
	return code != WIRE_EXIT_CLEAN ? code : worker->ended;
}

static enum wire_exit open_and_run(struct worker *worker)
{
	struct confine confine;
	char lacking[CONFINE_LACKING];
	struct buffer message = {0};
	struct confine_plan plan = confine_plan;
	plan.links = worker->setup.port.playback == NULL ? worker->setup.port.kind : 0;
	confine_prepare(&confine, &plan, lacking);
	wire_write_hello(&message, lacking);
	core_link_send(&worker->core, &message);
	buffer_finish(&message);
	enum wire_exit code = open_all(worker);
	if (code == WIRE_EXIT_CLEAN)
		code = confine_and_run(worker, &confine);
	confine_finish(&confine);
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
	http_destroy(worker->services.http);
	folder_destroy(worker->services.folder);
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
