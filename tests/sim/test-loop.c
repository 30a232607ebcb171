/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of base/loop.h, kept by both of its implementations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event-loop.h"
#include "base/loop.h"
#include "virtual-loop.h"

#define MS NS_PER_MS

/* One test: a loop, a socketpair, and a word that the callbacks write, a letter each. */
struct bench {
	bool is_virtual;
	struct loop *loop;
	int pair[2];
	char word[64];
	struct loop_source *a, *b;
	siginfo_t info;
	char folder[32];
};

static void note(struct bench *bench, char letter)
{
	size_t len = strlen(bench->word);
	assert_true(len + 1 < sizeof bench->word);
	bench->word[len] = letter;
}

static void on_a(void *arg)
{
	note(arg, 'a');
}

static void on_b(void *arg)
{
	note(arg, 'b');
}

static void stop(void *arg)
{
	struct bench *bench = arg;
	note(bench, '.');
	loop_stop(bench->loop, 7);
}

/* Runs the loop for so long; a loop that hangs is ended by the test's time limit. */
static void run_for(struct bench *bench, uint64_t ns)
{
	struct loop_source *end;
	assert_int_equal(loop_add_timer(bench->loop, &end, stop, bench), 0);
	loop_set_timer(end, ns);
	assert_int_equal(loop_run(bench->loop), 7);
	loop_drop(end);
}

static int set_up(void **state, bool is_virtual)
{
	struct bench *bench = calloc(1, sizeof *bench);
	bench->is_virtual = is_virtual;
	*state = bench;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, bench->pair) < 0)
		return -1;
	return is_virtual ? virtual_loop_open(&bench->loop, NULL) : event_loop_open(&bench->loop);
}

static int set_up_event(void **state)
{
	return set_up(state, false);
}

static int set_up_virtual(void **state)
{
	return set_up(state, true);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	loop_drop(bench->a);
	loop_drop(bench->b);
	loop_close(bench->loop);
	virtual_clock_release();
	close(bench->pair[0]);
	close(bench->pair[1]);
	if (bench->folder[0] != '\0')
		rmdir(bench->folder);
	free(bench);
	return 0;
}

/* --- timers ---------------------------------------------------------------------------------- */

static void timers_run_once_in_the_order_of_their_time(void **state)
{
	struct bench *bench = *state;
	loop_add_timer(bench->loop, &bench->a, on_a, bench);
	loop_add_timer(bench->loop, &bench->b, on_b, bench);
	loop_set_timer(bench->a, 20 * MS);
	loop_set_timer(bench->b, 10 * MS);
	uint64_t before = clock_boot();
	run_for(bench, 30 * MS);
	assert_string_equal(bench->word, "ba.");
	assert_true(clock_boot() - before >= 30 * MS);
}

static void an_unset_timer_does_not_run(void **state)
{
	struct bench *bench = *state;
	loop_add_timer(bench->loop, &bench->a, on_a, bench);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, ".");
}

static void a_timer_set_again_has_its_last_time(void **state)
{
	struct bench *bench = *state;
	loop_add_timer(bench->loop, &bench->a, on_a, bench);
	loop_add_timer(bench->loop, &bench->b, on_b, bench);
	loop_set_timer(bench->a, 5 * MS);
	loop_set_timer(bench->b, 10 * MS);
	loop_set_timer(bench->a, 15 * MS);
	run_for(bench, 25 * MS);
	assert_string_equal(bench->word, "ba.");
}

static void again(void *arg)
{
	struct bench *bench = arg;
	note(bench, 'a');
	if (strlen(bench->word) < 3)
		loop_set_timer(bench->a, 2 * MS);
}

static void a_timer_may_set_itself(void **state)
{
	struct bench *bench = *state;
	loop_add_timer(bench->loop, &bench->a, again, bench);
	loop_set_timer(bench->a, 0);
	run_for(bench, 20 * MS);
	assert_string_equal(bench->word, "aaa.");
}

/* --- descriptors ----------------------------------------------------------------------------- */

static void read_one(void *arg, uint32_t events)
{
	struct bench *bench = arg;
	char c;
	if ((events & EPOLLIN) != 0 && read(bench->pair[0], &c, 1) == 1)
		note(bench, c);
	if ((events & EPOLLHUP) != 0) {
		note(bench, 'h');
		bench->a = loop_drop(bench->a);
	}
}

