/* SPDX-License-Identifier: Apache-2.0 */
/* No file counts as old by a clock that nothing vouches for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/keep/trust.h"

#define DAY     (86400 * NS_PER_S)
#define HOUR    (3600 * NS_PER_S)
#define ORIGIN  UINT64_C(1795305600000000000)
#define OFF_MAX (3 * DAY)
#define SEEDS   600

static uint64_t dice;

static uint64_t roll(uint64_t bound)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (dice >> 33) % bound;
}

/* A machine that is on and off; its clock may be wrong from any time on until it is synchronised. */
struct machine {
	uint64_t truth, boot; /* UTC, the uptime */
	int64_t error;        /* of its clock */
	bool is_synced;
	uint8_t starts;    /* of the machine */
	unsigned unsynced; /* starts since the last synchronisation */
	struct trusted_time last;
};

static void judge(struct machine *m, uint64_t slack)
{
	struct trusted_time now = {
		.boot_id = {m->starts}, .boot = m->boot, .utc = m->truth + (uint64_t)m->error};
	uint64_t clock = now.utc;
	now.utc = trust_judge(&m->last, &now, m->is_synced, slack);
	assert_true(now.utc <= clock);
	m->last = now;
	m->unsynced = m->is_synced ? 0 : m->unsynced;
}

/* Another clock than before, as of a board whose battery is empty; or the one before. */
static void trouble(struct machine *m, uint64_t one_in)
{
	if (m->is_synced)
		m->error = 0;
	else if (roll(one_in) == 0)
		m->error = (int64_t)(roll(8000) * DAY) - (int64_t)(4000 * DAY);
}

static void start(struct machine *m, uint64_t off)
{
	m->boot = roll(600) * NS_PER_S;
	m->truth += off + m->boot;
	m->starts++;
	m->unsynced++;
	m->is_synced = roll(4) == 0;
	trouble(m, 3);
	judge(m, OFF_MAX);
}

static void go_on(struct machine *m)
{
	uint64_t time = roll(300) * HOUR / 10;
	m->truth += time;
	m->boot += time;
	m->is_synced = roll(5) == 0;
	trouble(m, 6);
	judge(m, HOUR);
}

static void no_time_is_believed_that_has_not_passed(void **state)
{
	for (dice = 1; dice <= SEEDS; dice++) {
		uint64_t seed = dice;
		struct machine m = {.truth = ORIGIN, .last = {.utc = ORIGIN}};
		for (int i = 0; i < 60; i++) {
			if (roll(4) == 0)
				start(&m, roll(3) == 0 ? roll(60) * DAY : roll(20) * HOUR);
			else
				go_on(&m);
			if (m.last.utc > m.truth + m.unsynced * OFF_MAX)
				fail_msg("seed %llu, step %d: %llu days too late",
					(unsigned long long)seed, i,
					(unsigned long long)((m.last.utc - m.truth) / DAY));
			if (m.is_synced)
				assert_int_equal(m.last.utc, m.truth);
		}
		dice = seed;
	}
}

/* Nights and weekends, without any network. */
static void a_right_clock_is_believed_without_synchronisation(void **state)
{
	struct machine m = {.truth = ORIGIN, .last = {.utc = ORIGIN}};
	for (int i = 0; i < 1000; i++) {
		m.truth += i % 2 == 0 ? roll(64) * HOUR : 9 * HOUR;
		m.boot = i % 2 == 0 ? 0 : 9 * HOUR;
		m.starts += i % 2 == 0;
		judge(&m, i % 2 == 0 ? OFF_MAX : HOUR);
		assert_int_equal(m.last.utc, m.truth);
	}
}

static void the_limit_is_a_small_part_of_the_age(void **state)
{
	assert_int_equal(trust_off_max(0), 0);
	assert_int_equal(trust_off_max(7 * DAY), 7 * DAY / 10);
	assert_int_equal(trust_off_max(3650 * DAY), 31 * DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_time_is_believed_that_has_not_passed),
		cmocka_unit_test(a_right_clock_is_believed_without_synchronisation),
		cmocka_unit_test(the_limit_is_a_small_part_of_the_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
