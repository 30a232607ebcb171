/* SPDX-License-Identifier: Apache-2.0 */
/* A confined process as a whole: its work goes on, and the parts that the kernel lacks are named. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "confined.h"

static int confine_all(char lacking[CONFINE_LACKING])
{
	struct confine confine;
	confine_prepare(&confine, &confine_plan, lacking);
	int r = confine_files(&confine);
	for (enum confine_step step = 0; step < CONFINE_STEPS && r == 0; step++)
		r = confine_calls(&confine, step);
	confine_finish(&confine);
	return r;
}

/* --- work ---------------------------------------------------------------------------------------- */

static int do_one_s_work(void *arg)
{
	int pair[2];
	char byte, lacking[CONFINE_LACKING];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 1;
	become_nobody();
	if (confine_all(lacking) < 0)
		return 2;
	if (send(pair[0], "x", 1, MSG_NOSIGNAL) != 1 || recv(pair[1], &byte, 1, 0) != 1)
		return 3;
	if (write(STDERR_FILENO, "", 0) != 0)
		return 4;
	for (size_t size = 1; size <= 64u << 20; size *= 2) {
		void *memory = malloc(size);
		if (memory == NULL)
			return 5;
		memset(memory, 1, size);
		free(memory);
	}
	close(pair[0]);
	return recv(pair[1], &byte, 1, 0) == 0 ? 0 : 6;
}

static void a_worker_can_still_work(void **state)
{
	assert_int_equal(in_child(do_one_s_work, NULL), 0);
}

static int abort_it(void *arg)
{
	char lacking[CONFINE_LACKING];
	if (confine_all(lacking) == 0)
		abort();
	return 1;
}

static void it_can_end_itself(void **state)
{
	assert_int_equal(in_child(abort_it, NULL), 256 + SIGABRT);
}

/* --- a kernel that lacks parts -------------------------------------------------------------------- */

enum { WITHOUT_LANDLOCK = 1, WITHOUT_SECCOMP = 2 };

static const char *const lacks[] = {"", "landlock", "seccomp", "landlock, seccomp"};

/* Answers as such a kernel does, or a container that does not let the calls through. */
static int remove_parts(unsigned without)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if ((without & WITHOUT_LANDLOCK) != 0)
		seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	if ((without & WITHOUT_SECCOMP) != 0)
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, PR_GET_SECCOMP));
	int r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* Two bits: a file can be read, a socket can be made.  100 and more: not confined as expected. */
static int find_holes(void *arg)
{
	unsigned without = *(unsigned *)arg;
	char lacking[CONFINE_LACKING];
	if (without != 0 && remove_parts(without) < 0)
		return 100;
	if (confine_all(lacking) < 0)
		return 101;
	if (strcmp(lacking, lacks[without]) != 0)
		return 102;
	return (open("/etc/passwd", O_RDONLY) >= 0) | (socket(AF_INET, SOCK_DGRAM, 0) >= 0) << 1;
}

static void what_the_kernel_lacks_is_named_and_done_without(void **state)
{
	static const int holes[] = {0, 0, 2, 3};
	for (unsigned without = 0; without < 4; without++)
		assert_int_equal(in_child(find_holes, &without), holes[without]);
}

/* Filters of a service or container that are too strict. */
static int confine_without_call(void *arg)
{
	struct confine confine;
	char lacking[CONFINE_LACKING];
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), *(int *)arg, 0);
	confine_prepare(&confine, &confine_plan, lacking);
	if (lacking[0] != '\0' || seccomp_load(filter) < 0)
		return 1;
	if (confine_files(&confine) < 0)
		return 0;
	return confine_calls(&confine, CONFINE_LOADING) < 0 ? 0 : 2;
}

static void a_part_that_fails_is_an_error(void **state)
{
	int calls[] = {SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(landlock_restrict_self),
		SCMP_SYS(seccomp)};
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		assert_int_equal(in_child(confine_without_call, &calls[i]), 0);
}

int main(void)
{
	char lacking[CONFINE_LACKING];
	struct confine confine;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_can_still_work),
		cmocka_unit_test(it_can_end_itself),
		cmocka_unit_test(what_the_kernel_lacks_is_named_and_done_without),
		cmocka_unit_test(a_part_that_fails_is_an_error),
	};
	confine_prepare(&confine, &confine_plan, lacking);
	confine_finish(&confine);
	if (lacking[0] != '\0') {
		print_message("this kernel lacks %s\n", lacking);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
