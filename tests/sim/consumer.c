/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consumers that read everything by replay, page by page, some with a durable cursor, and check
 * that they get each entry once.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "world.h"

#define CONSUMERS  2
#define FIRST_PEER 3000000000u /* clients have lower numbers */
#define PATIENCE   (20 * S)

enum ask { ASK_NOTHING, ASK_HELLO, ASK_PAGE, ASK_MOVE, ASK_CURSOR };

struct consumer {
	char name[16];
	bool has_cursor;
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t next;       /* seq to ask for; 0: at the start of the first journal */
	uint64_t acked;      /* by the daemon, of `journal` */
	uint64_t acking;     /* the seq that it is being moved to */
	uint64_t is_current; /* this journal was the one in use at the last hello */
	enum ask asked;
	uint32_t peer;
	uint64_t sent;
};

static struct consumer consumers[CONSUMERS];
static uint32_t last_peer;

static void step(void *arg);

static void send_request(struct consumer *c, enum ask asked, struct buffer *request)
{
	uint32_t peer = FIRST_PEER + ++last_peer;
	if (system_request(SITE_REPLAY, peer, request->data, request->len)) {
		c->asked = asked;
		c->peer = peer;
		c->sent = now_boot();
	}
	buffer_finish(request);
}

static void ask_hello(struct consumer *c)
{
	struct buffer request = {0};
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", "hello");
	map_uint(&map, "proto", 1);
	map_close(&map);
	send_request(c, ASK_HELLO, &request);
}

static void ask_page(struct consumer *c)
{
	struct buffer request = {0};
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", "fetch");
	map_bytes(&map, "journal", c->journal, sizeof c->journal);
	map_text(&map, "prefix", "a1/");
	map_uint(&map, "from", c->next);
	map_uint(&map, "to", c->next + dice_time(1, 2000));
	map_uint(&map, "max_bytes", dice_time(4096, 1 << 20));
	map_close(&map);
	send_request(c, ASK_PAGE, &request);
}

static void ask_cursor(struct consumer *c, bool move)
{
	struct buffer request = {0};
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", "cursor");
	map_text(&map, "name", c->name);
	if (move) {
		map_bytes(&map, "journal", c->journal, sizeof c->journal);
		map_text(&map, "topic", "a1/");
		map_uint(&map, "seq", c->next - 1);
		c->acking = c->next - 1;
	}
	map_close(&map);
	send_request(c, move ? ASK_MOVE : ASK_CURSOR, &request);
}

static void ask(struct consumer *c)
{
	if (c->next == 0 || dice_one_in(6))
		ask_hello(c);
	else if (c->has_cursor && c->next > 1 && dice_one_in(4))
		ask_cursor(c, true);
	else if (c->has_cursor && c->acked > 0 && dice_one_in(8))
		ask_cursor(c, false);
	else
		ask_page(c);
}

static void step(void *arg)
{
	struct consumer *c = arg;
	bool waits = c->asked != ASK_NOTHING && now_boot() < c->sent + PATIENCE;
	if (!waits && system_is_running())
		ask(c);
	event_in(dice_time(50 * MS, 200 * S), step, c);
}

void consumers_open(void)
{
	memset(consumers, 0, sizeof consumers);
	for (size_t i = 0; i < CONSUMERS; i++) {
		struct consumer *c = &consumers[i];
		snprintf(c->name, sizeof c->name, "consumer-%zu", i);
		c->has_cursor = i == 0;
		event_in(dice_time(S, 100 * S), step, c);
	}
}

/* --- replies --------------------------------------------------------------------------------- */

struct reply {
	struct assay_string op, code, text;
	uint64_t count, next, head;
	const uint8_t *journal;
	struct assay_span journals, gaps, at;
};

static int read_reply(const struct system_part *part, struct reply *reply)
{
	struct reader r;
	struct assay_string key;
	size_t pairs = 0;
	*reply = (struct reply){0};
	read_init(&r, part->data, part->len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "op"))
			read_text(&r, &reply->op);
		else if (assay_string_is(key, "code"))
			read_text(&r, &reply->code);
		else if (assay_string_is(key, "text"))
			read_text(&r, &reply->text);
		else if (assay_string_is(key, "count"))
			read_uint(&r, &reply->count);
		else if (assay_string_is(key, "next"))
			read_uint(&r, &reply->next);
		else if (assay_string_is(key, "head"))
			read_uint(&r, &reply->head);
		else if (assay_string_is(key, "journal"))
			read_fixed(&r, JOURNAL_ID_SIZE, &reply->journal);
		else if (assay_string_is(key, "journals"))
			read_raw(&r, &reply->journals);
		else if (assay_string_is(key, "gaps"))
			read_raw(&r, &reply->gaps);
		else if (assay_string_is(key, "at"))
			read_raw(&r, &reply->at);
		else
			read_skip(&r);
	}
	return read_finish(&r);
}

struct range {
	const uint8_t *journal;
	uint64_t first, last;
};

