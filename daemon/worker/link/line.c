/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "worker/link/line.h"

#define EXCEPTION 0x80
#define HEAD      3 /* unit, function, bytes of data or the exception */
#define CRC       2
#define FRAME_MAX 256
#define OWED_MAX  1000 /* counted no further: only silence ends it */

void line_init(struct line *line, uint64_t reply_ns, bool is_doubtful)
{
	memset(line, 0, sizeof *line);
	line->reply_ns = reply_ns;
	line->is_doubtful = is_doubtful;
}

static void settle(struct line_unit *u)
{
	*u = (struct line_unit){.is_used = true};
}

uint64_t line_not_before(struct line *line, uint8_t unit, uint64_t now)
{
	struct line_unit *u = &line->units[unit];
	if (!u->is_used && line->is_doubtful)
		*u = (struct line_unit){.owed = OWED_MAX, .differ = true};
	u->is_used = true;
	if (u->owed == 0)
		return now;
	if (u->not_before > now)
		return u->not_before;
	if (u->has_replied) /* and was silent after it */
		settle(u);
	return now;
}

bool line_owes(const struct line *line, uint8_t unit)
{
	return line->units[unit].owed > 0;
}

void line_missed(struct line *line, const uint8_t request[LINE_REQUEST], uint64_t now)
{
	struct line_unit *u = &line->units[request[0]];
	if (u->owed == 0)
		memcpy(u->request, request, LINE_REQUEST);
	else if (memcmp(u->request, request, LINE_REQUEST) != 0)
		u->differ = true;
	if (u->owed < OWED_MAX)
		u->owed++;
	u->has_replied = false;
	u->not_before = now + line->reply_ns;
}

void line_heard(struct line *line, uint8_t unit, uint64_t now)
{
	struct line_unit *u = &line->units[unit];
	if (u->owed > 0 && u->owed < OWED_MAX)
		u->owed--;
	u->has_replied = true;
	u->not_before = now + line->reply_ns;
	if (u->owed == 0)
		settle(u);
}

bool line_replied(struct line *line, const uint8_t request[LINE_REQUEST], uint64_t now)
{
	struct line_unit *u = &line->units[request[0]];
	if (u->owed == 0)
		return true;
	bool is_same = !u->differ && memcmp(u->request, request, LINE_REQUEST) == 0;
	if (u->owed == 1) { /* it is that to this request which is owed now */
		memcpy(u->request, request, LINE_REQUEST);
		u->differ = false;
	} else if (!is_same) {
		u->differ = true;
	}
	u->has_replied = true;
	u->not_before = now + line->reply_ns;
	return is_same;
}

/* --- the bytes received ----------------------------------------------------------------------- */

/* The size of the reply that starts with these bytes; 0: none to functions 1 to 4 does. */
static size_t frame_size(const uint8_t head[HEAD])
{
	uint8_t function = head[1] & (uint8_t)~EXCEPTION;
	if (function < 1 || function > 4)
		return 0;
	return HEAD + ((head[1] & EXCEPTION) != 0 ? 0u : head[2]) + CRC;
}

/* "Modbus over serial line" 2.5.1.2 and appendix B: CRC-16, low byte first. */
static bool is_sound(const uint8_t *frame, size_t len)
{
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < len - CRC; i++) {
		crc ^= frame[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc >> 1 ^ ((crc & 1) != 0 ? 0xa001 : 0));
	}
	return frame[len - 2] == (crc & 0xff) && frame[len - 1] == crc >> 8;
}

bool line_is_frame(const uint8_t *data, size_t len)
{
	return len >= HEAD && frame_size(data) == len && is_sound(data, len);
}

/* True if the bytes start as a reply to the request does. */
static bool fits(const struct line_query *q, const uint8_t *at, size_t len)
{
	if (len > 0 && at[0] != q->sent[0])
		return false;
	if (len > 1 && at[1] == (q->sent[1] | EXCEPTION))
		return true;
	if (len < 2 || at[1] != q->sent[1])
		return len < 2;
	bool has_size = len >= HEAD && frame_size(at) > 0 && q->reply_len > 0;
	return !has_size || frame_size(at) == q->reply_len;
}

