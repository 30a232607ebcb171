/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/monitor.h"

int monitor_init(struct monitor *monitor)
{
	*monitor = (struct monitor){.kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	if (monitor->kick < 0)
		return -errno;
	monitor->poke = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (monitor->poke < 0) {
		int error = errno;
		close(monitor->kick);
		return -error;
	}
	pthread_mutex_init(&monitor->lock, NULL);
	return 0;
}

void monitor_finish(struct monitor *monitor)
{
	close(monitor->kick);
	close(monitor->poke);
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
	return monitor_wait_for(monitor, -1, deadline);
}

bool monitor_wait_for(struct monitor *monitor, int fd, uint64_t deadline)
{
	struct pollfd fds[] = {
		{.fd = fd, .events = POLLIN}, {.fd = monitor->poke, .events = POLLIN}};
	monitor->is_sleeping = true;
	monitor_unlock(monitor);
	uint64_t now = clock_boot(), rest = deadline > now ? deadline - now : 0;
	struct timespec timeout = {(time_t)(rest / NS_PER_S), (long)(rest % NS_PER_S)};
	int ready = ppoll(fds, 2, deadline != UINT64_MAX ? &timeout : NULL, NULL);
	monitor_lock(monitor);
	monitor->is_sleeping = false;
	uint64_t count;
	if (ready > 0 && fds[1].revents != 0 && read(monitor->poke, &count, sizeof count) < 0)
		return true; /* the next wait takes it */
	return ready != 0;
}

void monitor_notify(struct monitor *monitor)
{
	if (!monitor->is_sleeping)
		return;
	uint64_t one = 1;
	ssize_t n = write(monitor->poke, &one, sizeof one);
	(void)n; /* fails only if a poke is pending already */
	monitor->is_sleeping = false;
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
	(void)n; /* EAGAIN: no kick was pending */
	monitor->kicked = false;
}
