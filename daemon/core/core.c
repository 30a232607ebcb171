/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <zmq.h>

#define LOG_TOPIC "assayd"
#include "base/clock.h"
#include "base/event-loop.h"
#include "base/log.h"
#include "core/runs/amends.h"
#include "core/commit/audit.h"
#include "core/port/recorder.h"
#include "core/commit/commit.h"
#include "core/control/control.h"
#include "core/replay/cursors.h"
#include "core/core.h"
#include "core/instrument/instrument.h"
#include "core/commit/ledger.h"
#include "core/ports.h"
#include "core/commit/publish.h"
#include "core/commit/published.h"
#include "core/replay/replay.h"
#include "core/keep/confirm.h"
#include "core/keep/retention.h"
#include "core/runs/rows.h"
#include "core/startup.h"
#include "record/record.h"

/* How long an orderly end may take before open frames are discarded; systemd's own is 90 s. */
#define STOP_LIMIT_NS (20 * NS_PER_S)

/* --- signals and the end --------------------------------------------------------------------- */

static bool any_run_open(const struct core *core)
{
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		if (instrument->run != NULL || instrument->state == DEVICE_STATE_ARMED)
			return true;
	}
	return false;
}

static void on_stop_timer(void *arg)
{
	struct core *core = arg;
	if (any_run_open(core) && clock_boot() < core->stop_by)
		loop_set_timer(core->stop_timer, NS_PER_S / 10);
	else
		ports_stop_all(core);
}

static void stop_runs(struct core *core, bool abort)
{
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
		instrument_stop(instrument, abort, NULL);
}

void core_stop(struct core *core)
{
	if (core->stopping) {
		core->stop_by = 0;
		stop_runs(core, true);
		return;
	}
	core->stopping = true;
	core->stop_by = clock_boot() + STOP_LIMIT_NS;
	log_info("stopping");
	sd_notify(0, "STOPPING=1");
	stop_runs(core, false);
	loop_set_timer(core->stop_timer, 0);
}

static void restart(struct core *core, const char *why)
{
	struct instrument *instrument;
	log_warn("restarting: %s", why);
	core->again = core->stopping = true;
	core->stop_by = clock_boot() + STOP_LIMIT_NS;
	list_for_each(instrument, &core->instruments, link) instrument_stop_for(instrument, why);
	loop_set_timer(core->stop_timer, 0);
}

static void on_terminate(void *arg)
{
	struct core *core = arg;
	core->again = false;
	core_stop(core);
}

static void notify_reloading(void)
{
	/* Type=notify-reload wants this pair; older systemd takes it as a plain state. */
	sd_notifyf(
		0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(clock_boot() / 1000));
}

static void on_hangup(void *arg)
{
	char *text = NULL;
	struct core *core = arg;
	notify_reloading();
	int r = core_reload(core, false, &text);
	if (r < 0)
		log_error("the configuration stays as it was: %s",
			text != NULL ? text : strerror(-r));
	audit_text(
		&core->audit, r < 0 ? "reload-refused" : "reload", NULL, text != NULL ? text : "");
	free(text);
	sd_notify(0, "READY=1");
}

static void on_wake(void *arg, uint32_t events)
{
	struct core *core = arg;
	eventfd_t count;
	eventfd_read(core->wake_fd, &count);
	commit_collect(core->commit);
}

/* --- housekeeping, once a second ------------------------------------------------------------- */

void core_look_at_clock(struct core *core, bool was_set)
{
	if (timekeeper_look(&core->timekeeper, ledger_tc(core->ledger), was_set) && !core->stopping)
		restart(core, "the clock was set back by over an hour");
}

/* Stops what may not go on; idle instruments show the reason, or start again what they repeat. */
static void follow_disk(struct core *core)
{
	enum disk_level level = core->disk.level;
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		if (level >= DISK_FULL)
			instrument_stop_for(instrument, level == DISK_FULL
								? "the disk is full"
								: "the journal cannot be written");
		if (instrument->state != DEVICE_STATE_IDLE || instrument->run != NULL)
			continue;
		if (!instrument->repeating)
			instrument_rest(instrument);
		else if (level != DISK_OK)
			instrument_stop(instrument, false, NULL); /* its end lets it rest */
	}
}

