/* SPDX-License-Identifier: Apache-2.0 */
/* A confined process: the calls that fail, and those that still work.  Each case is a child. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/confine.h"

/* Runs `act` in a child, confined; it must return 0. */
static void in_child(int (*act)(void))
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		struct confine confine;
		char lacking[CONFINE_LACKING];
		confine_prepare(&confine, lacking);
		if (lacking[0] != '\0' || confine_enforce(&confine) < 0)
			_exit(77); /* not to be had here */
		confine_finish(&confine);
		_exit(act());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define REFUSED(call) ((call) < 0 && (errno == EPERM || errno == EACCES))

static int open_files(void)
{
	if (!REFUSED(open("/etc/passwd", O_RDONLY)))
		return 1;
	if (!REFUSED(open("/tmp/assay-confine-test", O_WRONLY | O_CREAT, 0600)))
		return 2;
	return REFUSED(unlink("/tmp/assay-confine-test")) ? 0 : 3;
}

static int reach_others(void)
{
	if (!REFUSED(socket(AF_INET, SOCK_STREAM, 0)))
		return 1;
	if (!REFUSED(socket(AF_UNIX, SOCK_STREAM, 0)))
		return 2;
	if (!REFUSED(kill(getppid(), 0)))
		return 3;
	return REFUSED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)) ? 0 : 4;
}

static int become_another(void)
{
	char *const argv[] = {(char *)"/bin/true", NULL};
	if (!REFUSED(execv("/bin/true", argv)))
		return 1;
	if (!REFUSED(fork()))
		return 2;
	void *code = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code != MAP_FAILED)
		return 3;
	struct rlimit core;
	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max != 0 ? 4 : 0;
}

/* Typing into the operator's terminal, by way of standard error. */
static int type_into_the_terminal(void)
{
	return REFUSED(ioctl(STDERR_FILENO, TIOCSTI, "x")) ? 0 : 1;
}

static void *touch(void *arg)
{
	void *memory = malloc(1 << 20);
	if (memory != NULL)
		memset(memory, 1, 1 << 20);
	free(memory);
	*(int *)arg = 0;
	return NULL;
}

static int do_one_s_work(void)
{
	int result = 9, pair[2];
	pthread_t thread;
	char byte;
	if (pthread_create(&thread, NULL, touch, &result) != 0)
		return 1;
	pthread_join(thread, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 2;
	if (send(pair[0], "x", 1, 0) != 1 || recv(pair[1], &byte, 1, 0) != 1)
		return 3;
	if (write(STDERR_FILENO, "", 0) != 0)
		return 4;
	void *large = malloc(64 << 20);
	if (large == NULL)
		return 5;
	free(large);
	return result;
}

static void no_file_can_be_reached(void **state)
{
	in_child(open_files);
}

static void no_other_process_can_be_reached(void **state)
{
	in_child(reach_others);
}

static void no_other_program_can_be_run(void **state)
{
	in_child(become_another);
}

static void nothing_can_be_typed_into_a_terminal(void **state)
{
	in_child(type_into_the_terminal);
}

static void a_worker_can_still_work(void **state)
{
	in_child(do_one_s_work);
}

/* A kernel without Landlock, or a container that does not let it through. */
static void what_the_kernel_lacks_is_told_and_done_without(void **state)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		struct confine confine;
		char lacking[CONFINE_LACKING];
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
		seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
		if (seccomp_load(filter) < 0)
			_exit(77);
		seccomp_release(filter);
		confine_prepare(&confine, lacking);
		if (strcmp(lacking, "landlock") != 0)
			_exit(1);
		if (confine_enforce(&confine) < 0)
			_exit(2);
		_exit(open_files());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file_can_be_reached),
		cmocka_unit_test(no_other_process_can_be_reached),
		cmocka_unit_test(no_other_program_can_be_run),
		cmocka_unit_test(nothing_can_be_typed_into_a_terminal),
		cmocka_unit_test(a_worker_can_still_work),
		cmocka_unit_test(what_the_kernel_lacks_is_told_and_done_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
