/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "decoder.h"
#include "differ.h"
#include "file.h"
#include "print.h"
#include "record/encode.h"
#include "wire/reparse.h"

#define ANSWER_NS (60 * NS_PER_S)

/* --- the process ------------------------------------------------------------------------------ */

static int spawn_worker(struct decoder *decoder, const struct options *options, const int in[2],
	const int out[2], int error)
{
	char name[] = "assay-worker", reparse[] = "--reparse", drivers[] = "--drivers";
	char *argv[] = {name, reparse, decoder->driver, drivers, (char *)options->drivers, NULL};
	posix_spawn_file_actions_t actions;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	int r = posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(&decoder->pid, options->worker, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		decoder->pid = 0;
	return -r;
}

void decoder_stop(struct decoder *decoder)
{
	if (decoder->pid > 0) {
		close(decoder->in);
		close(decoder->out);
		kill(decoder->pid, SIGKILL); /* it keeps nothing */
		waitpid(decoder->pid, NULL, 0);
		log_captured("driver", decoder->error);
	}
	decoder->pid = 0;
	buffer_finish(&decoder->answer);
}

/* --- messages --------------------------------------------------------------------------------- */

static int receive_all(int fd, uint8_t *to, size_t len, uint64_t deadline)
{
	while (len > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ready = poll(&p, 1, clock_ms_until(deadline));
		if (ready == 0)
			return -ETIMEDOUT;
		ssize_t n = ready > 0 ? read(fd, to, len) : -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive_message(struct decoder *decoder)
{
	uint64_t deadline = clock_boot() + ANSWER_NS;
	uint32_t size;
	int r = receive_all(decoder->out, (uint8_t *)&size, sizeof size, deadline);
	size = le32toh(size);
	buffer_reset(&decoder->answer);
	if (r == 0 && (size > REPARSE_MAX || buffer_reserve(&decoder->answer, size) == NULL))
		r = -EPIPE;
	if (r == 0)
		r = receive_all(decoder->out, decoder->answer.data, size, deadline);
	decoder->answer.len = r == 0 ? size : 0;
	return r;
}

/* {driver, version} | {kind, vars} | {error} */
struct answer {
	struct assay_string version, error, kind;
	struct assay_span vars;
};

static const struct keys answer_keys = {
	.rows = (const struct key[]){{"version", KEY_TEXT, KEY_AT(struct answer, version)},
		{"error", KEY_TEXT, KEY_AT(struct answer, error)},
		{"kind", KEY_TEXT, KEY_AT(struct answer, kind)}, ROW_RAW(struct answer, vars), {0}},
	.open = true};

static int receive_answer(struct decoder *decoder, struct answer *answer)
{
	*answer = (struct answer){0};
	int r = receive_message(decoder);
	if (r == 0 &&
		keys_decode(&answer_keys, decoder->answer.data, decoder->answer.len, answer) < 0)
		r = -EPIPE;
	return r;
}

int decoder_start(struct decoder *decoder, const struct options *options, const char *driver,
	char why[DECODER_TEXT])
{
	int in[2], out[2];
	struct answer answer;
	*decoder = (struct decoder){0};
	snprintf(decoder->driver, sizeof decoder->driver, "%s", driver);
	snprintf(why, DECODER_TEXT, "%s cannot be started with driver %s", options->worker, driver);
	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return -EMFILE;
	}
	int error = -1;
	decoder->error = log_capture(&error);
	int r = decoder->error < 0 ? decoder->error
				   : spawn_worker(decoder, options, in, out, error);
	if (decoder->error >= 0)
		close(error);
	close(in[0]);
	close(out[1]);
	decoder->in = in[1];
	decoder->out = out[0];
	if (r < 0) {
		close(in[1]);
		close(out[0]);
		log_captured("driver", decoder->error);
		return r;
	}
	r = receive_answer(decoder, &answer);
	print_safe(decoder->version, sizeof decoder->version, answer.version);
	if (r < 0)
		decoder_stop(decoder);
	return r;
}

static int send_request(struct decoder *decoder, struct assay_span settings, struct assay_span raw,
	struct assay_span references)
{
	uint8_t head[REPARSE_SIZE_BYTES + 1] = {[REPARSE_SIZE_BYTES] = 0x83}; /* array of three */
	static const uint8_t none[] = {0x80};
	if (references.len == 0)
		references = (struct assay_span){none, sizeof none};
	uint32_t size = htole32((uint32_t)(1 + settings.len + raw.len + references.len));
	memcpy(head, &size, sizeof size);
	int r = file_write(decoder->in, head, sizeof head);
	if (r == 0)
		r = file_write(decoder->in, settings.data, settings.len);
	if (r == 0)
		r = file_write(decoder->in, raw.data, raw.len);
	if (r == 0)
		r = file_write(decoder->in, references.data, references.len);
	return r;
}

/* The result of decode(), borrowed until the next request. */
struct decoded {
	struct assay_string kind;
	struct assay_span vars; /* CBOR array */
};

/*
 * Decodes one frame's raw blocks with these settings (CBOR array and map).  0; 1 with `why`: the
 * driver cannot; -EPIPE, -ETIMEDOUT: it crashed or hung, and is gone.
 */
static int ask_decoder(struct decoder *decoder, struct assay_span settings, struct assay_span raw,
	struct assay_span references, struct decoded *decoded, char why[DECODER_TEXT])
{
	struct answer answer;
	int r = send_request(decoder, settings, raw, references);
	if (r == 0)
		r = receive_answer(decoder, &answer);
	if (r < 0) {
		snprintf(why, DECODER_TEXT, "the driver %s on it",
			r == -ETIMEDOUT ? "hangs" : "crashes");
		decoder_stop(decoder);
		return r;
	}
	*decoded = (struct decoded){.kind = answer.kind, .vars = answer.vars};
	bool is_decoded = answer.error.data == NULL && answer.vars.data != NULL;
	if (!is_decoded)
		print_safe(why, DECODER_TEXT, answer.error);
	return !is_decoded;
}

bool decoder_has_data(struct assay_span raw)
{
	struct reader r;
	size_t count = 0;
	struct assay_span block;
	if (raw.data == NULL)
		return false;
	read_init(&r, raw.data, raw.len);
	read_array(&r, &count);
	for (size_t i = 0; i < count; i++) {
		if (read_raw(&r, &block) < 0 || keys_value(block, string_of("data")).data == NULL)
			return false;
	}
	return count > 0;
}

int decoder_compare(struct decoder *decoder, const struct assay_frame_view *frame,
	struct assay_span settings, struct assay_span references, char text[DECODER_TEXT])
{
	struct decoded decoded;
	char where[DIFFER_TEXT] = "its kind";
	if (ask_decoder(decoder, settings, frame->raw, references, &decoded, text) != 0)
		return -1;
	if (assay_string_is(decoded.kind, assay_frame_kind_name(frame->kind)) &&
		!vars_differ(frame->vars, decoded.vars, where))
		return 0;
	snprintf(text, DECODER_TEXT, "%s", where);
	return 1;
}
