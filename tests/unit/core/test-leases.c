/* SPDX-License-Identifier: Apache-2.0 */
/* One consumer per cursor, on virtual time and with real processes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/replay/cursors.h"
#include "core/replay/leases.h"
#include "record/text.h"
#include "virtual-loop.h"

static struct leases *leases;
static struct loop *loop; /* keeps the clocks */
static char who[200];

static int begin(void **state)
{
	leases = leases_create();
	return leases == NULL || virtual_loop_open(&loop, NULL) < 0;
}

static int finish(void **state)
{
	leases_destroy(leases);
	loop_close(loop);
	virtual_clock_release();
	return 0;
}

static int take(const char *name, pid_t pid, const char *id)
{
	struct lease_peer peer = {.pid = pid, .id = {(const uint8_t *)id, strlen(id)}};
	return leases_take(leases, string_of(name), &peer, who, sizeof who);
}

static pid_t start_process(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static void a_second_consumer_is_rejected_by_name(void **state)
{
	pid_t first = start_process();
	assert_int_equal(take("lims", first, "a"), 0);
	assert_int_equal(take("lims", first, "new connection"), 0);
	assert_int_equal(take("lims", getpid(), "a"), -EBUSY);
	char process[40];
	snprintf(process, sizeof process, ", process %d, since 20", (int)first);
	assert_non_null(strstr(who, process));
	assert_non_null(strstr(who, "test-core-lease")); /* as the kernel cuts it */
	assert_int_equal(take("other", getpid(), "b"), 0);
	assert_int_equal(take("lims", 0, "b"), -EBUSY);
	/* Killed, it is followed at once. */
	kill(first, SIGKILL);
	assert_int_equal(waitpid(first, NULL, 0), first);
	assert_int_equal(take("lims", getpid(), "b"), 0);
}

static void the_last_request_of_an_ended_process_holds_nothing(void **state)
{
	pid_t first = start_process();
	assert_int_equal(take("lims", first, "a"), 0);
	kill(first, SIGKILL);
	assert_int_equal(waitpid(first, NULL, 0), first);
	assert_int_equal(take("lims", first, "a"), 0); /* it was on its way */
	assert_int_equal(take("lims", getpid(), "b"), 0);
}

static void silence_ends_a_lease_and_requests_keep_it(void **state)
{
	static const pid_t pids[] = {0, 1}; /* not known; a living one */
	for (size_t i = 0; i < 2; i++) {
		const char *name = i == 0 ? "lims" : "stats";
		assert_int_equal(take(name, pids[i], "a"), 0);
		for (int k = 0; k < 5; k++) {
			virtual_clock_sleep(LEASE_NS - 1);
			assert_int_equal(take(name, getpid(), "b"), -EBUSY);
			assert_int_equal(take(name, pids[i], "a"), 0);
		}
		virtual_clock_sleep(LEASE_NS);
		assert_int_equal(take(name, getpid(), "b"), 0);
		assert_int_equal(take(name, pids[i], "a"), -EBUSY);
	}
}

static void peers_without_a_process_are_connections(void **state)
{
	assert_int_equal(take("lims", 0, "a"), 0);
	assert_int_equal(take("lims", 0, "a"), 0);
	assert_int_equal(take("lims", 0, "b"), -EBUSY);
	assert_non_null(strstr(who, "not known"));
}

static void a_flood_of_names_blocks_no_cursor(void **state)
{
	char name[20];
	for (int i = 0; i < 3 * CURSORS_MAX; i++) {
		snprintf(name, sizeof name, "n-%d", i);
		assert_int_equal(take(name, 0, "a"), 0);
	}
	assert_int_equal(take("lims", getpid(), "b"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_second_consumer_is_rejected_by_name, begin, finish),
		cmocka_unit_test_setup_teardown(
			the_last_request_of_an_ended_process_holds_nothing, begin, finish),
		cmocka_unit_test_setup_teardown(
			silence_ends_a_lease_and_requests_keep_it, begin, finish),
		cmocka_unit_test_setup_teardown(
			peers_without_a_process_are_connections, begin, finish),
		cmocka_unit_test_setup_teardown(a_flood_of_names_blocks_no_cursor, begin, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
