/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"
#include "delivery.h"

#define LIVE_MAX 12 /* messages that wait in the socket */

/* The entries of a consumer, by journal and seq. */
struct consumer {
	struct fake_daemon daemon;
	struct prefixes prefixes;
	struct delivery *delivery;
	struct marks stored; /* in one transaction with the results */
	bool keeps_marks;
	uint8_t given[JOURNALS][ENTRIES + 1], lost[JOURNALS][ENTRIES + 1];
	uint64_t order[JOURNALS][TOPICS]; /* last seq given */

	struct {
		bool is_head;
		size_t journal;
		uint64_t seq;
		struct buffer head;
	} live[LIVE_MAX];
	size_t live_count;

	bool has_answer, is_welcome;
	struct buffer answer;
	size_t answer_journal, answer_count;
	uint64_t seqs[ENTRIES + 1];
	unsigned seed;
	size_t gaps;
};

static unsigned roll(struct consumer *c, unsigned sides)
{
	c->seed = c->seed * 1103515245u + 12345u;
	return (c->seed >> 16) % sides;
}

static void forget_live(struct consumer *c)
{
	for (size_t i = 0; i < c->live_count; i++)
		buffer_finish(&c->live[i].head);
	c->live_count = 0;
}

static void start(struct consumer *c, enum assay_client_start start, uint64_t at)
{
	delivery_destroy(c->delivery);
	assert_int_equal(delivery_create(&c->delivery, &c->prefixes, start, at), 0);
	for (size_t i = 0; i < c->stored.count; i++)
		assert_int_equal(delivery_put_mark(c->delivery, &c->stored.items[i]), 0);
	forget_live(c);
	c->has_answer = false;
}

static struct consumer *create(unsigned seed, const char *const *prefixes, size_t count)
{
	struct consumer *c = calloc(1, sizeof *c);
	assert_non_null(c);
	c->seed = seed;
	c->daemon.page = 5;
	c->keeps_marks = seed % 2 == 0;
	fake_renew(&c->daemon);
	assert_int_equal(prefixes_init(&c->prefixes, prefixes, count, seed % 3 == 0), 0);
	return c;
}

static void destroy(struct consumer *c)
{
	forget_live(c);
	delivery_destroy(c->delivery);
	marks_finish(&c->stored);
	buffer_finish(&c->answer);
	free(c);
}

static size_t journal_of(const struct consumer *c, const uint8_t *id)
{
	size_t i = 0;
	while (memcmp(c->daemon.journals[i].id, id, ASSAY_UUID_SIZE) != 0)
		assert_true(++i < c->daemon.count);
	return i;
}

/* --- output ----------------------------------------------------------------------------------- */

static void got_entry(struct consumer *c, size_t journal, uint64_t seq)
{
	size_t topic = c->daemon.journals[journal].entries[seq].topic;
	assert_int_equal(c->given[journal][seq], 0);
	assert_true(seq > c->order[journal][topic]);
	c->order[journal][topic] = seq;
	c->given[journal][seq] = 1;
	struct assay_client_cursor mark = mark_of(
		c->daemon.journals[journal].id, fake_topics[topic], seq);
	assert_int_equal(marks_put(&c->stored, &mark), 0);
}

static void got_note(struct consumer *c, const struct delivery_note *note)
{
	size_t journal = journal_of(c, note->cursor.journal);
	const struct fake_journal *j = &c->daemon.journals[journal];
	if (note->kind == DELIVERY_GAP || c->keeps_marks)
		assert_int_equal(marks_put(&c->stored, &note->cursor), 0);
	if (note->kind != DELIVERY_GAP)
		return;
	c->gaps++;
	bool is_prefix = true;
	for (size_t i = 0; i < TOPICS; i++)
		is_prefix = is_prefix && strcmp(fake_topics[i], note->cursor.topic) != 0;
	assert_int_equal(note->why, ASSAY_GAP_PRUNED);
	assert_true(note->first <= note->cursor.seq);
	for (uint64_t seq = note->first; seq <= note->cursor.seq && seq <= j->count; seq++) {
		const char *topic = fake_topics[j->entries[seq].topic];
		if (strncmp(topic, note->cursor.topic, strlen(note->cursor.topic)) != 0)
			continue;
		assert_true(j->entries[seq].is_gone);
		/* A hole of a prefix may include entries that were given before it became one. */
		assert_true(is_prefix || c->given[journal][seq] == 0);
		c->lost[journal][seq]++;
	}
}

