/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "record/encode.h"
#include "record/quality.h"
#include "record/read.h"
#include "wire/payload.h"
#include "wire/wire.h"

static bool is_known(uint64_t type)
{
	return (type >= WIRE_SETUP && type <= WIRE_FAULTS) ||
	       (type >= WIRE_HELLO && type <= WIRE_CAPTURED);
}

int wire_next(const uint8_t *data, size_t len, struct wire_message *message)
{
	if (len < WIRE_HEAD_BYTES)
		return 0;
	uint64_t size = get_le32(data), type = get_le16(data + 4);
	if (size > WIRE_PAYLOAD_MAX || !is_known(type))
		return -EBADMSG;
	if (size > len - WIRE_HEAD_BYTES)
		return 0;
	*message = (struct wire_message){
		.type = (enum wire_type)type,
		.unit = get_le16(data + 6),
		.payload = data + WIRE_HEAD_BYTES,
		.len = (size_t)size,
		.size = WIRE_HEAD_BYTES + (size_t)size,
	};
	return 1;
}

/* --- texts ------------------------------------------------------------------------------------ */

/* An explaining text may hold an instrument's bytes: those that are not UTF-8 become '?'. */
static void map_words(struct map *map, const char *key, const char *text, size_t len)
{
	char clean[WIRE_TEXT_MAX] = "";
	size_t n = len < sizeof clean ? len : sizeof clean;
	while (n < len && n + 3 > sizeof clean && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--; /* not in the middle of a character */
	if (n > 0)
		memcpy(clean, text, n);
	if (!text_is_utf8(clean, n)) {
		for (size_t i = 0; i < n; i++) {
			if ((unsigned char)clean[i] >= 0x80)
				clean[i] = '?';
		}
	}
	map_text_n(map, key, clean, n);
}

static void map_string(struct map *map, const char *key, const char *text)
{
	map_words(map, key, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void map_encoded(struct map *map, const char *key, struct assay_span value)
{
	if (value.len == 0)
		return;
	map_key(map, key);
	encode_raw(map->to, value.data, value.len);
}

/* --- from the core ---------------------------------------------------------------------------- */

static void write_own(
	struct buffer *out, enum wire_type type, unsigned unit, const struct wire_go *go)
{
	struct message m;
	message_start(&m, out, type, unit);
	map_bool(&m.map, "safe", go->safe);
	map_bool(&m.map, "look", go->look);
	map_encoded(&m.map, "settings", go->settings);
	message_end(&m);
}

void wire_write_go(struct buffer *out, unsigned unit, const struct wire_go *go)
{
	write_own(out, WIRE_GO, unit, go);
}

void wire_write_configure(struct buffer *out, unsigned unit, const struct wire_go *go)
{
	write_own(out, WIRE_CONFIGURE, unit, go);
}

void wire_write_refuse(struct buffer *out, unsigned unit, const char *text)
{
	struct message m;
	message_start(&m, out, WIRE_REFUSE, unit);
	map_string(&m.map, "text", text);
	message_end(&m);
}

void wire_write_credit(struct buffer *out, uint64_t bytes)
{
	uint8_t payload[8];
	message_head(out, WIRE_CREDIT, WIRE_PORT, sizeof payload);
	put_le64(payload, bytes);
	buffer_append(out, payload, sizeof payload);
}

void wire_write_start(struct buffer *out, unsigned unit, const struct wire_start *start)
{
	struct message m;
	message_start(&m, out, WIRE_START, unit);
	map_uint(&m.map, "mode", start->mode);
	if (start->every_ns != 0)
		map_uint(&m.map, "every", start->every_ns);
	if (start->frames != 0)
		map_uint(&m.map, "frames", start->frames);
	map_encoded(&m.map, "step", start->step);
	map_encoded(&m.map, "settings", start->settings);
	map_encoded(&m.map, "holds", start->holds);
	map_encoded(&m.map, "references", start->references);
	message_end(&m);
}

static void write_empty(struct buffer *out, enum wire_type type, unsigned unit)
{
	struct message m;
	message_start(&m, out, type, unit);
	message_end(&m);
}

void wire_write_stop(struct buffer *out, unsigned unit)
{
	write_empty(out, WIRE_STOP, unit);
}

void wire_write_abort(struct buffer *out, unsigned unit)
{
	write_empty(out, WIRE_ABORT, unit);
}

void wire_write_quit(struct buffer *out)
{
	write_empty(out, WIRE_QUIT, WIRE_PORT);
}

void wire_write_capture(struct buffer *out, const struct wire_capture *capture)
{
	struct message m;
	message_start(&m, out, WIRE_CAPTURE, WIRE_PORT);
	map_bool(&m.map, "on", capture->on);
	map_uint(&m.map, "bytes", capture->bytes);
	message_end(&m);
}

void wire_write_faults(struct buffer *out, const char *text)
{
	struct message m;
	message_start(&m, out, WIRE_FAULTS, WIRE_PORT);
	map_text(&m.map, "faults", text);
	message_end(&m);
}

int wire_read_go(const struct wire_message *m, struct wire_go *go)
{
	static const struct key rows[] = {
		{"safe", KEY_BOOL, KEY_AT(struct wire_go, safe), .required = true},
		{"look", KEY_BOOL, KEY_AT(struct wire_go, look), .required = true},
		{"settings", KEY_RAW_MAP, KEY_AT(struct wire_go, settings)},
		{0},
	};
	return payload_decode(m, rows, go, sizeof *go);
}

int wire_read_refuse(const struct wire_message *m, struct assay_string *text)
{
	static const struct key rows[] = {
		{"text", KEY_TEXT, .required = true},
		{0},
	};
	return payload_decode(m, rows, text, sizeof *text);
}

int wire_read_faults(const struct wire_message *m, struct assay_string *text)
{
	static const struct key rows[] = {
		{"faults", KEY_TEXT, .required = true},
		{0},
	};
	return payload_decode(m, rows, text, sizeof *text);
}

int wire_read_credit(const struct wire_message *m, uint64_t *bytes)
{
	if (m->len != 8)
		return -EBADMSG;
	*bytes = get_le64(m->payload);
	return 0;
}

int wire_read_capture(const struct wire_message *m, struct wire_capture *capture)
{
	static const struct key rows[] = {
		{"on", KEY_BOOL, KEY_AT(struct wire_capture, on), .required = true},
		{"bytes", KEY_UINT, KEY_AT(struct wire_capture, bytes), .required = true},
		{0},
	};
	return payload_decode(m, rows, capture, sizeof *capture);
}

int wire_read_start(const struct wire_message *m, struct wire_start *start)
{
	static const struct key rows[] = {
		{"mode", KEY_UINT, KEY_AT(struct wire_start, mode), .required = true,
			.limit = WIRE_CONTINUOUS},
		{"every", KEY_UINT, KEY_AT(struct wire_start, every_ns)},
		{"frames", KEY_UINT, KEY_AT(struct wire_start, frames)},
		{"step", KEY_RAW_MAP, KEY_AT(struct wire_start, step)},
		{"settings", KEY_RAW_MAP, KEY_AT(struct wire_start, settings)},
		{"holds", KEY_RAW_MAP, KEY_AT(struct wire_start, holds)},
		{"references", KEY_RAW_LIST, KEY_AT(struct wire_start, references)},
		{0},
	};
	int r = payload_decode(m, rows, start, sizeof *start);
	return r == 0 && start->mode < WIRE_ONCE ? -EBADMSG : r;
}

/* --- from the worker -------------------------------------------------------------------------- */

void wire_write_hello(struct buffer *out, const char *lacking)
{
	struct message m;
	message_start(&m, out, WIRE_HELLO, WIRE_PORT);
	map_uint(&m.map, "version", WIRE_VERSION);
	map_uint(&m.map, "pid", (uint64_t)getpid());
	map_string(&m.map, "lacking", lacking);
	message_end(&m);
}

void wire_write_opened(struct buffer *out, const char *address)
{
	struct message m;
	message_start(&m, out, WIRE_OPENED, WIRE_PORT);
	map_string(&m.map, "address", address);
	message_end(&m);
}

void wire_write_identity(struct buffer *out, unsigned unit, const struct wire_identity *identity)
{
	struct message m;
	message_start(&m, out, WIRE_IDENTITY, unit);
	map_words(&m.map, "make", identity->make.data, identity->make.len);
	map_words(&m.map, "model", identity->model.data, identity->model.len);
	map_words(&m.map, "serial", identity->serial.data, identity->serial.len);
	map_words(&m.map, "fw", identity->fw.data, identity->fw.len);
	map_bool(&m.map, "declared", identity->declared);
	message_end(&m);
}

void wire_write_ready(struct buffer *out, unsigned unit, struct assay_span settings)
{
	struct message m;
	message_start(&m, out, WIRE_READY, unit);
	map_encoded(&m.map, "settings", settings);
	message_end(&m);
}

void wire_write_started(struct buffer *out, unsigned unit, const struct wire_started *started)
{
	struct message m;
	message_start(&m, out, WIRE_STARTED, unit);
	map_uint(&m.map, "utc", started->utc);
	map_uint(&m.map, "mono", started->mono);
	map_encoded(&m.map, "settings", started->settings);
	map_encoded(&m.map, "sent", started->sent);
	if (started->sample.len > 0)
		map_words(&m.map, "sample", started->sample.data, started->sample.len);
	message_end(&m);
}

void wire_write_frame_head(struct buffer *out, unsigned unit, const struct wire_frame *frame)
{
	assert(frame->dev.len <= WIRE_TEXT_MAX);
	uint8_t head[WIRE_FRAME_HEAD_BYTES] = {0};
	put_le64(head, frame->utc);
	put_le64(head + 8, frame->mono);
	put_le32(head + 20, frame->retries);
	put_le64(head + 24, frame->dropped);
	put_le32(head + 32, frame->quality);
	put_le32(head + 36, frame->reasons);
	put_le16(head + 40, frame->dev.len);
	put_le16(head + 42, frame->pairs);
	message_head(out, WIRE_FRAME, unit, sizeof head + frame->dev.len + frame->part.len);
	buffer_append(out, head, sizeof head);
	buffer_append(out, frame->dev.data, frame->dev.len);
}

void wire_write_ended(
	struct buffer *out, unsigned unit, enum wire_end how, const char *code, const char *text)
{
	struct message m;
	message_start(&m, out, WIRE_ENDED, unit);
	map_uint(&m.map, "end", how);
	map_string(&m.map, "code", code);
	map_string(&m.map, "text", text);
	message_end(&m);
}

void wire_write_state(struct buffer *out, unsigned unit, const char *state, const char *code,
	const char *text, struct assay_span values)
{
	struct message m;
	message_start(&m, out, WIRE_STATE, unit);
	map_string(&m.map, "state", state);
	map_string(&m.map, "code", code);
	map_string(&m.map, "text", text);
	map_encoded(&m.map, "values", values);
	message_end(&m);
}

void wire_write_hazard(struct buffer *out, unsigned unit, bool on)
{
	struct message m;
	message_start(&m, out, WIRE_HAZARD, unit);
	map_bool(&m.map, "on", on);
	message_end(&m);
}

void wire_write_log(struct buffer *out, unsigned unit, unsigned level, const char *text)
{
	struct message m;
	message_start(&m, out, WIRE_LOG, unit);
	map_uint(&m.map, "level", level);
	map_string(&m.map, "text", text);
	message_end(&m);
}

void wire_write_beat(struct buffer *out, const struct wire_beat *beat)
{
	uint8_t payload[16];
	message_head(out, WIRE_BEAT, WIRE_PORT, sizeof payload);
	put_le64(payload, beat->progress);
	put_le64(payload + 8, beat->deadline);
	buffer_append(out, payload, sizeof payload);
}

void wire_write_captured(struct buffer *out, const uint8_t *records, size_t len)
{
	message_head(out, WIRE_CAPTURED, WIRE_PORT, len);
	if (len > 0)
		buffer_append(out, records, len);
}

int wire_read_hello(const struct wire_message *m, struct wire_hello *hello)
{
	static const struct key rows[] = {
		{"version", KEY_UINT, KEY_AT(struct wire_hello, version), .required = true},
		{"pid", KEY_UINT, KEY_AT(struct wire_hello, pid), .required = true},
		{"lacking", KEY_TEXT, KEY_AT(struct wire_hello, lacking), .required = true},
		{0},
	};
	return payload_decode(m, rows, hello, sizeof *hello);
}

int wire_read_opened(const struct wire_message *m, struct wire_opened *opened)
{
	static const struct key rows[] = {
		{"address", KEY_TEXT, KEY_AT(struct wire_opened, address), .required = true},
		{0},
	};
	return payload_decode(m, rows, opened, sizeof *opened);
}

int wire_read_identity(const struct wire_message *m, struct wire_identity *identity)
{
	static const struct key rows[] = {
		{"make", KEY_TEXT, KEY_AT(struct wire_identity, make), .required = true},
		{"model", KEY_TEXT, KEY_AT(struct wire_identity, model), .required = true},
		{"serial", KEY_TEXT, KEY_AT(struct wire_identity, serial), .required = true},
		{"fw", KEY_TEXT, KEY_AT(struct wire_identity, fw), .required = true},
		{"declared", KEY_BOOL, KEY_AT(struct wire_identity, declared), .required = true},
		{0},
	};
	return payload_decode(m, rows, identity, sizeof *identity);
}

int wire_read_ready(const struct wire_message *m, struct assay_span *settings)
{
	static const struct key rows[] = {
		{"settings", KEY_RAW_MAP, .at = 0},
		{0},
	};
	return payload_decode(m, rows, settings, sizeof *settings);
}

int wire_read_started(const struct wire_message *m, struct wire_started *started)
{
	static const struct key rows[] = {
		{"utc", KEY_UINT, KEY_AT(struct wire_started, utc), .required = true},
		{"mono", KEY_UINT, KEY_AT(struct wire_started, mono), .required = true},
		{"settings", KEY_RAW_MAP, KEY_AT(struct wire_started, settings)},
		{"sent", KEY_RAW_MAP, KEY_AT(struct wire_started, sent)},
		{"sample", KEY_TEXT, KEY_AT(struct wire_started, sample)},
		{0},
	};
	return payload_decode(m, rows, started, sizeof *started);
}

static bool is_quality(uint32_t flag)
{
	return (flag >= 1 && flag <= 4) || flag == 9;
}

static bool are_reasons(uint32_t bits)
{
	const char *meaning;
	unsigned most = 0;
	for (unsigned i = 0; i < 32; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		if (quality_reason_at(i, &meaning) == NULL || ++most > QUALITY_REASONS_MAX)
			return false;
	}
	return true;
}

int wire_read_frame(const struct wire_message *m, struct wire_frame *frame)
{
	*frame = (struct wire_frame){0};
	if (m->len <= WIRE_FRAME_HEAD_BYTES)
		return -EBADMSG;
	const uint8_t *head = m->payload, *rest = head + WIRE_FRAME_HEAD_BYTES;
	size_t dev = get_le16(head + 40), left = m->len - WIRE_FRAME_HEAD_BYTES;
	bool zeroes = get_le32(head + 16) == 0 && get_le32(head + 44) == 0;
	if (!zeroes || dev > WIRE_TEXT_MAX || dev >= left || !text_is_utf8(rest, dev))
		return -EBADMSG;
	struct wire_frame f = {
		.utc = get_le64(head),
		.mono = get_le64(head + 8),
		.retries = get_le32(head + 20),
		.dropped = get_le64(head + 24),
		.quality = get_le32(head + 32),
		.reasons = get_le32(head + 36),
		.dev = {(const char *)rest, dev},
		.pairs = get_le16(head + 42),
		.part = {rest + dev, left - dev},
	};
	if (!is_quality(f.quality) || f.pairs == 0 || !are_reasons(f.reasons))
		return -EBADMSG;
	*frame = f;
	return 0;
}

int wire_read_ended(const struct wire_message *m, struct wire_ended *ended)
{
	static const struct key rows[] = {
		{"end", KEY_UINT, KEY_AT(struct wire_ended, end), .required = true,
			.limit = WIRE_END_NOT_STARTED},
		{"code", KEY_TEXT, KEY_AT(struct wire_ended, code), .required = true},
		{"text", KEY_TEXT, KEY_AT(struct wire_ended, text), .required = true},
		{0},
	};
	int r = payload_decode(m, rows, ended, sizeof *ended);
	return r == 0 && ended->end < WIRE_END_COMPLETE ? -EBADMSG : r;
}

int wire_read_state(const struct wire_message *m, struct wire_state *state)
{
	static const struct key rows[] = {
		{"state", KEY_TEXT, KEY_AT(struct wire_state, state), .required = true},
		{"code", KEY_TEXT, KEY_AT(struct wire_state, code), .required = true},
		{"text", KEY_TEXT, KEY_AT(struct wire_state, text), .required = true},
		{"values", KEY_RAW_MAP, KEY_AT(struct wire_state, values)},
		{0},
	};
	return payload_decode(m, rows, state, sizeof *state);
}

int wire_read_hazard(const struct wire_message *m, bool *on)
{
	static const struct key rows[] = {
		{"on", KEY_BOOL, .required = true},
		{0},
	};
	return payload_decode(m, rows, on, sizeof *on);
}

int wire_read_log(const struct wire_message *m, struct wire_log *log)
{
	static const struct key rows[] = {
		{"level", KEY_UINT, KEY_AT(struct wire_log, level), .required = true, .limit = 7},
		{"text", KEY_TEXT, KEY_AT(struct wire_log, text), .required = true},
		{0},
	};
	int r = payload_decode(m, rows, log, sizeof *log);
	return r == 0 && log->level < 3 ? -EBADMSG : r;
}

int wire_read_beat(const struct wire_message *m, struct wire_beat *beat)
{
	if (m->len != 16)
		return -EBADMSG;
	beat->progress = get_le64(m->payload);
	beat->deadline = get_le64(m->payload + 8);
	return 0;
}
