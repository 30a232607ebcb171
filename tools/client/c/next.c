/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "handle.h"
#include "socket.h"

#define REPLY_NS  (5 * NS_PER_S) /* without a reply, without a heartbeat: reconnect */
#define SILENT_NS (5 * NS_PER_S)
#define PAUSE_NS  (100 * NS_PER_MS)

static void note_size(struct assay_client *c, size_t size)
{
	if (size <= c->largest)
		return;
	c->largest = size;
	socket_set_limit(c->live, socket_limit(c->receive_hwm, c->largest));
}

static int reconnect(struct assay_client *c, const char *why)
{
	client_fail(c, 0, "%s: reconnecting", why);
	int r = client_connect(c);
	if (r < 0)
		return client_fail(c, r, "cannot connect: %s", zmq_strerror(-r));
	delivery_reconnected(c->delivery);
	c->sent_at = 0;
	c->beat_at = clock_boot();
	c->reconnects++;
	return 0;
}

static int protocol_error(struct assay_client *c, const char *what)
{
	int r = reconnect(c, what);
	c->retry_at = clock_boot() + PAUSE_NS;
	return r < 0 ? r : client_fail(c, -EPROTO, "%s: not assayd, or a newer version", what);
}

/* --- requests --------------------------------------------------------------------------------- */

static int send_need(struct assay_client *c)
{
	struct message_fetch fetch;
	if (c->sent_at != 0 || clock_boot() < c->retry_at)
		return 0;
	enum delivery_need need = delivery_need(c->delivery, &fetch);
	if (need == DELIVERY_NOTHING)
		return 0;
	struct buffer request = {0};
	if (need == DELIVERY_HELLO)
		message_hello(&request);
	else
		message_fetch(&request, &fetch);
	int r = request.failed ? -ENOMEM : 0;
	if (r == 0 && zmq_send(c->replay, request.data, request.len, ZMQ_DONTWAIT) < 0)
		r = errno == EAGAIN ? 0 : -errno;
	buffer_finish(&request);
	if (r < 0)
		return r;
	delivery_sent(c->delivery);
	c->sent_at = clock_boot();
	return 0;
}

static int take_reply(struct assay_client *c)
{
	struct reply_view m;
	struct assay_span first = parts_at(&c->page, 0);
	c->sent_at = 0;
	if (message_read(first.data, first.len, &m) < 0)
		return protocol_error(c, "invalid reply");
	c->received_at = clock_boot();
	if (m.kind == MESSAGE_DATA) {
		if (m.count != c->page.count - 1 || delivery_page(c->delivery, &m) < 0)
			return protocol_error(c, "invalid page");
		c->is_paging = true;
		c->page_at = 1;
		return 0;
	}
	if (m.kind == MESSAGE_ERROR) {
		int r = delivery_refused(c->delivery, m.error);
		return r < 0 ? client_refused(c, &m) : 0;
	}
	int r = m.kind == MESSAGE_WELCOME ? delivery_welcome(c->delivery, &m) : -EBADMSG;
	return r == -EBADMSG ? protocol_error(c, "invalid welcome") : r;
}

/* --- items ------------------------------------------------------------------------------------ */

static void give_entry(
	struct assay_client *c, struct assay_span bytes, const struct assay_entry_view *entry)
{
	c->item = (struct assay_client_item){
		.kind = ASSAY_ITEM_ENTRY, .bytes = bytes.data, .len = bytes.len, .entry = *entry};
	memcpy(c->item.cursor.journal, entry->journal, ASSAY_UUID_SIZE);
	memcpy(c->item.cursor.topic, entry->topic.data, entry->topic.len);
	c->item.cursor.seq = entry->seq;
}

static int group_entry(
	struct assay_client *c, struct assay_span bytes, const struct assay_entry_view *entry)
{
	int r = runs_entry(&c->runs, bytes, entry, &c->run);
	if (r == RUNS_RUN)
		client_give_run(c);
	else if (r == RUNS_ENTRY)
		give_entry(c, bytes, entry);
	return r < 0 ? r : r != RUNS_TAKEN;
}

/*
 * Makes an entry the item, or adds it to its run.  1: an item.  An entry of a run that began earlier
 * is kept in c->waiting, and nothing else is passed on before it.
 */