/* --- input ------------------------------------------------------------------------------------ */

static void send_live(struct consumer *c, bool is_head)
{
	struct fake_daemon *d = &c->daemon;
	if (c->live_count == LIVE_MAX || roll(c, 10) == 0)
		return;
	size_t i = c->live_count++;
	c->live[i].is_head = is_head;
	c->live[i].journal = d->count - 1;
	c->live[i].seq = d->journals[d->count - 1].count;
	c->live[i].head = (struct buffer){0};
	if (is_head)
		fake_head(d, &c->live[i].head);
}

static void hear_head(struct consumer *c, const struct buffer *bytes)
{
	struct head_view head;
	assert_int_equal(head_read(bytes->data, bytes->len, &head), 0);
	assert_int_equal(delivery_head(c->delivery, &head), 0);
}

static void hear(struct consumer *c)
{
	if (c->live_count == 0)
		return;
	size_t journal = c->live[0].journal;
	uint64_t seq = c->live[0].seq;
	struct assay_entry_view view = fake_view(&c->daemon, journal, seq);
	if (c->live[0].is_head)
		hear_head(c, &c->live[0].head);
	else if (delivery_live_entry(c->delivery, &view) == DELIVERY_GIVE)
		got_entry(c, journal, seq);
	buffer_finish(&c->live[0].head);
	memmove(&c->live[0], &c->live[1], --c->live_count * sizeof c->live[0]);
}

static void ask(struct consumer *c)
{
	struct message_fetch fetch;
	if (c->has_answer)
		return;
	enum delivery_need need = delivery_need(c->delivery, &fetch);
	if (need == DELIVERY_NOTHING)
		return;
	buffer_reset(&c->answer);
	c->is_welcome = need == DELIVERY_HELLO;
	if (c->is_welcome)
		fake_welcome(&c->daemon, &c->answer);
	else
		c->answer_count = fake_fetch(
			&c->daemon, &fetch, &c->answer, &c->answer_journal, c->seqs);
	delivery_sent(c->delivery);
	c->has_answer = true;
}

static void read_page(struct consumer *c, size_t count, size_t journal, const uint64_t *seqs)
{
	struct delivery_note note;
	for (size_t i = 0; i < count;) {
		struct assay_entry_view view = fake_view(&c->daemon, journal, seqs[i]);
		enum delivery_verdict verdict = delivery_page_entry(c->delivery, &view, &note);
		if (verdict == DELIVERY_NOTED)
			got_note(c, &note);
		else if (verdict == DELIVERY_GIVE)
			got_entry(c, journal, seqs[i]);
		i += verdict != DELIVERY_NOTED;
	}
	assert_int_equal(delivery_page_done(c->delivery), 0);
}

/* `is_cut`: the connection fails while the page is read. */
static void take_answer(struct consumer *c, bool is_cut)
{
	struct reply_view m;
	static uint64_t seqs[ENTRIES + 1];
	if (!c->has_answer)
		return;
	c->has_answer = false;
	assert_int_equal(message_read(c->answer.data, c->answer.len, &m), 0);
	if (c->is_welcome) {
		assert_int_equal(delivery_welcome(c->delivery, &m), 0);
		return;
	}
	size_t count = c->answer_count, journal = c->answer_journal;
	memcpy(seqs, c->seqs, count * sizeof *seqs);
	assert_int_equal(delivery_page(c->delivery, &m), 0);
	if (is_cut) {
		delivery_reconnected(c->delivery);
		return;
	}
	ask(c); /* the next page is on its way while this one is read */
	read_page(c, count, journal, seqs);
}

static void take_notes(struct consumer *c)
{
	struct delivery_note note;
	while (delivery_note(c->delivery, &note) == 1)
		got_note(c, &note);
}

static void step(struct consumer *c)
{
	take_notes(c);
	ask(c);
	take_notes(c);
	if (roll(c, 2) == 0)
		take_answer(c, roll(c, 20) == 0);
	else
		hear(c);
}

/* Every committed entry is given, or reported as lost. */
static void settle(struct consumer *c)
{
	bool is_live = false;
	for (size_t turns = 0; !is_live; turns++) {
		assert_true(turns < 200000);
		if (c->live_count == 0 && !c->has_answer)
			send_live(c, true);
		step(c);
		is_live = c->live_count == 0 && !c->has_answer && delivery_is_live(c->delivery) &&
			  turns > 100;
	}
}

