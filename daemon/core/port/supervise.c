/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <assay/driver.h>

#define LOG_TOPIC "worker"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "core/port/allowance.h"
#include "core/port/recorder.h"
#include "core/port/stderr.h"
#include "core/port/supervise.h"
#include "record/text.h"
#include "wire/exit.h"
#include "wire/faults.h"
#include "wire/wire.h"

#define READ_STEP (256u << 10)
#define READ_TURN (2u << 20) /* bytes of one worker before the others get their turn */

#define BACKOFF_FIRST_NS (250 * NS_PER_MS)
#define BACKOFF_MAX_NS   (30 * NS_PER_S)
#define STEADY_NS        (10 * NS_PER_S) /* after this long without failure delays start short */

#define BEAT_LIMIT_NS (5 * NS_PER_S)  /* beats come every second, */
#define REST_LIMIT_NS (20 * NS_PER_S) /* every eight while the driver is idle */
#define STEP_GRACE_NS (2 * NS_PER_S)  /* past the driver's own deadline */
#define SLEPT_NS      (3 * NS_PER_S)  /* between two looks, one second apart */
#define QUIT_LIMIT_NS (10 * NS_PER_S)

struct supervisor {
	const struct port_host *host;
	struct port_unit units[PORT_UNITS_MAX];
	size_t count;

	pid_t pid; /* 0: no worker */
	int fd;
	struct loop_source *io, *child, *timer, *folder;
	struct worker_stderr errors;
	struct buffer in, out;
	size_t in_at; /* consumed bytes of `in` */

	struct recording *recording;  /* borrowed */
	char faults[FAULTS_TEXT_MAX]; /* set at run time; "": those of the configuration */
	bool is_recording;            /* there is one, or the worker still sends its rest */

	unsigned starts;
	char address[80]; /* of the host that the worker is connected to; "": none */
	char lacking[80]; /* parts of confinement that the worker runs without; "": none */
	struct backoff backoff;
	uint64_t ready_at; /* an instrument works since then; 0: none yet */
	uint64_t beat_at, progress, deadline;
	uint64_t looked_at; /* by the timer; 0: not at this worker */
	bool is_plugged;    /* a device came since the worker was started */
	uint64_t slept;     /* by the machine, while the driver's present step ran */
	bool is_over;       /* a recording was played to its end: there is no next worker */
	bool killed;        /* it hung */
	char punished[120]; /* why it was ended; "": it was not */

	struct allowance allowance;

	bool stopping, stopped;
	uint64_t quit_at;
	void (*gone)(void *arg);
	void *gone_arg;
};

static const char *key_of(const struct supervisor *s, size_t unit)
{
	return s->units[unit].ops->setup(s->units[unit].arg).key;
}

static const struct port *port_of(const struct supervisor *s)
{
	return s->units[0].ops->port(s->units[0].arg);
}

static void set_timer(struct supervisor *s, uint64_t delay_ns)
{
	loop_set_timer(s->timer, delay_ns);
}

/* --- the end of a worker --------------------------------------------------------------------- */

static void free_when_done(struct supervisor *s)
{
	if (!s->stopped || s->allowance.held > 0)
		return;
	loop_drop(s->timer);
	loop_drop(s->folder);
	buffer_finish(&s->in);
	buffer_finish(&s->out);
	free(s);
}

