/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/monitor.h"

/* A condition can follow CLOCK_MONOTONIC, not CLOCK_BOOTTIME: the rest of the wait is converted. */
static int init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attr;
	int r = pthread_condattr_init(&attr);
	if (r != 0)
		return -r;
	r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (r == 0)
		r = pthread_cond_init(condition, &attr);
	pthread_condattr_destroy(&attr);
	return -r;
}

static void close_both(struct monitor *monitor)
{
	close(monitor->kick);
	if (monitor->poke >= 0)
		close(monitor->poke);
}

int monitor_init(struct monitor *monitor)
{
	*monitor = (struct monitor){.kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	if (monitor->kick < 0)
		return -errno;
	monitor->poke = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int r = monitor->poke < 0 ? -errno : init_condition(&monitor->changed);
	if (r < 0)
		close_both(monitor);
	else
		pthread_mutex_init(&monitor->lock, NULL);
	return r;
}

void monitor_finish(struct monitor *monitor)
{
	close_both(monitor);
	pthread_cond_destroy(&monitor->changed);
	pthread_mutex_destroy(&monitor->lock);
}

void monitor_lock(struct monitor *monitor)
{
	int r = pthread_mutex_lock(&monitor->lock);
	assert(r == 0);
	(void)r;
}

void monitor_unlock(struct monitor *monitor)
{
	pthread_mutex_unlock(&monitor->lock);
}

bool monitor_wait(struct monitor *monitor, uint64_t deadline)
{
	if (deadline == UINT64_MAX) {
		pthread_cond_wait(&monitor->changed, &monitor->lock);
		return true;
	}
	uint64_t now = clock_boot();
	if (now >= deadline)
		return false;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t at = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec + (deadline - now);
	t.tv_sec = (time_t)(at / NS_PER_S);
	t.tv_nsec = (long)(at % NS_PER_S);
	return pthread_cond_timedwait(&monitor->changed, &monitor->lock, &t) != ETIMEDOUT;
}

bool monitor_wait_for(struct monitor *monitor, int fd, uint64_t deadline)
{
	struct pollfd fds[] = {
		{.fd = fd, .events = POLLIN}, {.fd = monitor->poke, .events = POLLIN}};
	monitor->is_polling = true;
	monitor_unlock(monitor);
	int ready = poll(fds, 2, clock_ms_until(deadline));
	monitor_lock(monitor);
	monitor->is_polling = false;
	uint64_t count;
	if (ready > 0 && fds[1].revents != 0 && read(monitor->poke, &count, sizeof count) < 0)
		return true; /* the next wait takes it */
	return ready != 0 || clock_boot() < deadline;
}

static void poke(struct monitor *monitor)
{
	uint64_t one = 1;
	ssize_t n = write(monitor->poke, &one, sizeof one);
	(void)n; /* it fails only where a poke is waiting already */
}

void monitor_notify(struct monitor *monitor)
{
	pthread_cond_signal(&monitor->changed);
	if (monitor->is_polling)
		poke(monitor);
}

void monitor_kick(struct monitor *monitor)
{
	if (monitor->kicked)
		return;
	uint64_t one = 1;
	ssize_t n = write(monitor->kick, &one, sizeof one);
	monitor->kicked = n == sizeof one;
}

void monitor_unkick(struct monitor *monitor)
{
	uint64_t count;
	ssize_t n = read(monitor->kick, &count, sizeof count);
	(void)n; /* -EAGAIN: nobody kicked, which is as well */
	monitor->kicked = false;
}
