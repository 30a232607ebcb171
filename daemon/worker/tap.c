/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "capture/read.h"
#include "capture/write.h"
#include "worker/tap.h"

#define HEAD_ROOM    (64u << 10)
#define WAITING_ROOM (1u << 20)
#define PIECE        (32u << 10) /* of one message: a frame waits no longer than for this */
#define ROWS(len)    (CAPTURE_ROW_BYTES + CAPTURE_SUM_BYTES + (len))

void tap_finish(struct tap *tap)
{
	buffer_finish(&tap->head);
	buffer_finish(&tap->waiting);
}

static bool is_dialogue(enum capture_kind kind)
{
	return kind == CAPTURE_OUT || kind == CAPTURE_IN;
}

static size_t waiting(const struct tap *tap)
{
	return tap->waiting.len - tap->sent;
}

/* --- noting ----------------------------------------------------------------------------------- */

static void note_head(struct tap *tap, const struct capture_record *record)
{
	if (!tap->is_past && tap->head.len + ROWS(record->len) <= HEAD_ROOM) {
		capture_write(&tap->head, record);
		return;
	}
	tap->is_past = true;
	if (is_dialogue(record->kind)) {
		tap->passed_records++;
		tap->passed_bytes += record->len;
	}
}

static void note_missing(struct tap *tap, uint64_t mono)
{
	if (tap->records == 0)
		return;
	capture_write_missing(&tap->waiting, mono, tap->records, tap->bytes);
	tap->records = tap->bytes = 0;
}

static void note_waiting(struct tap *tap, const struct capture_record *record)
{
	bool fits = waiting(tap) + ROWS(CAPTURE_COUNT_BYTES) + ROWS(record->len) <= WAITING_ROOM;
	if (fits && !tap->waiting.failed) {
		note_missing(tap, record->mono);
		capture_write(&tap->waiting, record);
		return;
	}
	tap->records++;
	tap->bytes += record->len;
}

void tap_note(
	struct tap *tap, enum capture_kind kind, unsigned channel, const void *data, size_t len)
{
	bool is_needed = tap->is_on || !tap->is_past;
	struct capture_record record = {.kind = kind,
		.channel = channel,
		.mono = is_needed ? clock_boot() : 0,
		.data = data,
		.len = len};
	note_head(tap, &record);
	if (tap->is_on && !tap->is_ending)
		note_waiting(tap, &record);
}

void tap_pass(struct tap *tap)
{
	tap->is_past = true;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void begin(struct tap *tap)
{
	buffer_finish(&tap->waiting);
	tap->sent = 0;
	buffer_append(&tap->waiting, tap->head.data, tap->head.len);
	tap->records = tap->passed_records;
	tap->bytes = tap->passed_bytes;
	tap->is_on = true;
	tap->is_ending = false;
	tap->credit = 0;
}

int tap_take_message(struct tap *tap, struct monitor *monitor, const struct wire_message *message)
{
	struct wire_capture capture;
	int r = wire_read_capture(message, &capture);
	if (r < 0)
		return r;
	monitor_lock(monitor);
	if (capture.on && !tap->is_on)
		begin(tap);
	tap->is_ending = tap->is_on && !capture.on;
	tap->credit = capture.bytes > UINT64_MAX - tap->credit ? UINT64_MAX
							       : tap->credit + capture.bytes;
	monitor_unlock(monitor);
	return 0;
}

/* Whole records, at least one where there is any that the credit covers. */
static size_t next_piece(const struct tap *tap)
{
	size_t len = 0;
	while (len < waiting(tap)) {
		struct capture_record record;
		const uint8_t *at = tap->waiting.data + tap->sent + len;
		long n = capture_read(at, waiting(tap) - len, &record);
		if (n <= 0 || len + (size_t)n > tap->credit || (len > 0 && len + (size_t)n > PIECE))
			break;
		len += (size_t)n;
	}
	return len;
}

static void forget_sent(struct tap *tap, size_t len)
{
	tap->sent += len;
	tap->credit -= len;
	if (tap->sent == tap->waiting.len) {
		buffer_reset(&tap->waiting);
		tap->sent = 0;
	} else if (tap->sent > tap->waiting.len / 2) {
		buffer_consume(&tap->waiting, tap->sent);
		tap->sent = 0;
	}
}

/* The last records are sent, and what came too late for them is counted. */
static void end(struct tap *tap, struct buffer *message)
{
	struct buffer last = {0};
	if (tap->records > 0)
		capture_write_missing(&last, clock_boot(), tap->records, tap->bytes);
	if (last.len > 0)
		wire_write_captured(message, last.data, last.len);
	wire_write_captured(message, NULL, 0);
	buffer_finish(&last);
	buffer_finish(&tap->waiting);
	tap->is_on = tap->is_ending = false;
}

bool tap_send(struct tap *tap, struct outlet *outlet)
{
	struct buffer message = {0};
	monitor_lock(outlet->monitor);
	bool is_on = tap->is_on;
	if (is_on && outlet_is_idle(outlet)) {
		size_t len = next_piece(tap);
		if (len > 0) {
			wire_write_captured(&message, tap->waiting.data + tap->sent, len);
			forget_sent(tap, len);
		}
		if (tap->is_ending && waiting(tap) == 0)
			end(tap, &message);
	}
	monitor_unlock(outlet->monitor);
	if (message.len > 0)
		outlet_send(outlet, &message);
	buffer_finish(&message);
	return is_on;
}

void tap_send_all(struct tap *tap, struct outlet *outlet)
{
	struct buffer message = {0};
	size_t len;
	monitor_lock(outlet->monitor);
	while (tap->is_on && (len = next_piece(tap)) > 0) {
		wire_write_captured(&message, tap->waiting.data + tap->sent, len);
		forget_sent(tap, len);
	}
	monitor_unlock(outlet->monitor);
	if (message.len > 0)
		outlet_send(outlet, &message);
	buffer_finish(&message);
}
