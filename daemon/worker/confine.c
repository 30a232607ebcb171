/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/confine.h"
#include "worker/refused.h"

/* The sanitizers use the file system and other calls, at any time and at exit; counters of lines do at exit. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(COVERAGE)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void add_lacking(char lacking[CONFINE_LACKING], const char *name)
{
	size_t len = strlen(lacking);
	snprintf(lacking + len, CONFINE_LACKING - len, "%s%s", len > 0 ? ", " : "", name);
}

/* --- Landlock: no file may be reached, except those that are named before -------------------- */

/* As of version 6; an older kernel accepts zeros behind the members that it knows. */
struct ruleset {
	uint64_t files, net, scopes;
};

static int make_ruleset(const struct confine_plan *plan)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset set = {0};
	for (size_t i = 0; i < plan->rights_count; i++) {
		if (plan->rights[i].abi > abi)
			continue;
		set.files |= plan->rights[i].files;
		set.net |= plan->rights[i].net;
		set.scopes |= plan->rights[i].scopes;
	}
	if (set.files == 0)
		return -1;
	return (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
}

/* Where the dynamic linker looks for the libraries of a module. */
static const char *const libraries[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};

void confine_may_read(struct confine *confine, const char *path)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	if (confine->ruleset < 0)
		return;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, confine->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

/* --- seccomp: only the calls that a worker needs after opening ------------------------------- */

/* A call that this architecture does not have needs no rule. */
static int check(int r)
{
	return r == -EDOM || r == -EINVAL ? 0 : r;
}

static int allow(scmp_filter_ctx filter, const struct confine_call *call)
{
	struct scmp_arg_cmp only[CONFINE_CONDITIONS];
	unsigned count = 0;
	for (size_t i = 0; i < CONFINE_CONDITIONS; i++) {
		const struct confine_condition *c = &call->only[i];
		uint64_t value = c->value == CONFINE_SELF ? (uint64_t)getpid() : c->value;
		if (c->mask != 0)
			only[count++] = SCMP_CMP(c->arg, SCMP_CMP_MASKED_EQ, c->mask, value);
	}
	return check(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call->call, count, only));
}

/* A call that is not allowed returns an error: a library that tries one continues. */
static scmp_filter_ctx make_filter(const struct confine_plan *plan, enum confine_step step)
{
	scmp_filter_ctx filter = NULL;
	if (plan->call_count > 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)
		filter = seccomp_init(
			refused_can_be_caught() ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return NULL;
	/* Calls of another architecture would be read wrongly, and the end of one thread not noticed. */
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0) /* confine_files() does it */
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	for (size_t i = 0; i < plan->call_count && r == 0; i++) {
		const struct confine_call *call = &plan->calls[i];
		bool is_for_link = call->links == 0 || (call->links & plan->links) != 0;
		if (is_for_link && (call->steps & 1u << step) != 0)
			r = allow(filter, &plan->calls[i]);
	}
	if (r == 0)
		return filter;
	seccomp_release(filter);
	return NULL;
}

int confine_calls(struct confine *confine, enum confine_step step)
{
	if (confine->filters[step] == NULL)
		return 0;
	refused_catch();
	return seccomp_load(confine->filters[step]);
}

/* ---------------------------------------------------------------------------------------------- */

void confine_prepare(
	struct confine *confine, const struct confine_plan *plan, char lacking[CONFINE_LACKING])
{
	*confine = (struct confine){.plan = plan, .ruleset = -1};
	lacking[0] = '\0';
	if (SANITIZED) {
		add_lacking(lacking, "landlock, seccomp (a sanitizer needs its freedom)");
		return;
	}
	confine->ruleset = make_ruleset(plan);
	if (confine->ruleset < 0)
		add_lacking(lacking, "landlock");
	for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
		confine_may_read(confine, libraries[i]);
	for (enum confine_step step = 0; step < CONFINE_STEPS; step++)
		confine->filters[step] = make_filter(plan, step);
	if (confine->filters[CONFINE_LOADING] == NULL || confine->filters[CONFINE_RUNNING] == NULL)
		add_lacking(lacking, "seccomp");
}

/* One that is lower already stays.  Lowering fails only if a filter of the service forbids it. */
static int limit(const struct confine_limit *to)
{
	struct rlimit now;
	if (SANITIZED && (to->resource == RLIMIT_DATA || to->resource == RLIMIT_AS))
		return 0;
	if (getrlimit(to->resource, &now) < 0)
		return -errno;
	now.rlim_max = now.rlim_max < to->most ? now.rlim_max : to->most;
	now.rlim_cur = now.rlim_cur < now.rlim_max ? now.rlim_cur : now.rlim_max;
	return setrlimit(to->resource, &now) < 0 ? -errno : 0;
}

int confine_files(struct confine *confine)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	for (size_t i = 0; i < confine->plan->limit_count; i++) {
		int r = limit(&confine->plan->limits[i]);
		if (r < 0)
			return r;
	}
	if (confine->ruleset >= 0 && syscall(SYS_landlock_restrict_self, confine->ruleset, 0) < 0)
		return -errno;
	return 0;
}

void confine_finish(struct confine *confine)
{
	if (confine->ruleset >= 0)
		close(confine->ruleset);
	for (size_t step = 0; step < CONFINE_STEPS; step++) {
		if (confine->filters[step] != NULL)
			seccomp_release(confine->filters[step]);
	}
	*confine = (struct confine){.ruleset = -1};
}

bool confine_is_possible(void)
{
	return !SANITIZED && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}
