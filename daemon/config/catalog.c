/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "config/catalog.h"
#include "wire/describe.h"

#define LOG_TOPIC "catalog"
#include "base/log.h"

#define DESCRIBE_S 20

extern char **environ;

const struct catalog_driver *catalog_find(const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (strcmp(catalog->drivers[i].name, name) == 0)
			return &catalog->drivers[i];
	return NULL;
}

const char *catalog_link_defaults(const struct catalog_driver *driver, unsigned link)
{
	const struct assay_link_defaults *d = driver->link_defaults;
	while (d != NULL && d->link != 0 && d->link != link)
		d++;
	return d != NULL && d->link != 0 ? d->defaults : NULL;
}

static int fail(int r, char **why, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(int r, char **why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (vasprintf(why, format, args) < 0)
		*why = NULL;
	va_end(args);
	return r;
}

/* Starts the worker with `fd` as its standard output and `error` as its standard error. */
static int spawn(const char *worker, const char *drivers, int fd, int error, pid_t *pid)
{
	const char *argv[] = {worker, "--describe", "--drivers", drivers, NULL};
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(pid, worker, &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Reads up to the end of file: 0, -ETIMEDOUT, -EFBIG or another errno. */
static int read_answer(int fd, struct buffer *to)
{
	uint64_t deadline = clock_boot() + DESCRIBE_S * NS_PER_S;
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

/* Runs the worker; its output goes to `to`. */
static int run_worker(const char *worker, const char *drivers, struct buffer *to)
{
	int ends[2], status;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	int end = -1, error = log_capture(&end);
	int r = error < 0 ? error : spawn(worker, drivers, ends[1], end, &pid);
	if (error >= 0)
		close(end);
	close(ends[1]);
	if (r == 0) {
		r = read_answer(ends[0], to);
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

int catalog_load(const char *worker, const char *drivers, struct catalog **out, char **why)
{
	*out = NULL;
	*why = NULL;
	struct buffer answer = {.limit = DESCRIBE_BYTES_MAX + 65536};
	int r = run_worker(worker, drivers, &answer);
	if (r < 0)
		fail(r, why, "%s does not describe the drivers in %s: %s", worker, drivers,
			r == -EIO ? "it failed" : strerror(-r));
	else
		r = catalog_read(answer.data, answer.len, out, why);
	buffer_finish(&answer);
	if (r < 0)
		return r;
	for (size_t i = 0; i < (*out)->problem_count; i++)
		log_warn("%s is not used: %s", (*out)->problems[i].file, (*out)->problems[i].text);
	return 0;
}