static int pass_entry(
	struct assay_client *c, struct assay_span bytes, const struct assay_entry_view *entry)
{
	const uint8_t *id;
	if (!c->by_runs || !runs_is_theirs(entry->topic)) {
		give_entry(c, bytes, entry);
		return 1;
	}
	if (!runs_lack_start(&c->runs, entry, &id))
		return group_entry(c, bytes, entry);
	buffer_reset(&c->waiting);
	buffer_append(&c->waiting, bytes.data, bytes.len);
	c->waiting_from = 1;
	return c->waiting.failed ? -ENOMEM : 0;
}

/* 1: an item; 0: nothing waits; -EAGAIN: not in this time. */
static int pass_waiting(struct assay_client *c, uint64_t deadline)
{
	struct assay_entry_view entry;
	if (c->waiting.len == 0)
		return 0;
	struct assay_span bytes = {c->waiting.data, c->waiting.len};
	assay_entry_read(bytes.data, bytes.len, &entry);
	int r = client_read_start(c, &entry, clock_ms_until(deadline));
	if (r == 0)
		r = group_entry(c, bytes, &entry);
	if (r >= 0)
		buffer_reset(&c->waiting);
	return r;
}

/* A gap may belong to an open run.  Runs that the end of a journal cuts come before it. */
static int pass_note(struct assay_client *c)
{
	const struct delivery_note *note = &c->note;
	if (note->kind == DELIVERY_END &&
		runs_cut(&c->runs, note->cursor.journal, note->cursor.topic, &c->run) == 1) {
		client_give_run(c);
		return 1;
	}
	c->has_note = false;
	if (note->kind == DELIVERY_GAP && runs_gap(&c->runs, &note->cursor, note->first, note->why))
		return 0;
	c->item = (struct assay_client_item){
		.kind = note->kind == DELIVERY_GAP ? ASSAY_ITEM_GAP : ASSAY_ITEM_MARK,
		.cursor = note->cursor,
		.first = note->first,
		.why = note->why};
	return 1;
}

static int walk_page(struct assay_client *c)
{
	while (c->page_at < c->page.count && c->waiting.len == 0) {
		struct assay_entry_view entry;
		struct assay_span bytes = parts_at(&c->page, c->page_at);
		if (assay_entry_read(bytes.data, bytes.len, &entry) < 0) {
			c->is_paging = false;
			return protocol_error(c, "invalid entry");
		}
		enum delivery_verdict verdict = delivery_page_entry(c->delivery, &entry, &c->note);
		c->has_note = verdict == DELIVERY_NOTED;
		c->page_at += verdict != DELIVERY_NOTED;
		int r = 0;
		if (c->has_note)
			r = pass_note(c);
		else if (verdict == DELIVERY_GIVE)
			r = pass_entry(c, bytes, &entry);
		if (r != 0)
			return r;
	}
	if (c->waiting.len > 0)
		return 0;
	c->is_paging = false;
	int r = delivery_page_done(c->delivery);
	if (delivery_pause(c->delivery))
		c->retry_at = clock_boot() + PAUSE_NS;
	return r;
}

/* The next item that needs no waiting.  1: an item. */
static int give_ready(struct assay_client *c)
{
	int r = c->has_note ? pass_note(c) : 0;
	while (r == 0 && c->is_paging && c->waiting.len == 0) {
		/* Request the next page before this one is processed. */
		r = send_need(c);
		if (r == 0)
			r = walk_page(c);
	}
	while (r == 0 && c->waiting.len == 0) {
		r = delivery_note(c->delivery, &c->note);
		if (r <= 0)
			break;
		c->has_note = true;
		r = pass_note(c);
	}
	return r;
}

/* --- live messages ---------------------------------------------------------------------------- */

/* Processes a live message.  1: it is the item. */
static int take_live(struct assay_client *c)
{
	struct assay_entry_view entry;
	struct assay_span topic = parts_at(&c->live_message, 0);
	if (c->live_message.count != 2)
		return 0;
	struct assay_span bytes = parts_at(&c->live_message, 1);
	note_size(c, bytes.len);
	if (prefix_covers(
		    PREFIX_HEAD, (struct assay_string){(const char *)topic.data, topic.len})) {
		struct head_view head;
		if (head_read(bytes.data, bytes.len, &head) < 0)
			return protocol_error(c, "invalid heartbeat");
		c->received_at = c->beat_at = clock_boot();
		return delivery_head(c->delivery, &head);
	}
	if (assay_entry_read(bytes.data, bytes.len, &entry) < 0)
		return protocol_error(c, "invalid live entry");
	if (delivery_live_entry(c->delivery, &entry) != DELIVERY_GIVE)
		return 0;
	return pass_entry(c, bytes, &entry);
}

