/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/clock.h"
#include "config/ask.h"

#define LOG_TOPIC "catalog"
#include "base/log.h"

extern char **environ;

/* A file without a name: unlike a pipe, no reader that dies ends this process. */
static int hold_input(struct assay_span input)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	for (size_t done = 0; fd >= 0 && done < input.len;) {
		ssize_t n = write(fd, input.data + done, input.len - done);
		if (n <= 0) {
			close(fd);
			return -ENOMEM;
		}
		done += (size_t)n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd >= 0 ? fd : -errno;
}

static int spawn(const char *const *argv, int in, int out, int error, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Reads up to the end of file: 0, -ETIMEDOUT, -EFBIG or another errno. */
static int read_answer(int fd, uint64_t deadline, struct buffer *to)
{
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int ready = poll(&wait, 1, clock_ms_until(deadline));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready == 0 ? -ETIMEDOUT : -errno;
		uint8_t *room = buffer_reserve(to, 65536);
		if (room == NULL)
			return -EFBIG;
		ssize_t n = read(fd, room, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		to->len += (size_t)n;
	}
}

int ask_worker(
	const char *const *argv, struct assay_span input, unsigned seconds, struct buffer *answer)
{
	uint64_t deadline = clock_boot() + seconds * NS_PER_S;
	int ends[2], status, in = hold_input(input);
	pid_t pid;
	if (in < 0)
		return in;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		close(in);
		return -EMFILE;
	}
	int end = -1, error = log_capture(&end);
	int r = error < 0 ? error : spawn(argv, in, ends[1], end, &pid);
	if (error >= 0)
		close(end);
	close(ends[1]);
	close(in);
	if (r == 0) {
		r = read_answer(ends[0], deadline, answer);
		if (r < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
			r = -EIO;
	}
	close(ends[0]);
	log_captured(LOG_TOPIC, error);
	return r;
}
