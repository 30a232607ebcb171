/* SPDX-License-Identifier: Apache-2.0 */
/* The commit thread with a real journal on a simulated disk and a real subscriber. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "../apart.h"
#include "base/clock.h"
#include "core/commit/commit.h"
#include "core/commit/item.h"
#include "core/commit/ledger.h"
#include "core/commit/publish.h"
#include "disk.h"
#include "record/entry.h"

#define TOPIC    "a1/data/xrf/site/node/xrf-1/"
#define HEAD     "a1/head/-/site/node/-/"
#define LIMIT_MS 10000

struct bench {
	struct disk *disk;
	struct journal *journal;
	void *zmq, *subscriber;
	struct publisher *publisher;
	struct commit *commit;
	struct ledger *ledger;
	struct ledger_topic *topic;
	int wake_fd;
	size_t done;
};

static void bench_open(struct bench *b, bool always)
{
	*b = (struct bench){.disk = disk_create(1), .zmq = zmq_ctx_new()};
	struct journal_options options = {.path = "/j",
		.entry = entry_place,
		.sync_ms = always ? 0 : 60000,
		.now = clock_utc()};
	struct journal_report report = {0};
	assert_int_equal(journal_open(&b->journal, disk_io(b->disk), &options, &report), 0);
	assert_int_equal(publisher_open(&b->publisher, b->zmq, "inproc://live", HEAD), 0);
	assert_int_equal(publisher_start(b->publisher), 0);
	b->subscriber = zmq_socket(b->zmq, ZMQ_SUB);
	int limit = LIMIT_MS;
	zmq_setsockopt(b->subscriber, ZMQ_SUBSCRIBE, TOPIC, strlen(TOPIC));
	zmq_setsockopt(b->subscriber, ZMQ_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(zmq_connect(b->subscriber, "inproc://live"), 0);
	b->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->ledger = ledger_create(b->journal, report.last_tc);
	struct commit_options how = {.always = always, .every_ns = 60 * NS_PER_S};
	assert_int_equal(commit_start(&b->commit, b->journal, b->publisher, &how, b->wake_fd), 0);
	ledger_attach(b->ledger, b->commit);
	b->topic = ledger_topic(b->ledger, TOPIC);
}

static void bench_close(struct bench *b)
{
	assert_int_equal(commit_stop(b->commit), 0);
	publisher_close(b->publisher);
	ledger_destroy(b->ledger);
	zmq_close(b->subscriber);
	zmq_ctx_term(b->zmq);
	close(b->wake_fd);
	disk_destroy(b->disk);
}

static void count_done(void *arg, const struct commit_item *item)
{
	struct bench *b = arg;
	b->done++;
	assert_int_equal(item->seq, b->done);
}

static void put_record(struct bench *b, size_t len, bool may_wait)
{
	static const uint8_t record[COMMIT_WAIT_BYTES];
	struct ledger_record r = {.topic = b->topic,
		.head = record,
		.head_len = len,
		.done = count_done,
		.arg = b,
		.may_wait = may_wait};
	assert_int_equal(ledger_put(b->ledger, &r, NULL), 0);
}

static void put(struct bench *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_record(b, 4, false);
}

static uint64_t receive(struct bench *b)
{
	uint8_t bytes[500];
	struct assay_entry_view entry;
	if (zmq_recv(b->subscriber, bytes, sizeof bytes, 0) < 0)
		return 0;
	int len = zmq_recv(b->subscriber, bytes, sizeof bytes, 0);
	assert_true(len > 0);
	assert_int_equal(assay_entry_read(bytes, (size_t)len, &entry), 0);
	return entry.seq;
}

static bool has_message(struct bench *b)
{
	zmq_pollitem_t item = {.socket = b->subscriber, .events = ZMQ_POLLIN};
	return zmq_poll(&item, 1, 0) > 0;
}

static void wait_done(struct bench *b, size_t count)
{
	uint64_t end = clock_boot() + LIMIT_MS * NS_PER_MS;
	while (b->done < count && clock_boot() < end)
		commit_collect(b->commit);
	assert_int_equal(b->done, count);
}

static void entries_are_published_in_order_of_seq(void **state)
{
	struct bench b;
	bench_open(&b, true);
	put(&b, 500);
	for (uint64_t seq = 1; seq <= 500; seq++)
		assert_int_equal(receive(&b), seq);
	wait_done(&b, 500);
	bench_close(&b);
}

static void nothing_is_published_while_the_sync_stalls(void **state)
{
	struct bench b;
	bench_open(&b, true);
	disk_stall(b.disk);
	put(&b, 10);
	assert_true(disk_wait_stalled(b.disk, LIMIT_MS));
	assert_false(has_message(&b));
	struct commit_status status;
	commit_status(b.commit, &status);
	assert_int_equal(status.head, 0);
	commit_collect(b.commit);
	assert_int_equal(b.done, 0);
	disk_release(b.disk);
	for (uint64_t seq = 1; seq <= 10; seq++)
		assert_int_equal(receive(&b), seq);
	bench_close(&b);
}

static void without_always_entries_are_published_before_the_sync(void **state)
{
	struct bench b;
	bench_open(&b, false);
	put(&b, 1);
	assert_int_equal(receive(&b), 1); /* the first file is made, which syncs */
	disk_stall(b.disk);
	put(&b, 1);
	assert_int_equal(receive(&b), 2);
	disk_release(b.disk);
	put(&b, 100);
	wait_done(&b, 102);
	bench_close(&b);
}

