/* SPDX-License-Identifier: Apache-2.0 */
/* A start takes no longer in a long journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "core.h"

#define ENTRY 300
#define FEW   100
#define MANY  (10 * FEW)

struct cost {
	uint64_t changes, reads, bytes;
};

static void fill(struct core *core, size_t segments)
{
	core_init(core, 1);
	assert_int_equal(core_open(core), 0);
	core_accept(core);
	for (size_t i = 0; i < segments; i++) {
		core_commit(core, core_topic((uint32_t)i), ENTRY);
		assert_int_equal(journal_roll(core->journal), 0);
	}
	for (size_t i = 0; i < 8; i++)
		core_commit(core, core_topic((uint32_t)i), ENTRY);
}

static struct cost start(struct core *core)
{
	struct cost before = {disk_calls(core->disk), 0, 0}, after;
	before.reads = disk_reads(core->disk, &before.bytes);
	assert_int_equal(core_open(core), 0);
	assert_int_equal(core->report.why, JOURNAL_CONTINUED);
	assert_int_equal(core->report.head, core->count);
	after.changes = disk_calls(core->disk) - before.changes;
	after.reads = disk_reads(core->disk, &after.bytes) - before.reads;
	after.bytes -= before.bytes;
	return after;
}

static struct cost cost_of_start(size_t segments, bool is_clean)
{
	struct core core;
	fill(&core, segments);
	if (!is_clean)
		disk_stop_at(core.disk, 0);
	core_close(&core);
	disk_reboot(core.disk);
	struct cost cost = start(&core);
	core_finish(&core);
	return cost;
}

static void assert_same_cost(bool is_clean)
{
	struct cost few = cost_of_start(FEW, is_clean), many = cost_of_start(MANY, is_clean);
	assert_int_equal(many.changes, few.changes);
	assert_int_equal(many.reads, few.reads);
	assert_int_equal(many.bytes, few.bytes);
	assert_true(few.reads > 0 && few.bytes > 8 * ENTRY);
}

static void after_an_end_in_order(void **state)
{
	assert_same_cost(true);
}

static void after_a_power_cut(void **state)
{
	assert_same_cost(false);
}

int main(void)
{
	log_init(0, true);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_an_end_in_order),
		cmocka_unit_test(after_a_power_cut),
	};
	return cmocka_run_group_tests_name("a start costs the same", tests, NULL, NULL);
}
