/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "worker/fatal.h"
#include "worker/refused.h"

#define CALLS_MAX  512 /* more numbers than any kernel has */
#define NAME_BYTES 32
#define LINES_MAX  20

#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#else
#define RESULT(context) (nowhere)
#define CATCHES_NOTHING
static long nowhere;
#endif

bool refused_can_be_caught(void)
{
#ifdef CATCHES_NOTHING
	return false;
#else
	return true;
#endif
}

static char names[CALLS_MAX][NAME_BYTES]; /* a handler must not allocate */
static atomic_bool is_noted[CALLS_MAX];
static atomic_uint lines;

static void log_call(unsigned number)
{
	char text[256], place[100];
	unsigned line = atomic_fetch_add(&lines, 1);
	if (line >= LINES_MAX)
		return;
	fatal_place(place, sizeof place);
	int len = snprintf(text, sizeof text, "%s: the system call %s (%u) was refused%s\n", place,
		names[number], number, line == LINES_MAX - 1 ? "; more are not logged" : "");
	(void)!write(STDERR_FILENO, text, (size_t)len);
}

/* In the thread that made the call, which continues with EPERM. */
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
	int saved = errno;
	unsigned number = (unsigned)info->si_syscall;
	if (info->si_code <= 0)
		return; /* sent by a process */
	RESULT((ucontext_t *)context) = -EPERM;
	if (number >= CALLS_MAX)
		number = CALLS_MAX - 1;
	if (!atomic_exchange(&is_noted[number], true))
		log_call(number);
	errno = saved;
}

static void find_names(void)
{
	for (int number = 0; number < CALLS_MAX; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
		snprintf(names[number], NAME_BYTES, "%s", name != NULL ? name : "without a name");
		free(name);
	}
}

void refused_catch(void)
{
	if (!refused_can_be_caught() || names[0][0] != '\0')
		return;
	find_names();
	struct sigaction action = {
		.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
}