void core_look_at_disk(struct core *core)
{
	core->disk.reserve = core->config->reserve;
	if (disk_look(&core->disk))
		follow_disk(core);
}

static uint64_t first_of_open_runs(const struct core *core)
{
	uint64_t from = UINT64_MAX;
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		if (instrument->run != NULL && run_first(instrument->run) < from)
			from = run_first(instrument->run);
	}
	return from;
}

void core_look_at_retention(struct core *core)
{
	struct retention_policy policy = {.age_ns = core->config->keep.age_ns,
		.size = core->config->keep.size,
		.now = clock_utc()};
	if (!core->stopping)
		retention_look(core->retention, &policy, first_of_open_runs(core));
}

/* Continuous runs end and begin anew at whole multiples of new_run, while any run may begin. */
static void renew_runs(struct core *core)
{
	uint64_t now = clock_utc();
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		uint64_t every = instrument->config->acquire.new_run_ns;
		if (every == 0 || instrument->run == NULL ||
			run_mode(instrument->run) != CONFIG_CONTINUOUS)
			continue;
		if (now / every != run_started(instrument->run) / every)
			instrument_renew(instrument);
	}
}

static void on_second(void *arg)
{
	struct core *core = arg;
	core_look_at_clock(core, false);
	commit_collect(core->commit);
	core_look_at_disk(core);
	if (!core->stopping && disk_notice(&core->disk) == NULL)
		renew_runs(core);
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link) instrument_tick(instrument);
	runs_checkpoint(core->runs, ledger_head(core->ledger));
	ports_release_retired(core);
	loop_set_timer(core->second, NS_PER_S);
}

/* --- reload ---------------------------------------------------------------------------------- */

static char *format_errors(const struct config_errors *errors)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < errors->count; i++)
		fprintf(to, "%s%s:%u:%u: %s", i > 0 ? "\n" : "", errors->items[i].mark.file,
			errors->items[i].mark.line, errors->items[i].mark.column,
			errors->items[i].text);
	fclose(to);
	return text;
}

/* What only a restart can change; the words of the YAML. */
static const char *fixed_part(const struct config *old, const struct config *new)
{
	if (strcmp(old->site, new->site) != 0 || strcmp(old->node, new->node) != 0)
		return "laboratory: site and node";
	if (strcmp(old->journal_path, new->journal_path) != 0 ||
		old->sync_always != new->sync_always || old->sync_ns != new->sync_ns ||
		old->segment_size != new->segment_size)
		return "journal: path, sync and segment";
	if (strcmp(old->live, new->live) != 0 || strcmp(old->control, new->control) != 0 ||
		strcmp(old->replay, new->replay) != 0)
		return "sockets";
	return NULL;
}

int core_reload(struct core *core, bool now, char **text)
{
	struct config *config = NULL;
	struct config_errors errors = {0};
	*text = NULL;
	int r = config_load(core->options.config, core->catalog, &config, &errors);
	if (r < 0) {
		*text = format_errors(&errors);
		config_errors_finish(&errors);
		return r;
	}
	const char *fixed = fixed_part(core->config, config);
	if (fixed != NULL && asprintf(text, "`%s` changed, which needs a restart", fixed) < 0)
		*text = NULL;
	const struct config *before = core->config; /* retired, not freed yet */
	r = fixed != NULL ? -EINVAL : ports_change(core, config, now, text);
	if (r < 0)
		config_destroy(config);
	else
		audit_config(&core->audit, "config", config, before);
	if (r >= 0)
		core_look_at_retention(core);
	return r;
}

/* --- the life of the process ----------------------------------------------------------------- */