static void check(const struct consumer *c)
{
	for (size_t i = 0; i < c->daemon.count; i++) {
		const struct fake_journal *j = &c->daemon.journals[i];
		for (uint64_t seq = 1; seq <= j->count; seq++) {
			const char *topic = fake_topics[j->entries[seq].topic];
			bool is_wanted = prefixes_find(&c->prefixes,
						 (struct assay_string){topic, strlen(topic)}) >= 0;
			if (!is_wanted)
				assert_int_equal(c->given[i][seq], 0);
			else if (!j->entries[seq].is_gone)
				assert_int_equal(c->given[i][seq] + c->lost[i][seq], 1);
			else
				assert_true(c->given[i][seq] + c->lost[i][seq] >= 1);
		}
	}
}

/* --- cases ------------------------------------------------------------------------------------ */

static const char *const data[] = {"a1/data/"};
static const char *const many[] = {
	"a1/data/xrf/site/node/xrf-1/", "a1/state/", "a1/data/xrf/", "a1/data/ms/"};

/* kill -9, and some time until it is started again. */
static void come_back(struct consumer *c, bool prunes)
{
	struct fake_daemon *d = &c->daemon;
	uint64_t before = d->journals[d->count - 1].count;
	for (int i = 0; i < 60 && before + i < ENTRIES; i++)
		fake_commit(d, roll(c, TOPICS));
	if (prunes)
		fake_prune(d, d->count - 1, before + 10, before + 10 + roll(c, 40));
	start(c, ASSAY_START_OLDEST, 0);
}

static void disturb(struct consumer *c, bool prunes)
{
	struct fake_daemon *d = &c->daemon;
	unsigned what = roll(c, 400);
	if (what == 0)
		come_back(c, prunes);
	if (what == 1 || what == 2) {
		forget_live(c);
		c->has_answer = false;
		delivery_reconnected(c->delivery);
	}
	if (what == 3 && d->count < JOURNALS && roll(c, 3) == 0)
		fake_renew(d);
	if (what < 20 && what > 15 && prunes) {
		size_t journal = roll(c, (unsigned)d->count);
		uint64_t first = 1 + roll(c, 100) * (d->journals[journal].count / 100);
		fake_prune(d, journal, first, first + roll(c, 40));
	}
}

static void live_through(unsigned seed, const char *const *prefixes, size_t count, bool prunes)
{
	struct consumer *c = create(seed, prefixes, count);
	start(c, ASSAY_START_OLDEST, 0);
	for (int i = 0; i < 6000; i++) {
		struct fake_daemon *d = &c->daemon;
		/* Bursts, in which the socket overflows. */
		unsigned burst = roll(c, 40) == 0 ? 30 : roll(c, 4) == 0;
		while (burst-- > 0 && d->journals[d->count - 1].count < ENTRIES) {
			fake_commit(d, roll(c, 3) == 0 ? roll(c, TOPICS) : roll(c, 2));
			send_live(c, false);
		}
		if (roll(c, 8) == 0)
			send_live(c, true);
		step(c);
		disturb(c, prunes);
	}
	settle(c);
	check(c);
	assert_true(!prunes || c->gaps > 0);
	destroy(c);
}

static void everything_comes_once_and_in_order(void **state)
{
	for (unsigned seed = 1; seed <= 12; seed++) {
		live_through(seed, data, 1, false);
		live_through(seed, many, 4, false);
	}
}

static void pruned_holes_are_said(void **state)
{
	for (unsigned seed = 101; seed <= 112; seed++) {
		live_through(seed, data, 1, true);
		live_through(seed, many, 4, true);
	}
}

static size_t count_given(const struct consumer *c)
{
	size_t count = 0;
	for (size_t i = 0; i < c->daemon.count; i++) {
		for (uint64_t seq = 1; seq <= c->daemon.journals[i].count; seq++)
			count += c->given[i][seq];
	}
	return count;
}

static void commit_many(struct consumer *c, size_t count)
{
	while (count-- > 0)
		fake_commit(&c->daemon, count % TOPICS);
}

static void starting_now_gives_only_what_follows(void **state)
{
	struct consumer *c = create(2, data, 1);
	commit_many(c, 500);
	start(c, ASSAY_START_NOW, 0);
	settle(c);
	assert_int_equal(count_given(c), 0);
	/* The mark at the beginning was stored: nothing is lost while the consumer is away. */
	assert_int_equal(c->stored.count, 1);
	commit_many(c, 70);
	start(c, ASSAY_START_NOW, 0);
	settle(c);
	assert_int_equal(count_given(c), 40);
	destroy(c);
}

