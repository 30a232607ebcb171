/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/read.h"
#include "record/encode.h"
#include "record/json.h"
#include "record/text.h"
#include "try/lines.h"
#include "try/show.h"
#include "try/trial.h"
#include "wire/exit.h"
#include "wire/process.h"

#define CREDIT      (64 << 20)
#define READ_STEP   (64 << 10)
#define SILENT_NS   (20 * NS_PER_S) /* a worker sends a beat at least every eight */
#define HANG_NS     (5 * NS_PER_S)  /* past the deadline of the driver's step */
#define LEAVE_NS    (30 * NS_PER_S) /* from QUIT to the exit */
#define PRINT_MS    50
#define RESCUES_MAX 3
#define RESCUE_MS   1000 /* between two of them */

enum stage {
	STAGE_MEASURE,
	STAGE_LEAVE, /* QUIT was sent */
	STAGE_KILLED,
};

struct trial {
	const struct trial_options *options;
	const struct config_instrument *instrument;
	struct lines lines;
	pid_t pid;
	int fd; /* of the worker; -1: it has closed it */
	struct buffer in, out;
	uint64_t frames, shown; /* that came, with and without partial ones */
	uint64_t heard_at, quit_at;
	struct wire_beat beat;
	enum stage stage;
	bool is_rescue; /* this worker only makes the instrument safe */
	bool has_failed, is_interrupted, has_hazard;
	char last[2 *
		  WIRE_TEXT_MAX]; /* text that was reported: the unit's and the port's may be one */
};

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
	signalled = number;
}

/* --- output ----------------------------------------------------------------------------------- */

static void put_line(struct trial *trial, char *text)
{
	if (trial->options->json)
		free(text);
	else
		lines_add(&trial->lines, clock_boot(), text);
}

static void put_json(const struct buffer *event)
{
	struct buffer json = {0};
	if (!event->failed && json_write(&json, event->data, event->len) == 0 && !json.failed)
		printf("%.*s\n", (int)json.len, (const char *)json.data);
	fflush(stdout);
	buffer_finish(&json);
}

void trial_put_event(const char *name, const char *code, const char *text)
{
	struct buffer event = {0};
	struct map map;
	map_open(&map, &event);
	map_text(&map, "event", name);
	map_text(&map, "code", code);
	map_text(&map, "text", text);
	map_close(&map);
	put_json(&event);
	buffer_finish(&event);
}

/* A failure or a change of the link or instrument, in words. */
static void report(
	struct trial *trial, const char *event, struct assay_string code, struct assay_string text)
{
	char shown[sizeof trial->last], name[40];
	text_escape(shown, sizeof shown, text);
	text_escape(name, sizeof name, code);
	if (shown[0] == '\0')
		snprintf(shown, sizeof shown, "%s", name);
	if (strcmp(shown, trial->last) == 0)
		return;
	memcpy(trial->last, shown, sizeof shown);
	if (trial->options->json)
		trial_put_event(event, name, shown);
	else
		put_line(trial, show_text("%s: %s\n", event, shown));
}

static void fail(struct trial *trial, const char *text)
{
	trial->has_failed = true;
	report(trial, "failed", string_of(""), string_of(text));
}

/* --- messages to the worker ------------------------------------------------------------------- */

