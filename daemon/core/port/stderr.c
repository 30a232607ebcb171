/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_TOPIC "worker"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "core/port/stderr.h"

#define READ_STEP  4096
#define READ_LAST  (64u << 10) /* bytes after its end: what a pipe holds */
#define NS_PER_MIN (60 * NS_PER_S)

static void count_minute(struct worker_stderr *e, uint64_t now)
{
	if (e->minute != 0 && now - e->minute < NS_PER_MIN)
		return;
	if (e->dropped > 0)
		log_warn(
			"%s: %u more lines of its standard error were dropped", e->key, e->dropped);
	e->minute = now;
	e->lines = e->dropped = 0;
}

static void end_line(struct worker_stderr *e)
{
	if (e->len == 0)
		return;
	count_minute(e, clock_boot());
	if (e->lines < STDERR_LINES) {
		e->lines++;
		log_warn("%s: %.*s", e->key, (int)e->len, e->line);
	} else {
		e->dropped++;
	}
	e->len = 0;
}

/* A line longer than the buffer becomes several. */
static void take(struct worker_stderr *e, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' || e->len == sizeof e->line)
			end_line(e);
		if (bytes[i] != '\n')
			e->line[e->len++] = bytes[i] != '\0' ? bytes[i] : '?';
	}
}

static ssize_t read_some(struct worker_stderr *e)
{
	char bytes[READ_STEP];
	ssize_t n = read(e->fd, bytes, sizeof bytes);
	if (n > 0)
		take(e, bytes, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : n;
}

static void shut(struct worker_stderr *e)
{
	end_line(e);
	e->io = loop_drop(e->io);
	close(e->fd);
}

static void on_readable(void *arg, uint32_t events)
{
	struct worker_stderr *e = arg;
	if (read_some(e) <= 0)
		shut(e); /* the worker closed it */
}

int worker_stderr_open(struct worker_stderr *e, struct loop *loop, const char *key, int *end)
{
	int ends[2];
	worker_stderr_close(e);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	snprintf(e->key, sizeof e->key, "%s", key);
	e->fd = ends[0];
	int r = loop_add_fd(loop, &e->io, e->fd, EPOLLIN, on_readable, e);
	if (r < 0) {
		close(ends[0]);
		close(ends[1]);
		return r;
	}
	*end = ends[1];
	return 0;
}

void worker_stderr_close(struct worker_stderr *e)
{
	if (e->io == NULL)
		return;
	for (size_t turn = 0; turn < READ_LAST / READ_STEP && read_some(e) > 0; turn++)
		;
	shut(e);
}