static bool next_range(struct reader *r, struct range *range)
{
	struct assay_string key;
	size_t pairs = 0;
	*range = (struct range){0};
	if (r->error != 0 || r->at >= r->len || read_map(r, &pairs) < 0)
		return false;
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "journal"))
			read_fixed(r, JOURNAL_ID_SIZE, &range->journal);
		else if (assay_string_is(key, "first"))
			read_uint(r, &range->first);
		else if (assay_string_is(key, "last"))
			read_uint(r, &range->last);
		else
			read_skip(r);
	}
	return range->journal != NULL;
}

/* Starts with the oldest journal; goes on to the next one when all of this one was read. */
static void take_welcome(struct consumer *c, const struct reply *reply)
{
	struct reader r;
	struct range range;
	size_t count;
	bool found = c->next == 0;
	read_init(&r, reply->journals.data, reply->journals.len);
	read_array(&r, &count);
	while (next_range(&r, &range)) {
		bool is_it = c->next != 0 &&
			     memcmp(range.journal, c->journal, JOURNAL_ID_SIZE) == 0;
		if (is_it)
			found = true;
		if (is_it && c->next <= range.last)
			return;
		if (is_it && range.last + 1 < c->next && site.always)
			wrong("replay has %llu entries of a journal, %llu were fetched",
				(unsigned long long)range.last, (unsigned long long)c->next - 1);
		if (found && !is_it && range.last >= range.first) {
			memcpy(c->journal, range.journal, sizeof c->journal);
			c->next = range.first;
			c->acked = 0;
			return;
		}
	}
	if (!found)
		wrong("replay does not know a journal any more");
}

static void take_page(struct consumer *c, const struct reply *reply,
	const struct system_part *parts, size_t count)
{
	if (reply->count != count - 1) {
		wrong("a page of %llu entries has %zu parts", (unsigned long long)reply->count,
			count - 1);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct assay_entry_view entry;
		if (!truth_is_entry(parts[i].data, parts[i].len) ||
			assay_entry_read(parts[i].data, parts[i].len, &entry) < 0) {
			wrong("replay gives an entry that is not committed");
			return;
		}
		if (entry.seq != c->next)
			wrong("replay gives entry %llu after entry %llu",
				(unsigned long long)entry.seq, (unsigned long long)c->next - 1);
		c->next = entry.seq + 1;
	}
	if (reply->next != 0 && reply->next != c->next)
		wrong("replay goes on with entry %llu after entry %llu",
			(unsigned long long)reply->next, (unsigned long long)c->next - 1);
}

static void take_cursor(struct consumer *c, const struct reply *reply)
{
	struct reader r;
	struct assay_string key;
	size_t count = 0, pairs;
	uint64_t at = 0;
	read_init(&r, reply->at.data, reply->at.len);
	read_array(&r, &count);
	for (; count > 0 && r.error == 0; count--) {
		const uint8_t *journal = NULL;
		uint64_t seq = 0;
		read_map(&r, &pairs);
		for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
			if (assay_string_is(key, "journal"))
				read_fixed(&r, JOURNAL_ID_SIZE, &journal);
			else if (assay_string_is(key, "seq"))
				read_uint(&r, &seq);
			else
				read_skip(&r);
		}
		if (journal != NULL && memcmp(journal, c->journal, JOURNAL_ID_SIZE) == 0)
			at = seq;
	}
	if (at < c->acked)
		wrong("a cursor is at %llu, it was moved to %llu", (unsigned long long)at,
			(unsigned long long)c->acked);
}

bool consumer_replied(uint32_t peer, const struct system_part *parts, size_t count)
{
	struct reply reply;
	if (peer < FIRST_PEER)
		return false;
	for (size_t i = 0; i < CONSUMERS; i++) {
		struct consumer *c = &consumers[i];
		if (c->peer == peer && c->asked == ASK_NOTHING)
			wrong("replay answers a request of %s twice", c->name);
		if (c->peer != peer || c->asked == ASK_NOTHING)
			continue;
		enum ask asked = c->asked;
		c->asked = ASK_NOTHING;
		if (count == 0 || read_reply(&parts[0], &reply) < 0) {
			wrong("a reply of replay cannot be read");
		} else if (assay_string_is(reply.op, "error")) {
			/* a power cut can have taken entries that it has */
			bool is_lost = asked == ASK_MOVE && !site.always;
			if (!is_lost && !assay_string_is(reply.code, "busy"))
				wrong("replay refuses a request of kind %d of %s (next %llu, acked "
				      "%llu): %.*s %.*s",
					(int)asked, c->name, (unsigned long long)c->next,
					(unsigned long long)c->acked, (int)reply.code.len,
					reply.code.data, (int)reply.text.len, reply.text.data);
		} else if (asked == ASK_HELLO) {
			take_welcome(c, &reply);
		} else if (asked == ASK_PAGE) {
			take_page(c, &reply, parts, count);
		} else if (asked == ASK_MOVE) {
			c->acked = c->acking;
		} else {
			take_cursor(c, &reply);
		}
	}
	return true;
}

void consumers_look(void)
{
	uint64_t since = healthy_since();
	for (size_t i = 0; i < CONSUMERS && since != NEVER; i++) {
		struct consumer *c = &consumers[i];
		uint64_t from = c->sent > since ? c->sent : since;
		if (c->asked != ASK_NOTHING && c->sent > since && now_boot() > from + 10 * S)
			wrong("replay does not answer %s", c->name);
	}
}
