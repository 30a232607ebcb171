/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes at every call and at random: nothing published is lost, nothing foreign appears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>

#include "base/log.h"
#include "core.h"

#define RANDOM_LIVES 3000
#define MUTANT_SEEDS 300

/* A life that touches everything: groups, rolls, idling, a large entry, a clean end. */
static int script(struct core *core)
{
	int r = core_append(core, core_topic(0), 100);
	if (r == 0)
		r = core_sync(core);
	for (int round = 0; r == 0 && round < 6; round++) {
		r = core_append_many(core, 3, 900);
		if (r == 0)
			r = core_append_many(core, 2, 40);
		if (r == 0)
			r = core_sync(core);
		if (r == 0 && round == 1)
			r = journal_idle(core->journal, CORE_NOW);
		if (r == 0 && round == 3)
			r = journal_roll(core->journal);
	}
	if (r == 0)
		r = core_append(core, core_topic(1), 5000);
	return r < 0 ? r : core_close(core);
}

static void end_life(struct core *core, bool power_cut)
{
	if (core->journal != NULL) {
		disk_stop_at(core->disk, 0);
		core_close(core);
	}
	if (power_cut)
		disk_crash(core->disk);
	else
		disk_kill(core->disk);
}

static void must(const char *wrong, const char *when, uint64_t number)
{
	if (wrong != NULL)
		fail_msg("%s %llu: %s", when, (unsigned long long)number, wrong);
}

static void start(struct core *core, uint32_t seed, uint32_t sync_ms)
{
	core_init(core, seed);
	core->options.segment_size = 4000;
	core->options.sync_ms = sync_ms;
}

static uint64_t count_calls(uint32_t sync_ms)
{
	struct core core;
	start(&core, 1, sync_ms);
	assert_int_equal(core_open(&core), 0);
	core_accept(&core);
	assert_int_equal(script(&core), 0);
	uint64_t calls = disk_calls(core.disk);
	core_finish(&core);
	return calls;
}

/* Dies at call `k`, perhaps again while recovering, then lives on and ends in order. */
static void die_at(uint64_t k, uint32_t sync_ms, bool power_cut, bool twice)
{
	struct core core;
	start(&core, (uint32_t)k, sync_ms);
	disk_stop_at(core.disk, k);
	if (core_open(&core) == 0) {
		core_accept(&core);
		script(&core);
	}
	end_life(&core, power_cut);
	if (twice) {
		disk_stop_at(core.disk, 1 + disk_random(core.disk, 6));
		core_open(&core);
		end_life(&core, power_cut);
	}
	assert_int_equal(core_open(&core), 0);
	must(core_check(&core), "died at call", k);
	core_accept(&core);
	assert_int_equal(script(&core), 0);
	disk_reboot(core.disk);
	assert_int_equal(core_open(&core), 0);
	assert_int_equal(core.report.why, JOURNAL_CONTINUED);
	assert_false(core.report.unclean);
	must(core_check(&core), "ended in order after dying at call", k);
	core_finish(&core);
}

static void power_may_fail_at_every_call(void **state)
{
	uint64_t calls = count_calls(0);
	assert_true(calls > 50);
	for (uint64_t k = 1; k <= calls; k++) {
		die_at(k, 0, true, false);
		die_at(k, 0, true, true);
	}
}

static void the_program_may_die_at_every_call(void **state)
{
	uint64_t calls = count_calls(0);
	for (uint64_t k = 1; k <= calls; k++)
		die_at(k, 0, false, k % 2);
}

static void either_may_happen_when_published_before_the_sync(void **state)
{
	uint64_t calls = count_calls(1000);
	for (uint64_t k = 1; k <= calls; k++) {
		die_at(k, 1000, true, k % 2);
		die_at(k, 1000, false, k % 3 == 0);
	}
}

/* One failing call is got over without losing anything, whatever happens afterwards. */
static void fail_at(uint64_t k, int error, bool power_cut)
{
	struct core core;
	start(&core, (uint32_t)k, 0);
	assert_int_equal(core_open(&core), 0);
	core_accept(&core);
	disk_fail(core.disk, DISK_CHANGES, k, 1, error);
	int r = script(&core);
	if (r != 0)
		fail_msg("call %llu failed once with %d: %d", (unsigned long long)k, error, r);
	if (power_cut)
		disk_crash(core.disk);
	else
		disk_kill(core.disk);
	assert_int_equal(core_open(&core), 0);
	must(core_check(&core), "failed at call", k);
	assert_int_equal(core.report.head, core.count);
	core_finish(&core);
}

