/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
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

int monitor_init(struct monitor *monitor)
{
	*monitor = (struct monitor){.kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	if (monitor->kick < 0)
		return -errno;
	int r = init_condition(&monitor->changed);
	if (r < 0)
		close(monitor->kick);
	else
		pthread_mutex_init(&monitor->lock, NULL);
	return r;
}

void monitor_finish(struct monitor *monitor)
{
	close(monitor->kick);
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

void monitor_notify(struct monitor *monitor)
{
	pthread_cond_signal(&monitor->changed);
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
