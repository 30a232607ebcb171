/* SPDX-License-Identifier: Apache-2.0 */
#define LOG_TOPIC "assayd"
#include "base/clock.h"
#include "base/log.h"
#include "core/access/access.h"
#include "core/commit/commit.h"
#include "core/commit/ledger.h"
#include "core/control/control.h"
#include "core/core.h"
#include "core/keep/retention.h"
#include "core/runs/rows.h"
#include "core/service.h"

/* How long core_stop() waits for open runs before it stops the workers; systemd waits 90 s. */
#define STOP_LIMIT_NS (20 * NS_PER_S)

/* --- signals and the end --------------------------------------------------------------------- */

static bool any_run_open(const struct core *core)
{
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
	{
		enum machine_state state = instrument->machine.state;
		if (machine_has_run(state) || machine_has_start(state) ||
			state == MACHINE_RETURNING)
			return true;
	}
	return false;
}

void core_try_stop(struct core *core)
{
	if (any_run_open(core) && clock_boot() < core->stop_by)
		loop_set_timer(core->stop_timer, NS_PER_S / 10);
	else
		ports_stop_all(&core->ports);
}

static void stop_runs(struct core *core, bool abort)
{
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
		instrument_stop(instrument, abort, NULL);
}

void core_stop(struct core *core)
{
	if (core->instruments.stopping) {
		core->stop_by = 0;
		stop_runs(core, true);
		return;
	}
	core->instruments.stopping = true;
	core->stop_by = clock_boot() + STOP_LIMIT_NS;
	log_info("stopping");
	service_stopping(core->service);
	stop_runs(core, false);
	loop_set_timer(core->stop_timer, 0);
}

static void restart(struct core *core, const char *why)
{
	struct instrument *instrument;
	log_warn("restarting: %s", why);
	core->again = core->instruments.stopping = true;
	core->stop_by = clock_boot() + STOP_LIMIT_NS;
	list_for_each(instrument, &core->instruments.list, link)
		instrument_stop_for(instrument, why);
	loop_set_timer(core->stop_timer, 0);
}

void core_terminate(struct core *core)
{
	core->again = false;
	core_stop(core);
}

/* --- housekeeping, once a second ------------------------------------------------------------- */

void core_check_clock(struct core *core, bool was_set)
{
	if (timekeeper_look(&core->timekeeper, ledger_tc(core->ledger), was_set) &&
		!core->instruments.stopping)
		restart(core, "the clock was set back by over an hour");
}

/* Stops runs that may not go on.  Idle instruments show the reason, or start their next run. */
static void follow_disk(struct core *core)
{
	enum disk_level level = core->disk.level;
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (level >= DISK_FULL)
			instrument_stop_for(instrument, level == DISK_FULL
								? "the disk is full"
								: "the journal cannot be written");
		if (instrument->machine.state == MACHINE_IDLE)
			instrument_rest(instrument);
		else if (instrument->machine.state == MACHINE_BETWEEN && level != DISK_OK)
			instrument_stop(instrument, false, NULL);
	}
}

void core_check_disk(struct core *core)
{
	core->disk.reserve = core->config->reserve;
	bool changed = disk_look(&core->disk);
	core->instruments.notice = disk_notice(&core->disk);
	if (changed)
		follow_disk(core);
}

static uint64_t first_of_open_runs(const struct core *core)
{
	uint64_t from = UINT64_MAX;
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (instrument->run != NULL && run_first(instrument->run) < from)
			from = run_first(instrument->run);
	}
	return from;
}

void core_apply_retention(struct core *core)
{
	struct retention_policy policy = {.age_ns = core->config->keep.age_ns,
		.size = core->config->keep.size,
		.now = trust_now(&core->trust)};
	if (!core->instruments.stopping)
		retention_look(core->retention, &policy, first_of_open_runs(core));
}

/* Continuous runs end and the next start at whole multiples of new_run, if runs may start. */
static void renew_runs(struct core *core)
{
	uint64_t now = clock_utc();
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
	{
		uint64_t every = instrument->config->acquire.new_run_ns;
		if (every == 0 || instrument->run == NULL ||
			run_request(instrument->run)->mode != CONFIG_CONTINUOUS)
			continue;
		if (now / every != run_started(instrument->run) / every)
			instrument_renew(instrument);
	}
}

void core_tick(struct core *core)
{
	core_check_clock(core, false);
	commit_collect(core->commit);
	control_look(core->control);
	access_look(core->access);
	core_check_disk(core);
	if (!core->instruments.stopping && disk_notice(&core->disk) == NULL)
		renew_runs(core);
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link) instrument_tick(instrument);
	runs_checkpoint(core->runs, ledger_head(core->ledger));
}
