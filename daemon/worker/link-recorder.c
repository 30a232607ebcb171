/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "capture/read.h"
#include "capture/write.h"
#include "worker/link-recorder.h"

#define HEAD_ROOM    (64u << 10)
#define WAITING_ROOM (1u << 20)
#define PIECE        (32u << 10) /* of one message: a frame waits no longer than for this */
#define ROWS(len)    (CAPTURE_ROW_BYTES + CAPTURE_SUM_BYTES + (len))

void link_recorder_finish(struct link_recorder *recorder)
{
	buffer_finish(&recorder->head);
	buffer_finish(&recorder->waiting);
}

static size_t waiting(const struct link_recorder *recorder)
{
	return recorder->waiting.len - recorder->sent;
}

void link_recorder_note(struct link_recorder *recorder, enum capture_kind kind, unsigned channel,
	const void *data, size_t len)
{
	bool is_needed = recorder->is_on || !recorder->is_past;
	struct capture_record record = {.kind = kind,
		.channel = channel,
		.mono = is_needed ? clock_boot() : 0,
		.data = data,
		.len = len};
	if (!recorder->is_past && recorder->head.len + ROWS(len) <= HEAD_ROOM) {
		capture_write(&recorder->head, &record);
	} else {
		recorder->is_past = true;
		if (kind == CAPTURE_OUT || kind == CAPTURE_IN) {
			recorder->passed_records++;
			recorder->passed_bytes += len;
		}
	}
	if (!recorder->is_on || recorder->is_ending)
		return;
	bool fits = waiting(recorder) + ROWS(CAPTURE_COUNT_BYTES) + ROWS(len) <= WAITING_ROOM;
	if (!fits || recorder->waiting.failed) {
		recorder->records++;
		recorder->bytes += len;
		return;
	}
	if (recorder->records > 0)
		capture_write_missing(
			&recorder->waiting, record.mono, recorder->records, recorder->bytes);
	recorder->records = recorder->bytes = 0;
	capture_write(&recorder->waiting, &record);
}

void link_recorder_pass(struct link_recorder *recorder)
{
	recorder->is_past = true;
}

/* --- sending ---------------------------------------------------------------------------------- */

int link_recorder_take_message(
	struct link_recorder *recorder, struct monitor *monitor, const struct wire_message *message)
{
	struct wire_capture capture;
	int r = wire_read_capture(message, &capture);
	if (r < 0)
		return r;
	monitor_lock(monitor);
	if (capture.on && !recorder->is_on) {
		buffer_finish(&recorder->waiting);
		recorder->sent = 0;
		buffer_append(&recorder->waiting, recorder->head.data, recorder->head.len);
		recorder->records = recorder->passed_records;
		recorder->bytes = recorder->passed_bytes;
		recorder->is_on = true;
		recorder->credit = 0;
	}
	recorder->is_ending = recorder->is_on && !capture.on;
	recorder->credit = capture.bytes > UINT64_MAX - recorder->credit
				   ? UINT64_MAX
				   : recorder->credit + capture.bytes;
	monitor_unlock(monitor);
	return 0;
}

/*
 * Appends a message with the next whole records, if the credit covers one: at most PIECE bytes, or
 * one larger record.  False: none.
 */
static bool put_piece(struct link_recorder *recorder, struct buffer *message)
{
	const uint8_t *from = recorder->waiting.data + recorder->sent;
	size_t len = 0;
	while (len < waiting(recorder)) {
		struct capture_record record;
		long n = capture_read(from + len, waiting(recorder) - len, &record);
		if (n <= 0 || len + (size_t)n > recorder->credit ||
			(len > 0 && len + (size_t)n > PIECE))
			break;
		len += (size_t)n;
	}
	if (len == 0)
		return false;
	wire_write_captured(message, from, len);
	recorder->sent += len;
	recorder->credit -= len;
	if (recorder->sent > recorder->waiting.len / 2) {
		buffer_consume(&recorder->waiting, recorder->sent);
		recorder->sent = 0;
	}
	return true;
}

bool link_recorder_send(struct link_recorder *recorder, struct core_link *core)
{
	struct buffer message = {0}, last = {0};
	monitor_lock(core->monitor);
	bool is_on = recorder->is_on;
	if (is_on && core_link_is_idle(core)) {
		put_piece(recorder, &message);
		if (recorder->is_ending && waiting(recorder) == 0) {
			if (recorder->records > 0)
				capture_write_missing(
					&last, clock_boot(), recorder->records, recorder->bytes);
			if (last.len > 0)
				wire_write_captured(&message, last.data, last.len);
			wire_write_captured(&message, NULL, 0); /* the end */
			buffer_finish(&recorder->waiting);
			recorder->is_on = recorder->is_ending = false;
		}
	}
	monitor_unlock(core->monitor);
	if (message.len > 0)
		core_link_send(core, &message);
	buffer_finish(&message);
	buffer_finish(&last);
	return is_on;
}

void link_recorder_send_all(struct link_recorder *recorder, struct core_link *core)
{
	struct buffer message = {0};
	monitor_lock(core->monitor);
	while (recorder->is_on && put_piece(recorder, &message))
		;
	monitor_unlock(core->monitor);
	core_link_send(core, &message);
	buffer_finish(&message);
}
