/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence SYSCALLS FAMILIES PROGRAM ARG...: runs a program behind the fence of a unit, as far as that needs
 * no systemd.  SYSCALLS names a file with the system calls that are allowed, FAMILIES the numbers of
 * the socket families; both separated by blanks or lines.  All else fails with EPERM.  No memory is writable and
 * executable, no file is set-user-id, no scheduling is real-time, no namespace is made.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seccomp.h>

static void must(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "fence: %s: %s\n", what, strerror(-r));
		exit(1);
	}
}

static scmp_filter_ctx begin(uint32_t other)
{
	scmp_filter_ctx filter = seccomp_init(other);
	must(filter != NULL ? 0 : -1, "seccomp_init");
	return filter;
}

static void load(scmp_filter_ctx filter)
{
	must(seccomp_load(filter), "seccomp_load");
	seccomp_release(filter);
}

/* SystemCallFilter=, RestrictAddressFamilies= */
static void allow_calls(const char *path, const char *families)
{
	scmp_filter_ctx filter = begin(SCMP_ACT_ERRNO(1));
	FILE *file = fopen(path, "r");
	char name[80];
	must(file != NULL ? 0 : -1, path);
	while (fscanf(file, "%79s", name) == 1) {
		int call = seccomp_syscall_resolve_name(name);
		if (call >= 0 && call != SCMP_SYS(socket))
			must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0), name);
	}
	fclose(file);
	char *end;
	for (const char *at = families; *at != '\0'; at = *end != '\0' ? end + 1 : end) {
		unsigned long family = strtoul(at, &end, 10);
		must(end == at ? -22
			       : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					 SCMP_A0(SCMP_CMP_EQ, family)),
			"socket");
	}
	load(filter);
}

static void deny_bits(scmp_filter_ctx filter, int call, unsigned arg, uint64_t bits)
{
	must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(1), call, 1,
		     SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, bits)),
		"a rule");
}

/* MemoryDenyWriteExecute=, RestrictSUIDSGID=, RestrictRealtime=, RestrictNamespaces= */
static void deny_arguments(void)
{
	static const uint64_t spaces[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
		CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};
	scmp_filter_ctx filter = begin(SCMP_ACT_ALLOW);
	deny_bits(filter, SCMP_SYS(mmap), 2, PROT_EXEC | PROT_WRITE);
	deny_bits(filter, SCMP_SYS(mprotect), 2, PROT_EXEC);
	deny_bits(filter, SCMP_SYS(pkey_mprotect), 2, PROT_EXEC);
	for (size_t i = 0; i < 2; i++) {
		uint64_t bit = i == 0 ? S_ISUID : S_ISGID;
		deny_bits(filter, SCMP_SYS(chmod), 1, bit);
		deny_bits(filter, SCMP_SYS(fchmod), 1, bit);
		deny_bits(filter, SCMP_SYS(fchmodat), 2, bit);
		deny_bits(filter, SCMP_SYS(mkdir), 1, bit);
		deny_bits(filter, SCMP_SYS(openat), 3, bit);
	}
	deny_bits(filter, SCMP_SYS(sched_setscheduler), 1, SCHED_FIFO);
	deny_bits(filter, SCMP_SYS(sched_setscheduler), 1, SCHED_RR);
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		deny_bits(filter, SCMP_SYS(unshare), 0, spaces[i]);
		deny_bits(filter, SCMP_SYS(clone), 0, spaces[i]);
	}
	load(filter);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fputs("usage: fence SYSCALLS FAMILIES PROGRAM ARG...\n", stderr);
		return 2;
	}
	umask(077);
	deny_arguments();
	allow_calls(argv[1], argv[2]);
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 1;
}