static void send_all(struct trial *trial)
{
	for (size_t at = 0; at < trial->out.len;) {
		ssize_t n = send(
			trial->fd, trial->out.data + at, trial->out.len - at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* its end is seen when its messages are read */
		at += (size_t)n;
	}
	buffer_reset(&trial->out);
}

static void leave(struct trial *trial)
{
	if (trial->stage != STAGE_MEASURE)
		return;
	trial->stage = STAGE_LEAVE;
	trial->quit_at = clock_boot();
	wire_write_quit(&trial->out);
}

static void start(struct trial *trial)
{
	struct wire_start start = {
		.mode = WIRE_ONCE, .frames = trial->options->frames - trial->frames};
	wire_write_start(&trial->out, 0, &start);
}

/* --- messages of the worker ------------------------------------------------------------------- */

static int take_hello(struct trial *trial, const struct wire_message *m)
{
	struct wire_hello hello;
	int r = wire_read_hello(m, &hello);
	if (r == 0 && hello.lacking.len > 0)
		report(trial, "not confined as usual, the kernel lacks", string_of(""),
			hello.lacking);
	return r;
}

static int take_opened(struct trial *trial, const struct wire_message *m)
{
	struct wire_opened opened;
	int r = wire_read_opened(m, &opened);
	if (r == 0 && opened.address.len > 0)
		report(trial, "connected", string_of(""), opened.address);
	return r;
}

static int take_identity(struct trial *trial, const struct wire_message *m)
{
	struct wire_identity identity;
	struct buffer event = {0};
	struct map map;
	int r = wire_read_identity(m, &identity);
	if (r < 0)
		return r;
	if (trial->options->json) {
		map_open(&map, &event);
		map_text(&map, "event", "identity");
		map_bool(&map, "declared", identity.declared);
		map_text_n(&map, "make", identity.make.data, identity.make.len);
		map_text_n(&map, "model", identity.model.data, identity.model.len);
		map_text_n(&map, "serial", identity.serial.data, identity.serial.len);
		map_text_n(&map, "fw", identity.fw.data, identity.fw.len);
		map_close(&map);
		put_json(&event);
		buffer_finish(&event);
	} else {
		put_line(trial, show_identity(&identity));
	}
	if (trial->options->frames == 0 && !trial->is_rescue) {
		leave(trial);
	} else if (trial->stage == STAGE_MEASURE) {
		struct wire_go go = {.safe = trial->is_rescue, .look = trial->is_rescue};
		wire_write_go(&trial->out, 0, &go);
	}
	return 0;
}

static int take_ready(struct trial *trial, const struct wire_message *m)
{
	struct assay_span settings;
	int r = wire_read_ready(m, &settings);
	if (r < 0 || trial->stage != STAGE_MEASURE)
		return r;
	if (trial->is_rescue) {
		leave(trial);
		return 0;
	}
	put_line(trial, show_settings("configured, as sent or read back:", settings));
	start(trial);
	return 0;
}

static int take_frame(struct trial *trial, const struct wire_message *m)
{
	struct wire_frame frame;
	int r = wire_read_frame(m, &frame);
	if (r < 0)
		return r;
	wire_write_credit(&trial->out, m->size);
	trial->frames++;
	if (!trial->options->json) {
		put_line(trial, show_frame(&frame, trial->frames));
		return 0;
	}
	struct buffer event = {0};
	encode_map(&event, 2u + frame.pairs);
	encode_text(&event, "event");
	encode_text(&event, "frame");
	encode_text(&event, "quality");
	encode_text(&event, assay_quality_name((enum assay_quality_flag)frame.quality));
	encode_raw(&event, frame.part.data, frame.part.len);
	put_json(&event);
	buffer_finish(&event);
	return 0;
}

static int take_ended(struct trial *trial, const struct wire_message *m)
{
	struct wire_ended ended;
	int r = wire_read_ended(m, &ended);
	if (r < 0)
		return r;
	bool is_whole = ended.end == WIRE_END_COMPLETE || ended.end == WIRE_END_STOPPED;
	if (!is_whole && !trial->is_interrupted) {
		trial->has_failed = true;
		report(trial, ended.end == WIRE_END_NOT_STARTED ? "not started" : "failed",
			ended.code, ended.text);
	} else if (ended.text.len > 0) {
		report(trial, "ended", ended.code, ended.text);
	}
	bool goes_on = is_whole && ended.text.len == 0 && trial->frames > 0 &&
		       trial->frames < trial->options->frames;
	if (goes_on && trial->stage == STAGE_MEASURE)
		start(trial);
	else
		leave(trial);
	return 0;
}

static int take_state(struct trial *trial, const struct wire_message *m)
{
	struct wire_state state;
	int r = wire_read_state(m, &state);
	if (r < 0)
		return r;
	if (assay_string_is(state.state, "fault")) {
		trial->has_failed = trial->has_failed || !trial->is_interrupted;
		report(trial, "failed", state.code, state.text);
		leave(trial);
	} else if (state.values.len > 0) {
		put_line(trial, show_settings("busy:", state.values));
	}
	return 0;
}

static int take_hazard(struct trial *trial, const struct wire_message *m)
{
	int r = wire_read_hazard(m, &trial->has_hazard);
	if (r == 0)
		report(trial, "hazard", string_of(""),
			string_of(trial->has_hazard ? "something harmful is switched on"
						    : "all is switched off"));
	return r;
}

static int take_log(struct trial *trial, const struct wire_message *m)
{
	struct wire_log log;
	int r = wire_read_log(m, &log);
	if (r == 0)
		report(trial, log.level <= 4 ? "warning" : "log", string_of(""), log.text);
	return r;
}

static int take_captured(struct trial *trial, const struct wire_message *m)
{
	struct capture_record record;
	long n = 0;
	for (size_t at = 0; at < m->len; at += (size_t)n) {
		n = capture_read(m->payload + at, m->len - at, &record);
		if (n <= 0)
			return -EBADMSG;
		if (record.kind != CAPTURE_OPENED)
			lines_add(&trial->lines, record.mono, show_record(&record));
	}
	struct wire_capture more = {true, m->len};
	wire_write_capture(&trial->out, &more);
	return 0;
}

static int take(struct trial *trial, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_HELLO: return take_hello(trial, m);
	case WIRE_OPENED: return take_opened(trial, m);
	case WIRE_IDENTITY: return take_identity(trial, m);
	case WIRE_READY: return take_ready(trial, m);
	case WIRE_STARTED: return 0;
	case WIRE_FRAME: return take_frame(trial, m);
	case WIRE_ENDED: return take_ended(trial, m);
	case WIRE_STATE: return take_state(trial, m);
	case WIRE_HAZARD: return take_hazard(trial, m);
	case WIRE_LOG: return take_log(trial, m);
	case WIRE_BEAT: return wire_read_beat(m, &trial->beat);
	case WIRE_CAPTURED: return take_captured(trial, m);
	default: return -EBADMSG;
	}
}