static void wait_committed(struct bench *b, uint64_t seq)
{
	struct commit_status status;
	uint64_t end = clock_boot() + LIMIT_MS * NS_PER_MS;
	do
		commit_status(b->commit, &status);
	while (status.head < seq && clock_boot() < end);
	assert_int_equal(status.head, seq);
}

static bool is_woken(struct bench *b, int limit_ms)
{
	struct pollfd fd = {.fd = b->wake_fd, .events = POLLIN};
	eventfd_t count;
	return poll(&fd, 1, limit_ms) > 0 && eventfd_read(b->wake_fd, &count) == 0;
}

static void what_may_wait_wakes_nobody_until_it_is_much(void **state)
{
	struct bench b;
	bench_open(&b, true);
	put_record(&b, 4, true);
	wait_committed(&b, 1);
	put_record(&b, 4, true);
	wait_committed(&b, 2); /* so the first one's group is over and done with */
	assert_false(is_woken(&b, 0));
	put_record(&b, 4, false); /* completions of all are delivered */
	assert_true(is_woken(&b, LIMIT_MS));
	wait_done(&b, 3);
	put_record(&b, COMMIT_WAIT_BYTES, true);
	assert_true(is_woken(&b, LIMIT_MS));
	wait_done(&b, 4);
	bench_close(&b);
}

/* The file of an entry of this journal, by its first seq. */
static bool has_segment(struct bench *b, uint64_t first_seq)
{
	char id[JOURNAL_ID_TEXT], path[160];
	journal_id_format(id, journal_id(b->journal));
	snprintf(path, sizeof path, "/j/journal/%s/%020llu.seg", id, (unsigned long long)first_seq);
	return disk_exists(b->disk, path);
}

static void the_end_of_a_large_run_ends_its_file(void **state)
{
	struct bench b;
	bench_open(&b, true);
	put(&b, 2);
	wait_done(&b, 2);
	struct ledger_record end = {.topic = b.topic,
		.head = (const uint8_t *)"last",
		.head_len = 4,
		.roll = true,
		.done = count_done,
		.arg = &b};
	assert_int_equal(ledger_put(b.ledger, &end, NULL), 0);
	wait_done(&b, 3);
	put(&b, 1);
	wait_done(&b, 4);
	assert_true(has_segment(&b, 1));
	assert_false(has_segment(&b, 3));
	assert_true(has_segment(&b, 4));
	bench_close(&b);
}

static void a_failed_sync_delays_and_loses_nothing(void **state)
{
	struct bench b;
	bench_open(&b, true);
	put(&b, 1);
	assert_int_equal(receive(&b), 1);
	disk_fail(b.disk, DISK_SYNC, 1, 3, EIO);
	put(&b, 20);
	for (uint64_t seq = 2; seq <= 21; seq++)
		assert_int_equal(receive(&b), seq);
	bench_close(&b);
}

static void a_full_disk_is_said_and_goes_on_by_itself(void **state)
{
	struct bench b;
	bench_open(&b, true);
	put(&b, 1);
	assert_int_equal(receive(&b), 1);
	disk_set_capacity(b.disk, 0);
	put(&b, 5);
	struct commit_status status = {0};
	uint64_t end = clock_boot() + LIMIT_MS * NS_PER_MS;
	while (status.error == 0 && clock_boot() < end)
		commit_status(b.commit, &status);
	assert_int_equal(status.error, -ENOSPC);
	assert_false(has_message(&b));
	disk_set_capacity(b.disk, UINT64_MAX);
	for (uint64_t seq = 2; seq <= 6; seq++)
		assert_int_equal(receive(&b), seq);
	commit_status(b.commit, &status);
	assert_int_equal(status.error, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_published_in_order_of_seq),
		cmocka_unit_test(nothing_is_published_while_the_sync_stalls),
		cmocka_unit_test(without_always_entries_are_published_before_the_sync),
		cmocka_unit_test(what_may_wait_wakes_nobody_until_it_is_much),
		cmocka_unit_test(the_end_of_a_large_run_ends_its_file),
		cmocka_unit_test(a_failed_sync_delays_and_loses_nothing),
		cmocka_unit_test(a_full_disk_is_said_and_goes_on_by_itself),
	};
	return RUN_APART(tests);
}
