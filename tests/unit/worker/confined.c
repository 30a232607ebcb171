/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confined.h"

#define NOBODY 65534

void plan_copy(struct changed_plan *to, unsigned parts)
{
	const struct confine_plan *from = &confine_plan;
	assert(from->call_count <= ROWS_MAX && from->limit_count <= ROWS_MAX &&
		from->rights_count <= ROWS_MAX);
	memcpy(to->calls, from->calls, from->call_count * sizeof *from->calls);
	memcpy(to->limits, from->limits, from->limit_count * sizeof *from->limits);
	memcpy(to->rights, from->rights, from->rights_count * sizeof *from->rights);
	to->plan = (struct confine_plan){.calls = to->calls,
		.limits = to->limits,
		.rights = to->rights,
		.call_count = parts & PART_CALLS ? from->call_count : 0,
		.limit_count = parts & PART_LIMITS ? from->limit_count : 0,
		.rights_count = parts & PART_RIGHTS ? from->rights_count : 0};
}

void become_nobody(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
				      setresuid(NOBODY, NOBODY, NOBODY) < 0))
		_exit(99);
}

int in_child(int (*act)(void *arg), void *arg)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(act(arg));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}