static void a_descriptor_runs_while_it_is_readable(void **state)
{
	struct bench *bench = *state;
	loop_add_fd(bench->loop, &bench->a, bench->pair[0], EPOLLIN, read_one, bench);
	assert_int_equal(write(bench->pair[1], "xyz", 3), 3);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, "xyz.");
}

static void the_end_of_a_peer_is_reported_always(void **state)
{
	struct bench *bench = *state;
	loop_add_fd(bench->loop, &bench->a, bench->pair[0], 0, read_one, bench);
	run_for(bench, 5 * MS);
	close(bench->pair[1]);
	bench->pair[1] = -1;
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, ".h.");
}

static void write_one(void *arg, uint32_t events)
{
	struct bench *bench = arg;
	note(bench, (events & EPOLLOUT) != 0 ? 'w' : '?');
	loop_set_events(bench->a, EPOLLIN);
}

static void events_of_a_descriptor_change(void **state)
{
	struct bench *bench = *state;
	loop_add_fd(bench->loop, &bench->a, bench->pair[0], EPOLLIN, write_one, bench);
	run_for(bench, 5 * MS);
	loop_set_events(bench->a, EPOLLIN | EPOLLOUT);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, ".w.");
}

static void leave_unread(void *arg, uint32_t events)
{
}

static void a_descriptor_that_is_always_ready_starves_no_timer(void **state)
{
	struct bench *bench = *state;
	loop_add_fd(bench->loop, &bench->a, bench->pair[0], EPOLLIN, leave_unread, bench);
	loop_add_timer(bench->loop, &bench->b, on_b, bench);
	assert_int_equal(write(bench->pair[1], "x", 1), 1);
	loop_set_timer(bench->b, 0);
	run_for(bench, bench->is_virtual ? 0 : 5 * MS); /* work takes no virtual time */
	assert_string_equal(bench->word, "b.");
}

/* --- idle ------------------------------------------------------------------------------------ */

static void idle_runs_once_each_time(void **state)
{
	struct bench *bench = *state;
	loop_add_idle(bench->loop, &bench->a, on_a, bench);
	run_for(bench, 2 * MS);
	loop_set_idle(bench->a, true);
	run_for(bench, 2 * MS);
	loop_set_idle(bench->a, true);
	loop_set_idle(bench->a, false);
	run_for(bench, 2 * MS);
	assert_string_equal(bench->word, ".a..");
}

static void read_and_idle(void *arg, uint32_t events)
{
	struct bench *bench = arg;
	read_one(bench, events);
	loop_set_idle(bench->b, true);
}

static void idle_runs_behind_what_is_ready(void **state)
{
	struct bench *bench = *state;
	loop_add_fd(bench->loop, &bench->a, bench->pair[0], EPOLLIN, read_and_idle, bench);
	loop_add_idle(bench->loop, &bench->b, on_b, bench);
	assert_int_equal(write(bench->pair[1], "xyz", 3), 3);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, "xyzb.");
}

/* --- dropping -------------------------------------------------------------------------------- */

static void drop_both(void *arg)
{
	struct bench *bench = arg;
	note(bench, 'd');
	bench->a = loop_drop(bench->a);
	bench->b = loop_drop(bench->b);
}

static void a_dropped_source_does_not_run(void **state)
{
	struct bench *bench = *state;
	loop_add_timer(bench->loop, &bench->a, drop_both, bench);
	loop_add_timer(bench->loop, &bench->b, drop_both, bench);
	loop_set_timer(bench->a, MS);
	loop_set_timer(bench->b, MS);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, "d.");
}

static void the_loop_drops_its_own_sources(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(loop_add_timer(bench->loop, NULL, on_a, bench), 0);
	assert_int_equal(loop_add_idle(bench->loop, NULL, on_a, bench), 0);
	run_for(bench, MS);
	assert_string_equal(bench->word, ".");
}

static void a_stop_counts_before_the_start(void **state)
{
	struct bench *bench = *state;
	loop_stop(bench->loop, 5);
	assert_int_equal(loop_run(bench->loop), 5);
	run_for(bench, MS);
	assert_string_equal(bench->word, ".");
}

/* --- from outside ----------------------------------------------------------------- */

