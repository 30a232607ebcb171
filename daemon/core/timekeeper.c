/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOG_TOPIC "clock"
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/core.h"
#include "core/commit/ledger.h"
#include "core/timekeeper.h"
#include "record/encode.h"
#include "record/stamp.h"

/* What a daemon that disciplines the clock slews is less: chrony's utmost are 83 ms a second. */
#define SLEW_SHARE  10
#define STEP_UNTOLD (250 * NS_PER_MS)
#define STEP_TOLD   (10 * NS_PER_MS)

/* Further back than this, commit times do not stand still but begin anew. */
#define BRIDGE_MAX (3600 * NS_PER_S)

int64_t timekeeper_judge(const struct timekeeper *before, uint64_t utc, uint64_t boot, bool was_set)
{
	uint64_t passed = boot - before->boot;
	uint64_t limit = was_set ? STEP_TOLD : STEP_UNTOLD + passed / SLEW_SHARE;
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

/* `before` is what the clock would show had nobody set it. */
static void tell(struct core *core, uint64_t before, uint64_t utc, uint64_t boot)
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
	audit(&core->audit, "clock-step", NULL, &old, &new, text);
	buffer_finish(&old);
	buffer_finish(&new);
}

static void look(struct core *core, bool was_set)
{
	struct timekeeper *keeper = &core->timekeeper;
	uint64_t boot = clock_boot(), utc = clock_utc();
	bool is_synced = stamp_now().sync == ASSAY_SYNC_NTP;
	int64_t step = timekeeper_judge(keeper, utc, boot, was_set);
	if (step != 0) {
		keeper->stepped_at = boot;
		keeper->is_waiting = keeper->is_waiting || keeper->was_synced;
		tell(core, utc - (uint64_t)step, utc, boot);
	} else if (is_synced) {
		keeper->is_waiting = false;
	}
	keeper->utc = utc;
	keeper->boot = boot;
	keeper->was_synced = is_synced;
	if (utc + BRIDGE_MAX < ledger_tc(core->ledger) && !core->stopping)
		core_restart(core, "the clock was set back by over an hour");
}

void timekeeper_look(struct core *core)
{
	look(core, false);
}

/* A timer that never ends, but for a clock that was set. */
static int arm(int fd)
{
	struct itimerspec never = {.it_value.tv_sec = INT64_MAX};
	int r = timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
	return r < 0 ? -errno : 0;
}

static void on_set(void *arg, uint32_t events)
{
	struct core *core = arg;
	uint64_t count;
	int fd = core->timekeeper.fd;
	bool was_set = read(fd, &count, sizeof count) < 0 && errno == ECANCELED;
	if (was_set)
		look(core, true);
	if (arm(fd) < 0)
		log_error("steps of the clock are noticed late: %s", strerror(errno));
}

int timekeeper_start(struct core *core, uint64_t last_tc)
{
	struct timekeeper *keeper = &core->timekeeper;
	keeper->utc = clock_utc();
	keeper->boot = clock_boot();
	keeper->was_synced = stamp_now().sync == ASSAY_SYNC_NTP;
	if (last_tc > keeper->utc + NS_PER_S)
		tell(core, last_tc, keeper->utc, keeper->boot);
	keeper->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = keeper->fd < 0 ? -errno : arm(keeper->fd);
	if (r == 0)
		r = loop_add_fd(core->loop, &keeper->source, keeper->fd, EPOLLIN, on_set, core);
	if (r < 0)
		log_error("the clock cannot be watched: %s", strerror(-r));
	return r < 0 ? r : 0;
}

void timekeeper_stop(struct core *core)
{
	core->timekeeper.source = loop_drop(core->timekeeper.source);
	if (core->timekeeper.fd >= 0)
		close(core->timekeeper.fd);
	core->timekeeper.fd = -1;
}
