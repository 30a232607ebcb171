/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes at every call and at random: nothing published is lost, nothing foreign appears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "campaign.h"

#define RANDOM_LIVES 2000 /* crash-campaign leads more of them */
#define MUTANT_LIVES 1000

static void at_every_call(enum trouble trouble, uint32_t sync_ms)
{
	uint64_t calls = campaign_calls(sync_ms);
	assert_true(calls > 60);
	for (uint64_t k = 1; k <= calls; k++) {
		const char *wrong = campaign_script(trouble, k, sync_ms);
		if (wrong != NULL)
			fail_msg("call %llu: %s: %s", (unsigned long long)k, trouble_name(trouble),
				wrong);
	}
}

static void power_may_fail_at_every_call(void **state)
{
	at_every_call(TROUBLE_POWER, 0);
	at_every_call(TROUBLE_POWER_TWICE, 0);
}

static void the_program_may_die_at_every_call(void **state)
{
	at_every_call(TROUBLE_KILL, 0);
	at_every_call(TROUBLE_KILL_TWICE, 0);
}

static void either_may_happen_when_published_before_the_sync(void **state)
{
	at_every_call(TROUBLE_POWER, 1000);
	at_every_call(TROUBLE_KILL_TWICE, 1000);
}

static void any_call_may_fail_once(void **state)
{
	at_every_call(TROUBLE_EIO, 0);
	at_every_call(TROUBLE_ENOSPC, 0);
	at_every_call(TROUBLE_EIO_KILL, 0);
}

static void any_write_may_be_short(void **state)
{
	at_every_call(TROUBLE_SHORT, 0);
}

static void any_call_may_be_the_last_that_works(void **state)
{
	at_every_call(TROUBLE_DEAD_DISK, 0);
	at_every_call(TROUBLE_FULL_DISK, 0);
}

static void random_lives_keep_published_entries(void **state)
{
	uint64_t number;
	const char *wrong = campaign_random(0, RANDOM_LIVES, &(struct mistakes){0}, &number);
	if (wrong != NULL)
		fail_msg("life %llu: %s", (unsigned long long)number, wrong);
}

/* The tests above must be able to fail; meson.build lets them find mistakes in the journal, too. */
static void publishing_before_the_sync_is_noticed(void **state)
{
	uint64_t number;
	struct mistakes mistakes = {.publishes_early = true};
	assert_non_null(campaign_random(0, MUTANT_LIVES, &mistakes, &number));
}

static void a_disk_that_lies_about_syncs_is_noticed(void **state)
{
	uint64_t number;
	struct mistakes mistakes = {.lies = DISK_SYNC};
	assert_non_null(campaign_random(0, MUTANT_LIVES, &mistakes, &number));
	mistakes.lies = DISK_SYNC_DIR;
	assert_non_null(campaign_random(0, MUTANT_LIVES, &mistakes, &number));
}

int main(void)
{
	log_init(0, true); /* faults are expected here */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_may_fail_at_every_call),
		cmocka_unit_test(the_program_may_die_at_every_call),
		cmocka_unit_test(either_may_happen_when_published_before_the_sync),
		cmocka_unit_test(any_call_may_fail_once),
		cmocka_unit_test(any_write_may_be_short),
		cmocka_unit_test(any_call_may_be_the_last_that_works),
		cmocka_unit_test(random_lives_keep_published_entries),
		cmocka_unit_test(publishing_before_the_sync_is_noticed),
		cmocka_unit_test(a_disk_that_lies_about_syncs_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
