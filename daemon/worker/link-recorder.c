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

static bool is_dialogue(enum capture_kind kind)
{
	return kind == CAPTURE_OUT || kind == CAPTURE_IN;
}

static size_t waiting(const struct link_recorder *recorder)
{
	return recorder->waiting.len - recorder->sent;
}

/* --- noting ----------------------------------------------------------------------------------- */

static void note_head(struct link_recorder *recorder, const struct capture_record *record)
{
	if (!recorder->is_past && recorder->head.len + ROWS(record->len) <= HEAD_ROOM) {
		capture_write(&recorder->head, record);
		return;
	}
	recorder->is_past = true;
	if (is_dialogue(record->kind)) {
		recorder->passed_records++;
		recorder->passed_bytes += record->len;
	}
}

static void note_missing(struct link_recorder *recorder, uint64_t mono)
{
	if (recorder->records == 0)
		return;
	capture_write_missing(&recorder->waiting, mono, recorder->records, recorder->bytes);
	recorder->records = recorder->bytes = 0;
}

static void note_waiting(struct link_recorder *recorder, const struct capture_record *record)
{
	bool fits = waiting(recorder) + ROWS(CAPTURE_COUNT_BYTES) + ROWS(record->len) <=
		    WAITING_ROOM;
	if (fits && !recorder->waiting.failed) {
		note_missing(recorder, record->mono);
		capture_write(&recorder->waiting, record);
		return;
	}
	recorder->records++;
	recorder->bytes += record->len;
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
	note_head(recorder, &record);
	if (recorder->is_on && !recorder->is_ending)
		note_waiting(recorder, &record);
}

void link_recorder_pass(struct link_recorder *recorder)
{
	recorder->is_past = true;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void begin(struct link_recorder *recorder)
{
	buffer_finish(&recorder->waiting);
	recorder->sent = 0;
	buffer_append(&recorder->waiting, recorder->head.data, recorder->head.len);
	recorder->records = recorder->passed_records;
	recorder->bytes = recorder->passed_bytes;
	recorder->is_on = true;
	recorder->is_ending = false;
	recorder->credit = 0;
}

int link_recorder_take_message(
	struct link_recorder *recorder, struct monitor *monitor, const struct wire_message *message)
{
	struct wire_capture capture;
	int r = wire_read_capture(message, &capture);
	if (r < 0)
		return r;
	monitor_lock(monitor);
	if (capture.on && !recorder->is_on)
		begin(recorder);
	recorder->is_ending = recorder->is_on && !capture.on;
	recorder->credit = capture.bytes > UINT64_MAX - recorder->credit
				   ? UINT64_MAX
				   : recorder->credit + capture.bytes;
	monitor_unlock(monitor);
	return 0;
}

/* Whole records, at least one where there is any that the credit covers. */
static size_t next_piece(const struct link_recorder *recorder)
{
	size_t len = 0;
	while (len < waiting(recorder)) {
		struct capture_record record;
		const uint8_t *at = recorder->waiting.data + recorder->sent + len;
		long n = capture_read(at, waiting(recorder) - len, &record);
		if (n <= 0 || len + (size_t)n > recorder->credit ||
			(len > 0 && len + (size_t)n > PIECE))
			break;
		len += (size_t)n;
	}
	return len;
}

static void forget_sent(struct link_recorder *recorder, size_t len)
{
	recorder->sent += len;
	recorder->credit -= len;
	if (recorder->sent == recorder->waiting.len) {
		buffer_reset(&recorder->waiting);
		recorder->sent = 0;
	} else if (recorder->sent > recorder->waiting.len / 2) {
		buffer_consume(&recorder->waiting, recorder->sent);
		recorder->sent = 0;
	}
}

/* The last records are sent, and what came too late for them is counted. */
static void end(struct link_recorder *recorder, struct buffer *message)
{
	struct buffer last = {0};
	if (recorder->records > 0)
		capture_write_missing(&last, clock_boot(), recorder->records, recorder->bytes);
	if (last.len > 0)
		wire_write_captured(message, last.data, last.len);
	wire_write_captured(message, NULL, 0);
	buffer_finish(&last);
	buffer_finish(&recorder->waiting);
	recorder->is_on = recorder->is_ending = false;
}

bool link_recorder_send(struct link_recorder *recorder, struct core_link *core)
{
	struct buffer message = {0};
	monitor_lock(core->monitor);
	bool is_on = recorder->is_on;
	if (is_on && core_link_is_idle(core)) {
		size_t len = next_piece(recorder);
		if (len > 0) {
			wire_write_captured(&message, recorder->waiting.data + recorder->sent, len);
			forget_sent(recorder, len);
		}
		if (recorder->is_ending && waiting(recorder) == 0)
			end(recorder, &message);
	}
	monitor_unlock(core->monitor);
	if (message.len > 0)
		core_link_send(core, &message);
	buffer_finish(&message);
	return is_on;
}

void link_recorder_send_all(struct link_recorder *recorder, struct core_link *core)
{
	struct buffer message = {0};
	size_t len;
	monitor_lock(core->monitor);
	while (recorder->is_on && (len = next_piece(recorder)) > 0) {
		wire_write_captured(&message, recorder->waiting.data + recorder->sent, len);
		forget_sent(recorder, len);
	}
	monitor_unlock(core->monitor);
	if (message.len > 0)
		core_link_send(core, &message);
	buffer_finish(&message);
}
