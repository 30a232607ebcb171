/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#define LOG_TOPIC "assayd"
#include "base/clock.h"
#include "base/log.h"
#include "core/service.h"

/* How often a start or a stop is looked at, and how long the manager waits for the next message. */
#define EXTEND_EVERY_NS (2 * NS_PER_S)
#define EXTEND_BY_US    (60ull * 1000 * 1000)

/* A thread with nothing to do moves once a second. */
#define LOOK_NS_MIN (1200 * NS_PER_MS)

/* A stop that takes longer is left to the manager's limit: a machine must shut down in the end. */
#define STOP_NS_MAX (300 * NS_PER_S)

enum phase {
	STARTING,
	RUNNING,
	STOPPING,
};

static const char *const names[SERVICE_BEATS] = {
	[SERVICE_MAIN] = "main loop", [SERVICE_COMMIT] = "commit thread"};

struct service {
	struct beat beats[SERVICE_BEATS];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	enum phase phase;
	bool has_thread, ending;
	uint64_t every_ns;   /* between two looks; 0: there is nothing to look at while running */
	uint64_t stop_began; /* monotonic */

	/* of the thread alone */
	uint64_t seen[SERVICE_BEATS];
	bool is_hung[SERVICE_BEATS];
};

/* The manager's clock: time in suspend does not count. */
static uint64_t now_mono(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* --- the thread -------------------------------------------------------------------------------- */

struct signs {
	bool all_alive, any_moved, any_waits;
	uint64_t bytes;
};

static struct signs look(struct service *s)
{
	struct signs signs = {.all_alive = true};
	for (size_t i = 0; i < SERVICE_BEATS; i++) {
		struct beat *beat = &s->beats[i];
		uint64_t passes = atomic_load(&beat->passes);
		bool moved = passes != s->seen[i], waits = atomic_load(&beat->waits);
		bool is_hung = atomic_load(&beat->is_bound) && !moved && !waits;
		if (is_hung && !s->is_hung[i] && s->phase == RUNNING)
			log_error("the %s makes no progress", names[i]);
		s->seen[i] = passes;
		s->is_hung[i] = is_hung;
		signs.all_alive = signs.all_alive && !is_hung;
		signs.any_moved = signs.any_moved || moved;
		signs.any_waits = signs.any_waits || waits;
		signs.bytes += atomic_load(&beat->bytes);
	}
	return signs;
}

static void extend(const struct service *s, const struct signs *signs)
{
	bool stops = s->phase == STOPPING;
	if (stops && now_mono() - s->stop_began > STOP_NS_MAX)
		return;
	if (signs->any_moved || (stops && signs->any_waits))
		sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu\nSTATUS=%s: %.1f GB read and written",
			EXTEND_BY_US, stops ? "stopping" : "starting", (double)signs->bytes / 1e9);
}

static void wait_next(struct service *s)
{
	uint64_t until = s->phase != RUNNING ? now_mono() + EXTEND_EVERY_NS
			 : s->every_ns != 0  ? now_mono() + s->every_ns
					     : UINT64_MAX;
	struct timespec t = {
		.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};
	enum phase before = s->phase;
	while (!s->ending && s->phase == before && now_mono() < until) {
		if (until == UINT64_MAX)
			pthread_cond_wait(&s->more, &s->lock);
		else
			pthread_cond_timedwait(&s->more, &s->lock, &t);
	}
}

static void *run(void *arg)
{
	pthread_setname_np(pthread_self(), "watchdog");
	struct service *s = arg;
	pthread_mutex_lock(&s->lock);
	for (wait_next(s); !s->ending; wait_next(s)) {
		struct signs signs = look(s);
		if (s->phase != RUNNING)
			extend(s, &signs);
		if (signs.all_alive && s->every_ns != 0)
			sd_notify(0, "WATCHDOG=1");
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static int start_thread(struct service *s)
{
	uint64_t limit_us = 0;
	if (getenv("NOTIFY_SOCKET") == NULL)
		return 0;
	if (sd_watchdog_enabled(0, &limit_us) > 0)
		s->every_ns = limit_us * 1000 / 4 > LOOK_NS_MIN ? limit_us * 1000 / 4 : LOOK_NS_MIN;
	int r = -pthread_create(&s->thread, NULL, run, s);
	s->has_thread = r == 0;
	return r;
}

/* --- main -------------------------------------------------------------------------------------- */

int service_start(struct service **out)
{
	struct service *s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	pthread_condattr_t attr;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->more, &attr);
	pthread_condattr_destroy(&attr);
	beat_bind(&s->beats[SERVICE_MAIN]);
	*out = s;
	return start_thread(s);
}

void service_end(struct service *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	if (s->has_thread)
		pthread_join(s->thread, NULL);
	beat_release();
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct beat *service_beat(struct service *s, enum service_beat which)
{
	return &s->beats[which];
}

static void enter(struct service *s, enum phase phase)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->phase = phase;
	s->stop_began = now_mono();
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
}

void service_ready(struct service *s, size_t instruments)
{
	enter(s, RUNNING);
	sd_notifyf(0, "READY=1\nSTATUS=%zu instruments", instruments);
}

void service_stopping(struct service *s)
{
	enter(s, STOPPING);
	sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

/* With MONOTONIC_USEC also for Type=notify-reload of later versions. */
void service_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(now_mono() / 1000));
}

void service_reloaded(size_t instruments)
{
	sd_notifyf(0, "READY=1\nSTATUS=%zu instruments", instruments);
}