static void any_call_may_fail_once(void **state)
{
	uint64_t calls = count_calls(0);
	for (uint64_t k = 1; k <= calls; k++) {
		fail_at(k, EIO, true);
		fail_at(k, ENOSPC, true);
		fail_at(k, EIO, false);
	}
}

/* --- random lives */

static int live_on(struct core *core, uint32_t i)
{
	struct disk *disk = core->disk;
	switch (disk_random(disk, 8)) {
	case 0: return journal_idle(core->journal, core->tc);
	case 1: return journal_roll(core->journal);
	case 2: return core_append(core, core_topic(i), 3000);
	default: return core_append_many(core, 1 + disk_random(disk, 6), 1500);
	}
}

/* A core that meets an error may give up or try again. */
static int live(struct core *core)
{
	uint32_t rounds = disk_random(core->disk, 30);
	int r = 0;
	for (uint32_t i = 0; i < rounds; i++) {
		r = live_on(core, i);
		if (disk_random(core->disk, 3) != 0)
			r = core_sync(core);
		if (r < 0 && disk_random(core->disk, 3) == 0)
			return r;
	}
	return r;
}

static void bring_trouble(struct core *core)
{
	struct disk *disk = core->disk;
	uint32_t when = 1 + disk_random(disk, 80);
	if (disk_random(disk, 3) == 0)
		disk_shorten_writes(disk, 700);
	switch (disk_random(disk, 5)) {
	case 0: disk_fail(disk, DISK_CHANGES, when, 1 + disk_random(disk, 4), EIO); break;
	case 1: disk_fail(disk, DISK_SYNC, when / 4, 1 + disk_random(disk, 2), EIO); break;
	case 2: disk_fail(disk, DISK_WRITE, when / 4, 1 + disk_random(disk, 3), ENOSPC); break;
	default: disk_stop_at(disk, when); break;
	}
}

/* Returns what is wrong after one life and the next start, if anything. */
static const char *live_and_die(struct core *core, unsigned lies)
{
	struct disk *disk = core->disk;
	core->options.segment_size = 500 + disk_random(disk, 8000);
	bring_trouble(core);
	disk_lie(disk, lies);
	if (core_open(core) == 0) {
		const char *wrong = core_check(core);
		if (wrong != NULL && !disk_is_stopped(disk))
			return wrong;
		core_accept(core);
		if (live(core) == 0 && disk_random(disk, 4) == 0)
			core_close(core);
	}
	end_life(core, disk_random(disk, 3) != 0);
	disk_lie(disk, lies);
	if (core_open(core) < 0)
		return "the journal cannot be opened";
	const char *wrong = core_check(core);
	core_accept(core);
	end_life(core, true);
	return wrong;
}

static void random_lives_keep_what_was_published(void **state)
{
	struct core core = {0};
	for (uint32_t i = 0; i < RANDOM_LIVES; i++) {
		if (i % 6 == 0) {
			core_finish(&core);
			core_init(&core, i);
		}
		core.options.sync_ms = i / 6 % 4 == 0 ? 1000 : 0;
		must(live_and_die(&core, 0), "random life", i);
	}
	core_finish(&core);
}

/* The tests above must be able to fail: mistakes that one may make are noticed. */
static void expect_caught(bool publishes_early, unsigned lies)
{
	bool is_caught = false;
	for (uint32_t seed = 0; seed < MUTANT_SEEDS && !is_caught; seed++) {
		struct core core;
		core_init(&core, seed);
		core.publishes_early = publishes_early;
		for (int i = 0; i < 3 && !is_caught; i++)
			is_caught = live_and_die(&core, lies) != NULL;
		core_finish(&core);
	}
	assert_true(is_caught);
}

static void publishing_before_the_sync_is_noticed(void **state)
{
	expect_caught(true, 0);
}

static void a_forgotten_sync_is_noticed(void **state)
{
	expect_caught(false, DISK_SYNC);
}

static void a_forgotten_sync_of_a_folder_is_noticed(void **state)
{
	expect_caught(false, DISK_SYNC_DIR);
}

int main(void)
{
	log_init(0, true); /* faults are expected here */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_may_fail_at_every_call),
		cmocka_unit_test(the_program_may_die_at_every_call),
		cmocka_unit_test(either_may_happen_when_published_before_the_sync),
		cmocka_unit_test(any_call_may_fail_once),
		cmocka_unit_test(random_lives_keep_what_was_published),
		cmocka_unit_test(publishing_before_the_sync_is_noticed),
		cmocka_unit_test(a_forgotten_sync_is_noticed),
		cmocka_unit_test(a_forgotten_sync_of_a_folder_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