/* The size of the frame at the start of the inbox; 0: there is none, or it is not known yet. */
static size_t size_at(const struct line_inbox *in, const struct line_query *q, bool is_last)
{
	const uint8_t *at = in->data;
	if (in->len < HEAD)
		return 0;
	if (frame_size(at) > 0 || q == NULL || at[0] != q->sent[0])
		return frame_size(at);
	if (at[1] == (q->sent[1] | EXCEPTION))
		return HEAD + CRC;
	if (at[1] != q->sent[1])
		return 0;
	if (q->reply_len > 0)
		return q->reply_len;
	return is_last && in->len > CRC + 1 && in->len <= FRAME_MAX ? in->len : 0;
}

/* True if the bytes can be the start of a frame that is still arriving. */
static bool may_grow(
	const struct line *line, const struct line_query *q, const struct line_inbox *in)
{
	const uint8_t *at = in->data;
	size_t len = in->len, size = size_at(in, q, false);
	bool is_owed = line_owes(line, at[0]), is_reply = q != NULL && fits(q, at, len);
	if (!is_owed && !is_reply)
		return false;
	if (is_reply && len > 1 && frame_size((const uint8_t[HEAD]){at[0], at[1]}) == 0)
		return len < HEAD || (size > 0 ? len < size : len <= FRAME_MAX);
	if (len < HEAD)
		return len < 2 || frame_size((const uint8_t[HEAD]){at[0], at[1]}) > 0;
	return len < frame_size(at);
}

static void put_noise(struct line_inbox *in, uint8_t byte)
{
	if (in->noise < LINE_FIRST)
		in->first[in->noise] = byte;
	in->noise++;
}

/* Drops the first `n` bytes. */
static void consume(struct line_inbox *in, size_t n)
{
	in->len -= n;
	in->before -= in->before < n ? in->before : n;
	memmove(in->data, in->data + n, in->len);
}

/* How the sound frame at the start of the inbox concerns the request. */
static enum line_result classify(struct line *line, struct line_inbox *in,
	const struct line_query *q, size_t size, uint64_t now)
{
	bool is_reply = q != NULL && in->before == 0;
	if (is_reply && fits(q, in->data, in->len))
		return LINE_REPLY;
	if (!line_owes(line, in->data[0]))
		return is_reply ? LINE_STRANGE : LINE_MORE;
	in->heard_len = size;
	memcpy(in->heard, in->data, size < LINE_FIRST ? size : LINE_FIRST);
	line_heard(line, in->data[0], now);
	return LINE_MORE;
}

static bool is_echo(const struct line_inbox *in, const struct line_query *q)
{
	return q != NULL && !in->has_echo && (q->echoes || !q->is_mirrored) && in->before == 0 &&
	       in->len >= q->sent_len && memcmp(in->data, q->sent, q->sent_len) == 0;
}

static bool may_be_echo(const struct line_inbox *in, const struct line_query *q)
{
	return q != NULL && !in->has_echo && in->before == 0 && in->len < q->sent_len &&
	       memcmp(in->data, q->sent, in->len) == 0;
}

void line_request(struct line_inbox *in)
{
	in->before = in->len;
	in->noise = in->heard_len = 0;
	in->has_echo = false;
}

enum line_result line_take(struct line *line, struct line_inbox *in, const struct line_query *q,
	bool is_last, uint64_t now, struct line_frame *frame)
{
	while (in->len > 0) {
		if (is_echo(in, q)) {
			consume(in, q->sent_len);
			in->has_echo = true;
			if (!q->echoes)
				return LINE_ECHO;
			continue;
		}
		size_t size = size_at(in, q, is_last);
		bool is_whole = size > 0 && in->len >= size;
		bool is_reply = is_whole && q != NULL && in->before == 0 && fits(q, in->data, size);
		enum line_result result = is_reply ? LINE_DAMAGED : LINE_MORE;
		bool sound = is_whole && is_sound(in->data, size);
		if (sound)
			result = classify(line, in, q, size, now);
		if (sound || is_reply) {
			memcpy(frame->data, in->data, size);
			frame->len = size;
			consume(in, size);
			if (result != LINE_MORE)
				return result;
			continue;
		}
		if (!is_last && (may_be_echo(in, q) || may_grow(line, q, in)))
			return LINE_MORE;
		put_noise(in, in->data[0]);
		consume(in, 1);
	}
	return LINE_MORE;
}