static void close_socket(struct supervisor *s)
{
	s->io = loop_drop(s->io);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void supervise_worked(struct supervisor *s)
{
	if (s->ready_at == 0)
		s->ready_at = clock_boot();
}

static const char *const exits[] = {
	[WIRE_EXIT_CLEAN] = "the worker ended without a request (exit code 0)",
	[WIRE_EXIT_NOT_OPENED] = "the port cannot be opened",
	[WIRE_EXIT_LOST] = "the port was lost",
	[WIRE_EXIT_SETUP] =
		"the driver cannot be loaded, or its settings are unusable (exit code 12)",
	[WIRE_EXIT_DRIVER] = "the driver broke the rules of its interface (exit code 14)",
	[WIRE_EXIT_MEMORY] = "the worker had no memory (exit code 15)",
	[WIRE_EXIT_UNSAFE] = "a hazard could not be switched off (exit code 16)",
	[WIRE_EXIT_OVER] = "the recording is over",
};

static void describe_end(const struct supervisor *s, const siginfo_t *si, char *text, size_t size)
{
	if (s->punished[0] != '\0')
		snprintf(text, size, "%s", s->punished);
	else if (s->killed)
		snprintf(text, size, "the worker hung and was killed");
	else if (si->si_code != CLD_EXITED && si->si_status == SIGSYS)
		snprintf(text, size,
			"the worker was ended by a system call that is refused, such as to make a "
			"thread");
	else if (si->si_code != CLD_EXITED)
		snprintf(text, size, "the worker crashed (signal %d)", si->si_status);
	else if ((size_t)si->si_status < sizeof exits / sizeof *exits &&
		 exits[si->si_status] != NULL)
		snprintf(text, size, "%s", exits[si->si_status]);
	else
		snprintf(text, size, "the worker ended (exit code %d)", si->si_status);
}

static void finish_stop(struct supervisor *s)
{
	s->stopped = true;
	if (s->recording != NULL)
		recording_port_gone(s->recording);
	s->recording = NULL;
	void (*gone)(void *) = s->gone;
	void *arg = s->gone_arg;
	free_when_done(s);
	if (gone != NULL)
		gone(arg);
}

static void read_messages(struct supervisor *s);

static void on_child(void *arg, const siginfo_t *si)
{
	struct supervisor *s = arg;
	allowance_end(&s->allowance);
	read_messages(s); /* that it sent before it ended */
	worker_stderr_close(&s->errors);
	s->child = loop_drop(s->child);
	close_socket(s);
	s->pid = 0;
	char why[120];
	describe_end(s, si, why, sizeof why);
	if (s->recording != NULL)
		recording_worker_ended(s->recording, why);
	s->is_recording = s->recording != NULL;
	bool clean = si->si_code == CLD_EXITED && si->si_status == WIRE_EXIT_CLEAN;
	for (size_t i = 0; i < s->count; i++)
		s->units[i].ops->lost(s->units[i].arg, clean && s->stopping ? NULL : why);
	s->is_over = si->si_code == CLD_EXITED && si->si_status == WIRE_EXIT_OVER;
	if (s->stopping) {
		finish_stop(s);
		return;
	}
	/* A worker that was started too early has missed the device. */
	if (s->is_plugged || (s->ready_at != 0 && clock_boot() - s->ready_at >= STEADY_NS))
		s->backoff = (struct backoff){0};
	set_timer(s, backoff_next(&s->backoff, BACKOFF_FIRST_NS, BACKOFF_MAX_NS));
}

static void kill_worker(struct supervisor *s)
{
	if (s->pid > 0)
		kill(s->pid, SIGKILL);
}

void supervise_punish(struct supervisor *s, const char *why)
{
	log_error("%s: %s: the worker is ended", key_of(s, 0), why);
	snprintf(s->punished, sizeof s->punished, "%s", why);
	kill_worker(s);
	close_socket(s);
}

/* --- messages -------------------------------------------------------------------------------- */

static int take_beat(struct supervisor *s, const struct wire_message *m)
{
	struct wire_beat beat;
	int r = wire_read_beat(m, &beat);
	if (r < 0)
		return r;
	s->beat_at = clock_boot();
	if (beat.progress != s->progress)
		s->slept = 0;
	s->progress = beat.progress;
	s->deadline = beat.deadline != 0 ? beat.deadline + s->slept : 0;
	return 0;
}

static int take_hello(struct supervisor *s, const struct wire_message *m)
{
	struct wire_hello hello;
	int r = wire_read_hello(m, &hello);
	if (r < 0 || hello.version != WIRE_VERSION)
		return -EBADMSG;
	text_copy(s->lacking, sizeof s->lacking, hello.lacking);
	text_make_printable(s->lacking);
	if (s->lacking[0] != '\0' && s->starts == 1)
		log_warn("%s: the worker runs without: %s", key_of(s, 0), s->lacking);
	return 0;
}

static int take_log(struct supervisor *s, const struct wire_message *m)
{
	struct wire_log log;
	int r = wire_read_log(m, &log);
	if (r < 0)
		return r;
	enum log_level level = log.level <= 3   ? LOG_LEVEL_ERROR
			       : log.level == 4 ? LOG_LEVEL_WARN
			       : log.level <= 6 ? LOG_LEVEL_INFO
						: LOG_LEVEL_DEBUG;
	const char *key = key_of(s, m->unit < s->count ? m->unit : 0);
	log_write(level, key, "%.*s", (int)log.text.len, log.text.data);
	return 0;
}

static int take_port_state(struct supervisor *s, const struct wire_message *m)
{
	for (size_t i = 0; i < s->count; i++) {
		int r = s->units[i].ops->message(s->units[i].arg, m);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_opened(struct supervisor *s, const struct wire_message *m)
{
	struct wire_opened opened;
	int r = wire_read_opened(m, &opened);
	if (r < 0)
		return r;
	text_copy(s->address, sizeof s->address, opened.address);
	text_make_printable(s->address);
	return take_port_state(s, m);
}

/* Drops late records of a cancelled recording. */
static int take_captured(struct supervisor *s, const struct wire_message *m)
{
	int r = s->recording != NULL ? recording_take(s->recording, m->payload, m->len) : 0;
	s->is_recording = s->recording != NULL || (s->is_recording && m->len > 0);
	return r;
}

static int take_frame(struct supervisor *s, const struct wire_message *m)
{
	if (!allowance_spend(&s->allowance, m->size)) {
		supervise_punish(s, "the worker sent more frames than the core had room for");
		return 0;
	}
	return s->units[m->unit].ops->message(s->units[m->unit].arg, m);
}

static int take_message(struct supervisor *s, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_HELLO: return take_hello(s, m);
	case WIRE_BEAT: return take_beat(s, m);
	case WIRE_LOG: return take_log(s, m);
	case WIRE_CAPTURED: return take_captured(s, m);
	case WIRE_OPENED: return take_opened(s, m);
	default: break;
	}
	if (m->type < WIRE_HELLO)
		return -EBADMSG; /* a message type of the core */
	if (m->unit == WIRE_PORT)
		return m->type == WIRE_STATE ? take_port_state(s, m) : -EBADMSG;
	if (m->unit >= s->count)
		return -EBADMSG;
	if (m->type == WIRE_FRAME)
		return take_frame(s, m);
	return s->units[m->unit].ops->message(s->units[m->unit].arg, m);
}

static void set_events(struct supervisor *s)
{
	if (s->io != NULL)
		loop_set_events(s->io,
			(s->allowance.is_waiting ? 0 : EPOLLIN) | (s->out.len > 0 ? EPOLLOUT : 0));
}

/* True: its socket is not read until the next look. */
static bool has_too_many(struct supervisor *s, const struct wire_message *m)
{
	if (allowance_admits(&s->allowance, m->type, key_of(s, 0)))
		return false;
	set_events(s);
	return true;
}

/* Handles whole messages; false when the worker had to be ended, or has to wait. */
static bool take_messages(struct supervisor *s)
{
	for (;;) {
		struct wire_message m;
		int r = wire_next(s->in.data + s->in_at, s->in.len - s->in_at, &m);
		if (r == 0 || (r > 0 && has_too_many(s, &m)))
			break;
		if (r > 0)
			r = take_message(s, &m);
		if (s->fd < 0)
			return false; /* killed by one of the messages */
		if (r < 0) {
			supervise_punish(s, "the worker broke the protocol");
			return false;
		}
		s->in_at += m.size;
	}
	buffer_consume(&s->in, s->in_at);
	s->in_at = 0;
	return !s->allowance.is_waiting;
}

static void read_messages(struct supervisor *s)
{
	for (size_t turn = 0; turn < READ_TURN && s->fd >= 0 && !s->allowance.is_waiting;) {
		uint8_t *to = buffer_reserve(&s->in, READ_STEP);
		if (to == NULL) {
			supervise_punish(s, "no memory for its messages");
			return;
		}
		ssize_t n = recv(s->fd, to, READ_STEP, MSG_DONTWAIT);
		if (n <= 0) {
			if (n == 0 || (errno != EAGAIN && errno != EINTR))
				close_socket(s); /* its exit is on the way */
			return;
		}
		s->in.len += (size_t)n;
		turn += (size_t)n;
		if (!take_messages(s))
			return;
		if ((size_t)n < READ_STEP)
			return;
	}
}

/* Once a second.  Its beats wait too. */
static void allow_records(struct supervisor *s)
{
	if (s->allowance.is_waiting)
		s->beat_at = clock_boot();
	if (allowance_renew(&s->allowance, s->count, key_of(s, 0))) {
		set_events(s);
		if (take_messages(s))
			read_messages(s);
	}
}

static void flush(struct supervisor *s)
{
	while (s->fd >= 0 && s->out.len > 0) {
		ssize_t n = send(s->fd, s->out.data, s->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR) {
			buffer_reset(&s->out); /* it is about to end */
			break;
		}
		if (n > 0)
			buffer_consume(&s->out, (size_t)n);
	}
	set_events(s);
}

static void on_io(void *arg, uint32_t events)
{
	struct supervisor *s = arg;
	if ((events & EPOLLOUT) != 0)
		flush(s);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		read_messages(s);
}

void supervise_send(struct supervisor *s, struct buffer *message)
{
	if (s->fd >= 0 && !message->failed) {
		bool idle = s->out.len == 0;
		buffer_append(&s->out, message->data, message->len);
		if (s->out.failed)
			supervise_punish(s, "no memory for messages to it");
		else if (idle)
			flush(s);
	}
	buffer_reset(message);
}

void supervise_hold(struct supervisor *s)
{
	s->allowance.held++;
}

void supervise_release(struct supervisor *s, uint64_t bytes)
{
	allowance_return(&s->allowance, bytes);
	uint64_t credit = s->fd >= 0 ? allowance_grant(&s->allowance) : 0;
	if (credit > 0) {
		struct buffer message = {0};
		wire_write_credit(&message, credit);
		supervise_send(s, &message);
		buffer_finish(&message);
	}
	free_when_done(s);
}

/* --- starting a worker ------------------------------------------------------------------------ */

static void write_setup(struct supervisor *s, struct buffer *out)
{
	struct unit units[PORT_UNITS_MAX];
	struct buffer taken = {0};
	for (size_t i = 0; i < s->count; i++)
		units[i] = s->units[i].ops->setup(s->units[i].arg);
	struct wire_setup setup = {
		.drivers = s->host->drivers,
		.port = *port_of(s),
		.units = units,
		.unit_count = s->count,
	};
	if (s->faults[0] != '\0')
		setup.port.faults = s->faults;
	if (s->units[0].ops->taken != NULL)
		s->units[0].ops->taken(s->units[0].arg, &taken);
	setup.taken = (struct assay_span){taken.data, taken.len};
	wire_write_setup(out, &setup);
	out->failed = out->failed || taken.failed;
	buffer_finish(&taken);
	wire_write_credit(out, s->allowance.granted);
}

/* Starts the process with the other ends of the socket pair and of its standard error. */
static int start_process(struct supervisor *s, int fd)
{
	int error;
	int r = worker_stderr_open(&s->errors, s->host->loop, key_of(s, 0), &error);
	if (r < 0)
		return r;
	r = s->host->start(s->host->worker, fd, error, &s->pid);
	close(error);
	if (r < 0)
		worker_stderr_close(&s->errors);
	return r;
}

static int start_worker(struct supervisor *s)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	int size = 1 << 20;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	int r = start_process(s, pair[1]);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	s->fd = pair[0];
	s->starts++;
	s->address[0] = s->lacking[0] = '\0';
	s->beat_at = clock_boot();
	s->ready_at = s->progress = s->deadline = 0;
	s->looked_at = s->slept = 0;
	allowance_begin(&s->allowance, s->host->credit_late);
	s->is_plugged = false;
	s->killed = false;
	s->punished[0] = '\0';
	s->in_at = 0;
	buffer_reset(&s->in);
	buffer_reset(&s->out);
	if (loop_add_fd(s->host->loop, &s->io, s->fd, EPOLLIN, on_io, s) < 0 ||
		loop_add_child(s->host->loop, &s->child, s->pid, on_child, s) < 0)
		return -ENOMEM;
	struct buffer message = {0};
	write_setup(s, &message);
	if (s->recording != NULL)
		recording_worker_starts(s->recording, &message);
	supervise_send(s, &message);
	buffer_finish(&message);
	return 0;
}

/* With a worker: is it alive?  Without: the back-off is over. */
static void on_timer(void *arg)
{
	struct supervisor *s = arg;
	uint64_t now = clock_boot();
	if (s->pid == 0) {
		int r = s->stopping || s->is_over ? 0 : start_worker(s);
		if (r < 0)
			log_error("cannot start %s: %s", s->host->worker, strerror(-r));
		set_timer(s, s->pid == 0 ? BACKOFF_MAX_NS : NS_PER_S);
		return;
	}
	/*
	 * The core did not run either: a machine that slept or was paused.  The worker gets the time
	 * again that it could not use.
	 */
	uint64_t slept = s->looked_at != 0 && now > s->looked_at + SLEPT_NS ? now - s->looked_at
									    : 0;
	s->looked_at = now;
	s->slept += slept;
	s->beat_at += slept;
	s->deadline += s->deadline != 0 ? slept : 0;
	s->quit_at += s->stopping ? slept : 0;
	allow_records(s);
	bool silent = now > s->beat_at + (s->deadline != 0 ? BEAT_LIMIT_NS : REST_LIMIT_NS);
	/* Of a worker that has to wait, old beats are read: their deadlines are over. */
	bool stuck = s->allowance.waited == 0 && s->deadline != 0 &&
		     now > s->deadline + STEP_GRACE_NS;
	bool overdue = s->stopping && now > s->quit_at + QUIT_LIMIT_NS;
	if (!s->killed && (silent || stuck || overdue)) {
		s->killed = true;
		kill_worker(s);
	}
	set_timer(s, clock_to_second());
}

/* --- hotplug --------------------------------------------------------------------------------- */

void supervise_look(struct supervisor *s)
{
	const struct port *port = port_of(s);
	if (port->port != NULL ? access(port->port, F_OK) < 0 : !port_kind(port)->is_searched)
		return; /* of another port, or nothing that is plugged in */
	s->is_plugged = true;
	if (s->pid == 0 && !s->stopping) {
		s->backoff = (struct backoff){0};
		set_timer(s, 0);
	}
}

static void on_folder(void *arg)
{
	supervise_look(arg);
}

/*
 * The folder of the port's path, for devices that come without udev.  That of udev's links goes with
 * the last of them, and the watch with it; udev reports the next one.
 */
static void watch_folder(struct supervisor *s)
{
	const struct port *port = port_of(s);
	char path[256];
	if (port->port != NULL && snprintf(path, sizeof path, "%s", port->port) < (int)sizeof path)
		loop_add_folder(s->host->loop, &s->folder, dirname(path), on_folder, s);
}

int supervise_start(const struct port_host *host, const struct port_unit *units, size_t count,
	struct supervisor **out)
{
	assert(count > 0 && count <= PORT_UNITS_MAX);
	struct supervisor *s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->host = host;
	s->fd = -1;
	s->count = count;
	s->in.limit = WIRE_PAYLOAD_MAX + WIRE_HEAD_BYTES + READ_STEP;
	memcpy(s->units, units, count * sizeof *units);
	int r = loop_add_timer(host->loop, &s->timer, on_timer, s);
	if (r < 0) {
		free(s);
		return r;
	}
	watch_folder(s);
	set_timer(s, 0);
	*out = s;
	return 0;
}

void supervise_stop(struct supervisor *s, void (*gone)(void *arg), void *arg)
{
	assert(!s->stopping);
	s->stopping = true;
	s->gone = gone;
	s->gone_arg = arg;
	s->quit_at = clock_boot();
	if (s->pid == 0) {
		for (size_t i = 0; i < s->count; i++)
			s->units[i].ops->lost(s->units[i].arg, NULL);
		finish_stop(s);
		return;
	}
	struct buffer message = {0};
	wire_write_quit(&message);
	supervise_send(s, &message);
	buffer_finish(&message);
}

bool supervise_is_stopping(const struct supervisor *s)
{
	return s->stopping;
}

void supervise_set_faults(struct supervisor *s, const char *text)
{
	struct buffer message = {0};
	snprintf(s->faults, sizeof s->faults, "%s", text);
	wire_write_faults(&message, s->faults);
	if (s->pid != 0)
		supervise_send(s, &message);
	buffer_finish(&message);
}

const char *supervise_faults(const struct supervisor *s)
{
	const char *text = s->faults[0] != '\0' ? s->faults : port_of(s)->faults;
	return text == NULL || strcmp(text, "off") == 0 ? "" : text;
}

static bool request_records(void *arg, bool on, uint64_t bytes)
{
	struct supervisor *s = arg;
	struct buffer message = {0};
	struct wire_capture capture = {.on = on, .bytes = bytes};
	wire_write_capture(&message, &capture);
	supervise_send(s, &message);
	buffer_finish(&message);
	return s->pid != 0;
}

static void attach_recording(void *arg, struct recording *recording)
{
	struct supervisor *s = arg;
	s->recording = recording;
	s->is_recording = recording != NULL || (s->is_recording && s->pid != 0);
}

struct recording_port supervise_recording_port(struct supervisor *s)
{
	return (struct recording_port){s, request_records, attach_recording};
}

bool supervise_is_recording(const struct supervisor *s)
{
	return s->is_recording;
}

int supervise_pid(const struct supervisor *s)
{
	return (int)s->pid;
}

const char *supervise_address(const struct supervisor *s)
{
	return s->pid != 0 ? s->address : "";
}

const char *supervise_lacking(const struct supervisor *s)
{
	return s->pid != 0 ? s->lacking : "";
}

unsigned supervise_starts(const struct supervisor *s)
{
	return s->starts;
}