/* --- the worker ------------------------------------------------------------------------------- */

/* The driver may write anything to `error`. */
static int spawn_worker(struct trial *trial, int error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	int r = process_start(trial->options->worker, pair[1], error, &trial->pid);
	close(pair[1]);
	trial->fd = pair[0];
	if (r < 0)
		close(pair[0]);
	return r;
}

static void send_setup(struct trial *trial)
{
	const struct config_instrument *instrument = trial->instrument;
	struct unit unit = {.key = instrument->key,
		.driver = instrument->driver->name,
		.unit_id = instrument->unit_id,
		.raw = UNIT_RAW_OFF,
		.settings = instrument->settings.data,
		.settings_len = instrument->settings.len};
	struct wire_setup setup = {.drivers = trial->options->drivers,
		.port = instrument->port,
		.units = &unit,
		.unit_count = 1};
	wire_write_setup(&trial->out, &setup);
	wire_write_credit(&trial->out, CREDIT);
	if (!trial->options->json) {
		struct wire_capture capture = {true, CREDIT};
		wire_write_capture(&trial->out, &capture);
	}
	send_all(trial);
}

static void kill_worker(struct trial *trial, const char *why)
{
	fail(trial, why);
	trial->stage = STAGE_KILLED;
	kill(trial->pid, SIGKILL);
}

static void look_after(struct trial *trial)
{
	uint64_t now = clock_boot();
	if (trial->stage == STAGE_KILLED)
		return;
	if (signalled != 0 && !trial->is_interrupted && !trial->is_rescue) {
		trial->is_interrupted = true;
		report(trial, "interrupted", string_of(""),
			string_of("the measurement is aborted, then the instrument is made safe"));
		wire_write_abort(&trial->out, 0);
		leave(trial);
	}
	if (trial->stage == STAGE_LEAVE && now > trial->quit_at + LEAVE_NS)
		kill_worker(trial, "the worker does not end");
	else if (trial->beat.deadline != 0 && now > trial->beat.deadline + HANG_NS)
		kill_worker(trial, "the driver hangs");
	else if (now > trial->heard_at + SILENT_NS)
		kill_worker(trial, "the worker hangs");
}