/* A refused connection is made new: a later call tries again. */
static int look_at_keys(struct assay_client *c)
{
	int r = secure_watch_look(&c->live_watch);
	if (r == 0)
		r = secure_watch_look(&c->replay_watch);
	if (r == 0)
		return 0;
	int error = reconnect(c, "no access");
	return error < 0 ? error : r;
}

/* Waits for a message or the first deadline.  0, or -EINTR. */
static int wait_for_bytes(struct assay_client *c, uint64_t deadline)
{
	uint64_t until = c->beat_at + SILENT_NS;
	if (c->sent_at != 0 && c->sent_at + REPLY_NS < until)
		until = c->sent_at + REPLY_NS;
	if (c->sent_at == 0 && c->retry_at > clock_boot() && c->retry_at < until)
		until = c->retry_at;
	if (deadline < until)
		until = deadline;
	zmq_pollitem_t items[] = {{.socket = c->live, .events = ZMQ_POLLIN},
		{.socket = c->replay, .events = ZMQ_POLLIN},
		{.socket = c->live_watch.monitor, .events = ZMQ_POLLIN},
		{.socket = c->replay_watch.monitor, .events = ZMQ_POLLIN}};
	if (zmq_poll(items, c->live_watch.monitor != NULL ? 4 : 2, clock_ms_until(until)) < 0)
		return -errno;
	int r = look_at_keys(c);
	if (r < 0)
		return r;
	if (items[0].revents != 0 || items[1].revents != 0)
		return 0;
	uint64_t now = clock_boot();
	if (now >= c->beat_at + SILENT_NS)
		return reconnect(c, "no heartbeat for 5 s");
	if (c->sent_at != 0 && now >= c->sent_at + REPLY_NS)
		return reconnect(c, "no reply for 5 s");
	return 0;
}

/* Receives one message, or waits.  1: an item; 0: call again; negative. */
static int listen(struct assay_client *c, uint64_t deadline)
{
	int r = c->sent_at != 0 ? parts_receive(&c->page, c->replay) : 0;
	if (r < 0)
		return r;
	if (r == 1)
		return take_reply(c);
	r = parts_receive(&c->live_message, c->live);
	if (r < 0)
		return r;
	return r == 1 ? take_live(c) : wait_for_bytes(c, deadline);
}

static int find_item(struct assay_client *c, uint64_t deadline)
{
	for (;;) {
		int r = pass_waiting(c, deadline);
		if (r == 0)
			r = give_ready(c);
		if (r != 0)
			return r == -EAGAIN ? 0 : r;
		if (c->waiting.len > 0)
			continue;
		if (c->stop_at_head && delivery_is_past_start(c->delivery))
			return -ENODATA;
		r = send_need(c);
		if (r == 0 && c->sent_at == 0)
			r = give_ready(c); /* a prefix or journal may have ended */
		if (r == 0)
			r = listen(c, deadline);
		if (r != 0)
			return r;
		if (clock_boot() >= deadline && !c->is_paging)
			return 0;
	}
}

int assay_client_next(struct assay_client *c, int timeout_ms, const struct assay_client_item **item)
{
	uint64_t deadline = clock_boot() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * NS_PER_MS;
	/* The time between two calls does not count as silence of the daemon. */
	uint64_t away = clock_boot() - c->left_at;
	c->beat_at += away;
	if (c->sent_at != 0)
		c->sent_at += away;
	c->item = (struct assay_client_item){0};
	*item = NULL;
	if (c->is_broken)
		return -ENOMEM;
	int r = c->has_cursor ? 0 : client_read_cursor(c, timeout_ms);
	if (r == 0 && c->cursor[0] != '\0')
		r = client_keep_cursor(c, timeout_ms);
	if (r == 0)
		r = find_item(c, deadline);
	else if (r == -EAGAIN)
		r = 0;
	if (r == 1 && marks_put(&c->given, &c->item.cursor) < 0)
		r = -ENOMEM;
	c->is_broken = r == -ENOMEM;
	*item = r == 1 ? &c->item : NULL;
	c->left_at = clock_boot();
	return client_result(c, r);
}
