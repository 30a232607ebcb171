/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs assay-worker (ASSAY_TEST_WORKER) as on a kernel that lacks the parts of confinement that
 * ASSAY_TEST_LACKS names.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *worker = getenv("ASSAY_TEST_WORKER"), *lacks = getenv("ASSAY_TEST_LACKS");
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (worker == NULL || lacks == NULL || filter == NULL)
		return 1;
	if (strstr(lacks, "landlock") != NULL)
		seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	if (strstr(lacks, "seccomp") != NULL)
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, PR_GET_SECCOMP));
	if (seccomp_load(filter) < 0)
		return 1;
	execv(worker, argv);
	perror(worker);
	return 1;
}