static void on_exit_of(void *arg, const siginfo_t *info)
{
	struct bench *bench = arg;
	bench->info = *info;
	note(bench, 'x');
}

static pid_t start_child(struct bench *bench)
{
	if (bench->is_virtual)
		return 4711;
	pid_t pid = fork();
	if (pid == 0)
		_exit(3);
	return pid;
}

static void a_child_that_exits_is_reported_and_reaped(void **state)
{
	struct bench *bench = *state;
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	pid_t pid = start_child(bench);
	assert_true(pid > 0);
	assert_int_equal(loop_add_child(bench->loop, &bench->a, pid, on_exit_of, bench), 0);
	if (bench->is_virtual) {
		siginfo_t info = {.si_code = CLD_EXITED};
		info.si_status = 3;
		virtual_loop_exit(bench->loop, pid, &info);
	}
	run_for(bench, 200 * MS);
	assert_string_equal(bench->word, "x.");
	assert_int_equal(bench->info.si_code, CLD_EXITED);
	assert_int_equal(bench->info.si_status, 3);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

static void a_signal_runs_its_source(void **state)
{
	struct bench *bench = *state;
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	assert_int_equal(loop_add_signal(bench->loop, &bench->a, SIGUSR1, on_a, bench), 0);
	if (bench->is_virtual)
		virtual_loop_raise(bench->loop, SIGUSR1);
	else
		kill(getpid(), SIGUSR1);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, "a.");
}

static void a_folder_runs_when_something_appears(void **state)
{
	struct bench *bench = *state;
	char file[64], none[64];
	snprintf(bench->folder, sizeof bench->folder, "/tmp/test-loop-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	snprintf(file, sizeof file, "%s/x", bench->folder);
	snprintf(none, sizeof none, "%s/none", bench->folder);
	assert_int_equal(loop_add_folder(bench->loop, &bench->b, none, on_b, bench), -ENOENT);
	assert_null(bench->b);
	assert_int_equal(loop_add_folder(bench->loop, &bench->a, bench->folder, on_a, bench), 0);
	int fd = open(file, O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	if (bench->is_virtual)
		virtual_loop_touch(bench->loop, bench->folder);
	run_for(bench, 5 * MS);
	assert_string_equal(bench->word, "a.");
	unlink(file);
}

/* --- virtual time ---------------------------------------------------------------------------- */

static void an_hour_takes_no_time(void **state)
{
	struct bench *bench = *state;
	uint64_t boot = clock_boot(), utc = clock_utc();
	assert_int_equal(virtual_loop_run_for(bench->loop, 3600 * NS_PER_S), 0);
	assert_int_equal(clock_boot() - boot, 3600 * NS_PER_S);
	assert_int_equal(clock_utc() - utc, 3600 * NS_PER_S);
	virtual_clock_step(-(int64_t)NS_PER_S);
	assert_int_equal(clock_utc() - utc, 3599 * NS_PER_S);
}

static void a_loop_with_nothing_to_wait_for_ends(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(loop_run(bench->loop), -EDEADLK);
}

#define BOTH(test)                                                        \
	{#test " (sd-event)", test, set_up_event, tear_down, NULL},       \
	{                                                                 \
#test " (virtual)", test, set_up_virtual, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(timers_run_once_in_the_order_of_their_time),
		BOTH(an_unset_timer_does_not_run),
		BOTH(a_timer_set_again_has_its_last_time),
		BOTH(a_timer_may_set_itself),
		BOTH(a_descriptor_runs_while_it_is_readable),
		BOTH(the_end_of_a_peer_is_reported_always),
		BOTH(events_of_a_descriptor_change),
		BOTH(a_descriptor_that_is_always_ready_starves_no_timer),
		BOTH(idle_runs_once_each_time),
		BOTH(idle_runs_behind_what_is_ready),
		BOTH(a_dropped_source_does_not_run),
		BOTH(the_loop_drops_its_own_sources),
		BOTH(a_stop_counts_before_the_start),
		BOTH(a_child_that_exits_is_reported_and_reaped),
		BOTH(a_signal_runs_its_source),
		BOTH(a_folder_runs_when_something_appears),
		cmocka_unit_test_setup_teardown(an_hour_takes_no_time, set_up_virtual, tear_down),
		cmocka_unit_test_setup_teardown(
			a_loop_with_nothing_to_wait_for_ends, set_up_virtual, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