/* Reads and takes messages; false at the end of the worker's socket. */
static bool receive(struct trial *trial)
{
	struct wire_message message;
	uint8_t *to = buffer_reserve(&trial->in, READ_STEP);
	ssize_t n = to != NULL ? recv(trial->fd, to, READ_STEP, MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	trial->in.len += (size_t)n;
	trial->heard_at = clock_boot();
	size_t at = 0;
	int r;
	while ((r = wire_next(trial->in.data + at, trial->in.len - at, &message)) > 0) {
		r = take(trial, &message);
		if (r < 0)
			break;
		at += message.size;
	}
	buffer_consume(&trial->in, at);
	if (r < 0 && trial->stage != STAGE_KILLED)
		kill_worker(trial, "the worker breaks the rules of messages");
	return true;
}

/* Runs one worker to its end: its exit code, or 128 + signal. */
static int run_worker(struct trial *trial, const sigset_t *unblocked)
{
	trial->stage = STAGE_MEASURE;
	trial->beat = (struct wire_beat){0};
	trial->heard_at = clock_boot();
	buffer_reset(&trial->in);
	int error = -1, lines = log_capture(&error);
	int r = lines < 0 ? lines : spawn_worker(trial, error);
	close(error);
	if (r < 0) {
		log_captured("driver", lines);
		fail(trial, "assay-worker cannot be started");
		return WIRE_EXIT_SETUP;
	}
	send_setup(trial);
	for (bool is_open = true; is_open;) {
		struct pollfd p = {.fd = trial->fd, .events = POLLIN};
		struct timespec step = {.tv_nsec = PRINT_MS * (long)NS_PER_MS};
		ppoll(&p, 1, &step, unblocked);
		is_open = p.revents == 0 || receive(trial);
		look_after(trial);
		send_all(trial);
		lines_print(&trial->lines, clock_boot() - LINES_WAIT_NS);
	}
	int status = 0;
	close(trial->fd);
	while (waitpid(trial->pid, &status, 0) < 0 && errno == EINTR)
		;
	log_captured("driver", lines);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A worker that died or could not leave in order, by its exit code. */
static void explain_end(struct trial *trial, int code)
{
	static const char *const reasons[] = {[WIRE_EXIT_SETUP] = "the driver cannot be used",
		[WIRE_EXIT_DRIVER] = "the driver broke the rules of <assay/driver.h>",
		[WIRE_EXIT_MEMORY] = "no memory",
		[WIRE_EXIT_UNSAFE] = "the instrument could not be made safe"};
	if (code > 128 && trial->stage != STAGE_KILLED) {
		char *text = show_text("the driver crashed: %s", strsignal(code - 128));
		fail(trial, text != NULL ? text : "the driver crashed");
		free(text);
	} else if (code == WIRE_EXIT_LOST || code == WIRE_EXIT_NOT_OPENED) {
		trial->has_failed = true; /* the reason came as a message */
	} else if (code < (int)(sizeof reasons / sizeof *reasons) && reasons[code] != NULL) {
		fail(trial, reasons[code]);
	}
}

int trial_run(const struct trial_options *options, const struct config_instrument *instrument)
{
	struct trial trial = {.options = options,
		.instrument = instrument,
		.lines = {.start = clock_boot()},
		.in = {.limit = WIRE_PAYLOAD_MAX + WIRE_HEAD_BYTES + READ_STEP}};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t caught, unblocked;
	sigemptyset(&caught);
	for (const int *s = (const int[]){SIGINT, SIGTERM, SIGHUP, 0}; *s != 0; s++) {
		sigaddset(&caught, *s);
		sigaction(*s, &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &caught, &unblocked); /* they come in ppoll() only */
	for (const int *s = (const int[]){SIGINT, SIGTERM, SIGHUP, 0}; *s != 0; s++)
		sigdelset(&unblocked, *s);
	int code = run_worker(&trial, &unblocked);
	explain_end(&trial, code);
	for (int i = 0; i < RESCUES_MAX && trial.has_hazard; i++) {
		report(&trial, "hazard", string_of(""),
			string_of("another worker makes the instrument safe"));
		trial.is_rescue = true;
		if (i > 0)
			poll(NULL, 0, RESCUE_MS); /* it may be about to come back */
		explain_end(&trial, run_worker(&trial, &unblocked));
	}
	if (trial.has_hazard)
		fail(&trial, "something harmful may be on: switch the instrument off by hand");
	if (!trial.has_failed && !trial.is_interrupted && trial.frames < options->frames)
		fail(&trial, "the measurement ended before the requested frames");
	lines_print(&trial.lines, UINT64_MAX);
	buffer_finish(&trial.in);
	buffer_finish(&trial.out);
	return trial.has_hazard ? TRIAL_UNSAFE : trial.has_failed || trial.is_interrupted;
}