static void starting_at_a_time_searches_all_journals(void **state)
{
	struct consumer *c = create(2, data, 1);
	commit_many(c, 700);
	fake_prune(&c->daemon, 0, 300, 380);
	fake_renew(&c->daemon);
	commit_many(c, 70);
	start(c, ASSAY_START_TIME, 1000 * (ENTRIES + 36));
	settle(c);
	assert_int_equal(count_given(c), 20);
	assert_int_equal(c->given[1][35] + c->given[0][700], 0);
	marks_finish(&c->stored);
	memset(c->given, 0, sizeof c->given);
	memset(c->order, 0, sizeof c->order);
	start(c, ASSAY_START_TIME, 1000 * 631);
	settle(c);
	assert_int_equal(count_given(c), 80);
	destroy(c);
}

static void a_journal_that_is_gone_is_a_gap(void **state)
{
	struct consumer *c = create(1, data, 1);
	struct delivery_note note;
	commit_many(c, 70);
	static const uint8_t other[ASSAY_UUID_SIZE] = {9};
	struct assay_client_cursor mark = mark_of(other, fake_topics[0], 41);
	assert_int_equal(marks_put(&c->stored, &mark), 0);
	start(c, ASSAY_START_OLDEST, 0);
	ask(c);
	take_answer(c, false);
	assert_int_equal(delivery_note(c->delivery, &note), 1);
	assert_int_equal(note.kind, DELIVERY_GAP);
	assert_int_equal(note.first, 42);
	assert_memory_equal(note.cursor.journal, other, sizeof other);
	assert_int_equal(note.why, ASSAY_GAP_DAMAGED);
	settle(c);
	assert_int_equal(count_given(c), 40);
	destroy(c);
}

static void what_was_announced_and_is_not_there_yet_is_waited_for(void **state)
{
	struct consumer *c = create(1, data, 1);
	commit_many(c, 70);
	start(c, ASSAY_START_OLDEST, 0);
	settle(c);
	struct buffer early = {0};
	commit_many(c, 7);
	fake_head(&c->daemon, &early);
	c->daemon.journals[0].count -= 7;
	hear_head(c, &early);
	ask(c);
	take_answer(c, false);
	assert_true(delivery_pause(c->delivery));
	take_notes(c);
	assert_int_equal(c->gaps, 0);
	c->daemon.journals[0].count += 7;
	settle(c);
	check(c);
	buffer_finish(&early);
	destroy(c);
}

static void prefixes_are_checked_and_do_not_overlap(void **state)
{
	struct prefixes p;
	const char *const sim[] = {"a1/sim-data/xrf/"}, *const bad[] = {"b1/data/"},
			  *const head[] = {"a1/head/"};
	assert_int_equal(prefixes_init(&p, sim, 1, false), -EINVAL);
	assert_int_equal(prefixes_init(&p, bad, 1, true), -EINVAL);
	assert_int_equal(prefixes_init(&p, head, 1, true), -EINVAL);
	assert_int_equal(prefixes_init(&p, many, 4, true), 0);
	assert_int_equal(p.count, 6); /* xrf, ms, state, and their twins */
	struct assay_string simulated = {"a1/sim-data/xrf/a/b/c/", 22};
	assert_true(prefixes_find(&p, simulated) >= 0);
	const char *const bare[] = {"a1/data"};
	assert_int_equal(prefixes_init(&p, bare, 1, true), 0);
	assert_true(prefixes_find(&p, simulated) >= 0);
	assert_int_equal(prefixes_init(&p, NULL, 0, false), 0);
	assert_int_equal(p.count, 1);
	assert_int_equal(prefixes_find(&p, simulated), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_once_and_in_order),
		cmocka_unit_test(pruned_holes_are_said),
		cmocka_unit_test(starting_now_gives_only_what_follows),
		cmocka_unit_test(starting_at_a_time_searches_all_journals),
		cmocka_unit_test(a_journal_that_is_gone_is_a_gap),
		cmocka_unit_test(what_was_announced_and_is_not_there_yet_is_waited_for),
		cmocka_unit_test(prefixes_are_checked_and_do_not_overlap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
