/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor that the daemon keeps. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "handle.h"

#define KEEP_NS      (20 * NS_PER_S) /* the daemon ends the hold after 60 s of silence */
#define KEEP_WAIT_MS 1000

static int take_mark(void *arg, const struct assay_client_cursor *mark)
{
	struct assay_client *c = arg;
	int r = marks_put(&c->acked, mark);
	return r < 0 ? r : delivery_put_mark(c->delivery, mark);
}

int client_read_cursor(struct assay_client *c, int timeout_ms)
{
	struct parts reply = {0};
	struct reply_view m;
	struct buffer request = {0};
	message_cursor_get(&request, c->cursor, true);
	int r = requester_message(c->requester, &request, timeout_ms, &reply, &m);
	if (r == 0 && m.kind == MESSAGE_CURSOR)
		r = message_marks(&m, take_mark, c);
	else if (r == 0 && m.kind == MESSAGE_ERROR && m.error == MESSAGE_BUSY)
		r = -EAGAIN;
	else if (r == 0 && m.kind == MESSAGE_ERROR && m.error != MESSAGE_NOT_FOUND)
		r = client_refused(c, &m);
	else if (r == 0 && m.kind != MESSAGE_ERROR)
		r = client_fail(c, -EPROTO, "invalid reply about the cursor");
	if (r == -ETIMEDOUT)
		r = client_fail(c, -EAGAIN, "no answer about the cursor: is assayd running?");
	parts_finish(&reply);
	buffer_finish(&request);
	c->has_cursor = r == 0;
	c->taken_at = clock_boot();
	return r;
}

int client_keep_cursor(struct assay_client *c, int timeout_ms)
{
	struct parts reply = {0};
	struct reply_view m = {0};
	struct buffer request = {0};
	if (clock_boot() < c->taken_at + KEEP_NS || timeout_ms <= 0)
		return 0;
	message_cursor_get(&request, c->cursor, true);
	int r = requester_message(c->requester, &request,
		timeout_ms < KEEP_WAIT_MS ? timeout_ms : KEEP_WAIT_MS, &reply, &m);
	if (r == 0 && m.kind == MESSAGE_ERROR && m.error == MESSAGE_IN_USE)
		r = client_refused(c, &m);
	else if (r != -EINTR && r != -ENOMEM)
		r = 0; /* the daemon is away: once it is back, the first to come has the cursor */
	c->taken_at = clock_boot();
	parts_finish(&reply);
	buffer_finish(&request);
	return r;
}

static int ack_one(struct assay_client *c, const struct assay_client_cursor *mark, int timeout_ms)
{
	struct parts reply = {0};
	struct reply_view m = {0};
	struct buffer request = {0};
	message_cursor_set(&request, c->cursor, mark);
	int r = requester_message(c->requester, &request, timeout_ms, &reply, &m);
	/* Of a journal that the daemon no longer has, and of part of a token, it keeps no mark. */
	bool is_needless = m.error == MESSAGE_NOT_FOUND || m.error == MESSAGE_WRONG_JOURNAL ||
			   mark->topic[strlen(mark->topic) - 1] != '/';
	if (r == 0 && m.kind == MESSAGE_ERROR && m.error == MESSAGE_BUSY)
		r = -ETIMEDOUT;
	else if (r == 0 && m.kind == MESSAGE_ERROR && !is_needless)
		r = client_refused(c, &m);
	else if (r == 0 && m.kind != MESSAGE_OK && m.kind != MESSAGE_ERROR)
		r = client_fail(c, -EPROTO, "invalid reply to an acknowledgement");
	if (r == 0)
		r = marks_put(&c->acked, mark);
	parts_finish(&reply);
	buffer_finish(&request);
	return r;
}

int assay_client_ack(struct assay_client *c, int timeout_ms)
{
	uint64_t deadline = clock_boot() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * NS_PER_MS;
	if (c->cursor[0] == '\0')
		return -EINVAL;
	for (size_t i = 0; i < c->given.count; i++) {
		const struct assay_client_cursor *mark = &c->given.items[i];
		bool is_known = marks_has(&c->acked, mark->journal, mark->topic) &&
				marks_get(&c->acked, mark->journal, mark->topic) >= mark->seq;
		if (is_known || mark->seq == DELIVERY_LOST)
			continue;
		int r = ack_one(c, mark, clock_ms_until(deadline));
		if (r < 0)
			return client_result(c, r);
	}
	return 0;
}
