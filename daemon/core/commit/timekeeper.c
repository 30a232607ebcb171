/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOG_TOPIC "clock"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "core/commit/audit.h"
#include "core/commit/timekeeper.h"
#include "record/encode.h"
#include "record/stamp.h"

/* A clock daemon slews less than this (chrony: at most 83 ms/s). */
#define SLEW_SHARE    10
#define STEP_SEEN     (250 * NS_PER_MS)
#define STEP_REPORTED (10 * NS_PER_MS)

/* A clock further behind than this needs a new journal, whose commit times start from it. */
#define BRIDGE_MAX (3600 * NS_PER_S)

int64_t timekeeper_judge(const struct timekeeper *before, uint64_t utc, uint64_t boot, bool was_set)
{
	uint64_t passed = boot - before->boot;
	uint64_t limit = was_set ? STEP_REPORTED : STEP_SEEN + passed / SLEW_SHARE;
	int64_t step = (int64_t)(utc - before->utc - passed);
	uint64_t size = step < 0 ? -(uint64_t)step : (uint64_t)step;
	return size > limit ? step : 0;
}

bool timekeeper_doubts(const struct timekeeper *keeper, uint64_t mono)
{
	return keeper->stepped_at != 0 && (keeper->is_waiting || mono < keeper->stepped_at);
}

static void put_times(struct buffer *to, uint64_t utc, uint64_t boot)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "utc", utc);
	map_uint(&map, "boot", boot);
	map_close(&map);
}

/* `before` is the time that the clock would show if it had not been set. */
static void report(struct timekeeper *keeper, uint64_t before, uint64_t utc, uint64_t boot)
{
	struct buffer old = {0}, new = {0};
	char text[96];
	bool is_back = utc < before;
	uint64_t size = is_back ? before - utc : utc - before;
	snprintf(text, sizeof text, "%.3f s %s%s", (double)size / (double)NS_PER_S,
		is_back ? "back" : "forward",
		is_back ? "; commit times stand still meanwhile" : "");
	log_warn("the clock was set %s", text);
	put_times(&old, before, boot);
	put_times(&new, utc, boot);
	audit_put(keeper->audit, "clock-step", NULL, &old, &new, text);
	buffer_finish(&old);
	buffer_finish(&new);
}

/* Logs when the state of the clock is lost and found; returns whether something disciplines it. */
static bool note_state(struct timekeeper *keeper)
{
	struct stamp now = stamp_now();
	if (now.is_unread && !keeper->is_unread)
		log_warn("it is not known how the clock is kept: assay-clock does not run");
	else if (!now.is_unread && keeper->is_unread)
		log_info("it is known again how the clock is kept");
	keeper->is_unread = now.is_unread;
	return now.sync == ASSAY_SYNC_NTP;
}

bool timekeeper_look(struct timekeeper *keeper, uint64_t last_tc, bool was_set)
{
	uint64_t boot = clock_boot(), utc = clock_utc();
	bool is_synced = note_state(keeper);
	int64_t step = timekeeper_judge(keeper, utc, boot, was_set);
	if (step != 0) {
		keeper->stepped_at = boot;
		keeper->is_waiting = keeper->is_waiting || keeper->was_synced;
		report(keeper, utc - (uint64_t)step, utc, boot);
	} else if (is_synced) {
		keeper->is_waiting = false;
	}
	keeper->utc = utc;
	keeper->boot = boot;
	if (!keeper->is_unread)
		keeper->was_synced = is_synced;
	return utc + BRIDGE_MAX < last_tc;
}

/* Never expires; the kernel cancels it when the clock is set. */
static int arm(int fd)
{
	struct itimerspec never = {.it_value.tv_sec = INT64_MAX};
	int r = timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
	return r < 0 ? -errno : 0;
}

static void on_cancel(void *arg, uint32_t events)
{
	struct timekeeper *keeper = arg;
	uint64_t count;
	if (read(keeper->fd, &count, sizeof count) < 0 && errno == ECANCELED)
		keeper->on_set(keeper->arg);
	int r = arm(keeper->fd);
	if (r < 0)
		log_error("cannot watch the clock, steps are noticed within a second: %s",
			strerror(-r));
}

int timekeeper_start(struct timekeeper *keeper, struct loop *loop, struct audit_trail *audit,
	uint64_t last_tc, void (*on_set)(void *arg), void *arg)
{
	*keeper = (struct timekeeper){.audit = audit,
		.utc = clock_utc(),
		.boot = clock_boot(),
		.was_synced = stamp_now().sync == ASSAY_SYNC_NTP,
		.on_set = on_set,
		.arg = arg};
	if (last_tc > keeper->utc + NS_PER_S)
		report(keeper, last_tc, keeper->utc, keeper->boot);
	keeper->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = keeper->fd < 0 ? -errno : arm(keeper->fd);
	if (r == 0)
		r = loop_add_fd(loop, &keeper->source, keeper->fd, EPOLLIN, on_cancel, keeper);
	if (r < 0)
		log_error("cannot watch the clock: %s", strerror(-r));
	return r;
}

void timekeeper_stop(struct timekeeper *keeper)
{
	keeper->source = loop_drop(keeper->source);
	if (keeper->fd >= 0)
		close(keeper->fd);
	keeper->fd = -1;
}
