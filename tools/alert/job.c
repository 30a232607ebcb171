/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"

/* The bytes as a file that stands at its start. */
static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pwrite(fd, data, len, 0) != (ssize_t)len) {
		close(fd);
		return -EIO;
	}
	return fd;
}

int job_start(
	struct job *job, const char *const *argv, const void *data, size_t len, uint64_t deadline)
{
	/* Nothing of the caller's environment, which may name files and servers, is passed on. */
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = {path, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int fd = file_of(data, len);
	if (fd < 0)
		return fd;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int r = posix_spawn(&job->pid, argv[0], &actions, &attributes,
		(char *const *)(uintptr_t)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(fd);
	if (r != 0)
		job->pid = 0;
	job->deadline = deadline;
	return -r;
}

enum job_result job_poll(struct job *job, uint64_t now, int *code)
{
	int status = 0;
	*code = 0;
	pid_t got = waitpid(job->pid, &status, WNOHANG);
	if (got == 0 && now < job->deadline)
		return JOB_RUNS;
	if (got == 0) {
		job_end(job);
		return JOB_LATE;
	}
	kill(-job->pid, SIGKILL); /* those that it left behind */
	job->pid = 0;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return got > 0 && *code == 0 ? JOB_DONE : JOB_FAILED;
}

void job_end(struct job *job)
{
	if (job->pid == 0)
		return;
	kill(-job->pid, SIGKILL);
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job->pid = 0;
}