static int add_events(struct core *core)
{
	struct loop *loop = core->loop;
	core->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (core->wake_fd < 0)
		return -errno;
	int r = loop_add_signal(loop, NULL, SIGTERM, on_terminate, core);
	if (r == 0)
		r = loop_add_signal(loop, NULL, SIGINT, on_terminate, core);
	if (r == 0)
		r = loop_add_signal(loop, NULL, SIGHUP, on_hangup, core);
	if (r == 0)
		r = loop_add_fd(loop, NULL, core->wake_fd, EPOLLIN, on_wake, core);
	if (r == 0)
		r = loop_add_timer(loop, &core->stop_timer, on_stop_timer, core);
	if (r == 0)
		r = loop_add_timer(loop, &core->second, on_second, core);
	if (r == 0)
		loop_set_timer(core->second, NS_PER_S);
	return r;
}

/* Signals are blocked before any thread exists, so that only the loop gets them. */
static int create_loop(struct core *core)
{
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	int r = event_loop_open(&core->loop);
	if (r == 0)
		r = add_events(core);
	if (r == 0 && event_loop_watchdog(core->loop) < 0)
		log_warn("cannot enable the watchdog");
	return r;
}

static int load_config(struct core *core)
{
	char *why = NULL;
	int r = catalog_load(core->options.worker, core->options.drivers, &core->catalog, &why);
	if (r < 0) {
		log_error("%s", why != NULL ? why : strerror(-r));
		free(why);
		return r;
	}
	struct config_errors errors = {0};
	r = config_load(core->options.config, core->catalog, &core->config, &errors);
	for (size_t i = 0; i < errors.count; i++)
		log_error("%s:%u:%u: %s", errors.items[i].mark.file, errors.items[i].mark.line,
			errors.items[i].mark.column, errors.items[i].text);
	config_errors_finish(&errors);
	return r;
}

static void close_down(struct core *core)
{
	recorder_destroy(core->recorder);
	core->recorder = NULL;
	retention_stop(core->retention);
	confirm_give_up(core->retention);
	control_close(core->control);
	replay_stop(core->replay);
	if (core->commit != NULL) {
		audit_text(&core->audit, "stop", NULL, "orderly");
		int r = commit_stop(core->commit);
		if (r < 0)
			log_error("the journal did not take the last entries: %s", strerror(-r));
	} else if (core->journal != NULL) {
		journal_close(core->journal);
	}
	confirm_destroy(core->retention);
	retention_destroy(core->retention);
	amends_destroy(core->amends);
	runs_destroy(core->runs);
	ledger_destroy(core->ledger);
	publisher_close(core->publisher);
	cursors_close(core->cursors);
	published_close(core->published);
	if (core->zmq != NULL)
		zmq_ctx_term(core->zmq);
	if (core->wake_fd >= 0)
		close(core->wake_fd);
	timekeeper_stop(&core->timekeeper);
	ports_finish(core);
	loop_drop(core->stop_timer);
	loop_drop(core->second);
	loop_close(core->loop);
	config_destroy(core->config);
	catalog_destroy(core->catalog);
}

static int run_loop(struct core *core)
{
	int r = ports_start_all(core);
	if (r < 0)
		return r;
	sd_notifyf(0, "READY=1\nSTATUS=%zu instruments", core->config->instrument_count);
	log_info("ready: %zu instruments", core->config->instrument_count);
	return loop_run(core->loop);
}

int core_run(const struct core_options *options)
{
	struct core core = {
		.options = *options, .wake_fd = -1, .timekeeper.fd = -1, .started = clock_utc()};
	list_init(&core.instruments);
	list_init(&core.ports);
	/* Entries are allocated here and freed by ZeroMQ's thread: keep the memory, skip mmap. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	umask(077);
	int r = create_loop(&core);
	if (r < 0)
		log_error("the event loop cannot be made: %s", strerror(-r));
	if (r >= 0)
		r = load_config(&core);
	if (r >= 0)
		r = startup(&core);
	if (r >= 0)
		r = run_loop(&core);
	close_down(&core);
	if (r < 0)
		log_error("ended: %s", strerror(-r));
	else
		log_info("ended");
	return r < 0 ? r : core.again;
}
