/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <zmq.h>

#define LOG_TOPIC "assayd"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/event-loop.h"
#include "base/log.h"
#include "core/access/access.h"
#include "core/commit/commit.h"
#include "core/commit/ledger.h"
#include "core/commit/publish.h"
#include "core/commit/published.h"
#include "core/control/control.h"
#include "core/control/ops.h"
#include "core/core.h"
#include "core/keep/confirm.h"
#include "core/keep/jobs.h"
#include "core/keep/known.h"
#include "core/keep/last-good.h"
#include "core/keep/retention.h"
#include "core/port/recorder.h"
#include "core/reload.h"
#include "core/replay/cursors.h"
#include "core/replay/replay.h"
#include "core/runs/amends.h"
#include "core/runs/interrupted.h"
#include "core/runs/rows.h"
#include "core/service.h"
#include "core/startup.h"
#include "journal/journal.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/topic.h"
#include "wire/process.h"

static int open_journal(struct core *core, struct journal_report *report)
{
	const struct config *config = core->config;
	uint8_t known[JOURNAL_ID_SIZE];
	uint64_t known_seq = cursors_known(config->journal_path, known);
	char folder[PATH_MAX];
	known_folder_make(folder, config->journal_known, config->journal_path);
	struct journal_options options = {
		.known = folder[0] != '\0' ? folder : NULL,
		.known_id = known_seq > 0 ? known : NULL,
		.known_seq = known_seq,
		.path = config->journal_path,
		.entry = entry_place,
		.sync_ms = config->sync_always ? 0 : (uint32_t)(config->sync_ns / NS_PER_MS),
		.now = clock_utc(),
		.segment_size = config->segment_size,
	};
	int r = journal_open(&core->journal, &io_posix, &options, report);
	if (r == -EBUSY)
		log_error("%s: another assayd uses this journal", config->journal_path);
	else if (r < 0)
		log_error(
			"%s: cannot open the journal: %s", config->journal_path, journal_error(r));
	else
		numbers_open(&core->numbers, folder, report->id);
	return r;
}

static const char *why_new(enum journal_why why)
{
	switch (why) {
	case JOURNAL_CONTINUED: return "continued";
	case JOURNAL_NEW_FIRST: return "there was none";
	case JOURNAL_NEW_LOST: return "the former one is missing or unreadable";
	case JOURNAL_NEW_UNCLEAN: return "the machine went down with entries not synced";
	case JOURNAL_NEW_CLOCK: return "the clock is more than an hour behind the former one";
	case JOURNAL_NEW_END_UNKNOWN: return "the end of the former one is damaged";
	case JOURNAL_NEW_BEHIND: return "the former one ends before entries that existed";
	case JOURNAL_NEW_GONE:
		return "there was one, and its folder is empty: is its disk mounted?";
	case JOURNAL_NEW_COPIED: return "the folder is a copy from another machine, disk or place";
	}
	return "unknown";
}

/* Losses that a person should investigate. */
static void warn_of_loss(const struct journal_report *report)
{
	bool is_loss = report->why == JOURNAL_NEW_LOST || report->why == JOURNAL_NEW_BEHIND ||
		       report->why == JOURNAL_NEW_END_UNKNOWN;
	if (is_loss)
		log_error("the journal is damaged: %s; a new one starts", why_new(report->why));
	else if (report->why != JOURNAL_CONTINUED)
		log_warn("a new journal starts: %s", why_new(report->why));
	char other[JOURNAL_ID_TEXT];
	journal_id_format(other, report->other.journal);
	if (report->has_other)
		log_warn("the last start used another journal, %s with entries to %llu, which is "
			 "not in this folder",
			other, (unsigned long long)report->other.seq);
	if (report->torn_bytes > 0)
		log_warn("%llu bytes of a torn write are in quarantine",
			(unsigned long long)report->torn_bytes);
}

/* The findings of recovery: one audit record; a loss is also an error in the log. */
static void audit_report(struct core *core, const struct journal_report *report)
{
	struct buffer after = {0};
	struct map map;
	map_open(&map, &after);
	map_bytes(&map, "journal", report->id, JOURNAL_ID_SIZE);
	map_text(&map, "why", why_new(report->why));
	map_uint(&map, "head", report->head);
	map_bool(&map, "unclean", report->unclean);
	if (report->has_old) {
		map_bytes(&map, "old_journal", report->old_id, JOURNAL_ID_SIZE);
		map_uint(&map, "old_head", report->old_head);
	}
	if (report->has_other) {
		map_bytes(&map, "other_journal", report->other.journal, JOURNAL_ID_SIZE);
		map_uint(&map, "other_head", report->other.seq);
	}
	if (report->torn_bytes > 0) {
		map_uint(&map, "torn_bytes", report->torn_bytes);
		map_uint(&map, "torn_seq", report->torn_seq);
	}
	if (report->rewritten > 0)
		map_uint(&map, "rewritten", report->rewritten);
	if (report->clock_back > 0)
		map_uint(&map, "clock_back", report->clock_back);
	map_key(&map, "gaps");
	encode_array(&after, report->gap_count);
	for (size_t i = 0; i < report->gap_count; i++) {
		encode_array(&after, 2);
		encode_uint(&after, report->gaps[i].from);
		encode_uint(&after, report->gaps[i].to);
		log_error("the journal is damaged: entries %llu to %llu cannot be read",
			(unsigned long long)report->gaps[i].from,
			(unsigned long long)report->gaps[i].to);
	}
	map_close(&map);
	warn_of_loss(report);
	if (report->why != JOURNAL_CONTINUED)
		core->journal_why = why_new(report->why);
	bool recovered = report->unclean || report->has_old || report->has_other ||
			 report->gap_count > 0;
	audit_put(&core->audit, recovered ? "journal-recovered" : "journal-opened", NULL, NULL,
		&after, NULL);
	buffer_finish(&after);
}

static int open_live(struct core *core)
{
	char head[JOURNAL_TOPIC_MAX + 1], audits[JOURNAL_TOPIC_MAX + 1];
	const struct config *config = core->config;
	if (topic_make(head, TOPIC_HEAD, NULL, config->site, config->node, NULL) < 0 ||
		topic_make(audits, TOPIC_AUDIT, NULL, config->site, config->node, NULL) < 0)
		return -EINVAL;
	core->audit.ledger = core->ledger;
	core->audit.topic = ledger_topic(core->ledger, audits);
	if (core->audit.topic == NULL)
		return -ENOMEM;
	int r = publisher_open(&core->publisher, core->zmq, config->live, head);
	if (r < 0)
		log_error("%s: cannot bind the live socket: %s", config->live, endpoint_error(r));
	if (r == 0)
		r = access_open(&core->access, core->zmq, config, &core->audit);
	struct remote_place place = access_place(core->access, CONFIG_READ);
	if (r == 0 && place.address != NULL) {
		r = publisher_listen(core->publisher, &place);
		if (r < 0)
			log_error(
				"%s: cannot bind the live socket: %s", place.address, strerror(-r));
	}
	return r < 0 ? r : publisher_start(core->publisher);
}

/* Before a group is published: the files that its records rely on. */
static void sync_notes(void *arg)
{
	struct core *core = arg;
	instruments_sync_notes(&core->instruments);
	numbers_sync(&core->numbers);
}

static int start_commit(struct core *core)
{
	struct commit_options options = {.always = core->config->sync_always,
		.every_ns = core->config->sync_ns,
		.published = core->published,
		.committed = sync_notes,
		.beat = service_beat(core->service, SERVICE_COMMIT),
		.arg = core};
	int r = commit_start(
		&core->commit, core->journal, core->publisher, &options, core->wake_fd);
	if (r < 0)
		log_error("cannot start the commit thread: %s", strerror(-r));
	else
		ledger_attach(core->ledger, core->commit);
	return r;
}

static int open_control(struct core *core)
{
	core->recorder = recorder_create(core->loop);
	if (core->recorder == NULL)
		return -ENOMEM;
	int r = control_open(&core->control, core, control_ops, core->config->control);
	if (r < 0)
		log_error("%s: cannot bind the control socket: %s", core->config->control,
			endpoint_error(r));
	return r;
}

static int open_replay(struct core *core)
{
	struct replay_sources sources = {.node = core->config->node,
		.published = core->published,
		.access = core->access,
		.runs = core->runs,
		.cursors = core->cursors};
	int r = replay_start(&core->replay, core->zmq, core->config->replay,
		core->config->journal_path, &sources);
	if (r < 0)
		log_error("%s: cannot bind the replay socket: %s", core->config->replay,
			endpoint_error(r));
	return r;
}

/* The runs, the readable journals, and the cursors of their consumers. */
static int open_reading(struct core *core, const struct journal_report *report)
{
	const char *path = core->config->journal_path;
	int r = runs_load(
		&core->runs, path, journal_id(core->journal), journal_head(core->journal));
	if (r < 0) {
		log_error("cannot read the runs from the journal: %s", strerror(-r));
		return r;
	}
	r = published_open(
		&core->published, path, core->journal, report->has_old ? report->old_id : NULL);
	runs_follow(core->runs, core->published);
	runs_reserve(core->runs, &core->numbers);
	if (r == 0)
		r = cursors_open(&core->cursors, path, core->published);
	if (r < 0)
		log_error("%s: cannot read journals and cursors: %s", path, strerror(-r));
	return r;
}

static int open_sockets(struct core *core)
{
	int r = open_live(core);
	if (r == 0)
		r = open_control(core);
	return r < 0 ? r : open_replay(core);
}

static void on_clock_set(void *core)
{
	core_check_clock(core, true);
}

static void on_retention_due(void *core)
{
	core_apply_retention(core);
}

static int check_space(void *arg, uint64_t expected, char *text, size_t size)
{
	const struct core *core = arg;
	return disk_check(&core->disk, expected, text, size);
}

static void on_all_gone(void *arg)
{
	struct core *core = arg;
	loop_stop(core->loop, 0);
}

/* Gives the instruments and their ports what they share. */
static void connect_instruments(struct core *core)
{
	core->instruments.config = core->config;
	core->instruments.runs = &core->run_store;
	core->instruments.audit = &core->audit;
	core->instruments.check_space = check_space;
	core->instruments.arg = core;
	core->ports.host = (struct port_host){.loop = core->loop,
		.worker = core->options.worker,
		.drivers = core->options.drivers,
		.credit_late = COMMIT_WAIT_BYTES,
		.start = process_start};
	core->ports.instruments = &core->instruments;
	core->ports.all_gone = on_all_gone;
	core->ports.arg = core;
}

/* Before this start; 0: not known.  A first journal has nothing that could be removed. */
static uint64_t last_commit(const struct journal_report *report)
{
	if (report->why == JOURNAL_NEW_FIRST)
		return clock_utc();
	return report->why == JOURNAL_CONTINUED ? report->last_tc : report->old_tc;
}

/* If this fails, close_down() closes the parts that are open. */
static int open_all(struct core *core)
{
	snprintf(core->sync, sizeof core->sync, "always");
	if (!core->config->sync_always)
		snprintf(core->sync, sizeof core->sync, "%gs",
			(double)core->config->sync_ns / (double)NS_PER_S);
	runs_use_zone(core->config->timezone);
	struct journal_report report = {0};
	int r = open_journal(core, &report);
	if (r < 0)
		return r;
	r = open_reading(core, &report);
	if (r < 0)
		return r;
	core->zmq = zmq_ctx_new();
	core->ledger = ledger_create(core->journal, report.last_tc);
	if (core->zmq == NULL || core->ledger == NULL)
		return -ENOMEM;
	core->run_store.ledger = core->ledger;
	core->run_store.rows = core->runs;
	snprintf(core->run_store.path, sizeof core->run_store.path, "%s",
		core->config->journal_path);
	core->instruments.hazards.journal = core->run_store.path;
	borrowed_notes_init(&core->instruments.notes, core->run_store.path);
	core->run_store.clock = &core->timekeeper;
	core->run_store.sync = core->sync;
	core->amends = amends_create(&core->run_store);
	if (core->amends == NULL)
		return -ENOMEM;
	r = open_sockets(core);
	if (r == 0)
		r = start_commit(core);
	if (r < 0)
		return r;
	audit_report(core, &report);
	r = timekeeper_start(
		&core->timekeeper, core->loop, &core->audit, report.last_tc, on_clock_set, core);
	if (r < 0)
		return r;
	audit_config(&core->audit, "start", core->config, NULL);
	if (core->config_errors != NULL)
		audit_text(&core->audit, "config-last-good", NULL, core->config_errors);
	end_interrupted(&core->run_store);
	core->disk = (struct disk_watch){.journal = core->journal,
		.commit = core->commit,
		.audit = &core->audit,
		.segment_size = core->config->segment_size};
	core_check_disk(core);
	trust_start(&core->trust, core->run_store.path, last_commit(&report),
		trust_off_max(core->config->keep.age_ns));
	struct retention_options options = {.loop = core->loop,
		.path = core->config->journal_path,
		.journal = ledger_journal_id(core->ledger),
		.audit = &core->audit,
		.published = core->published,
		.cursors = core->cursors,
		.due = on_retention_due,
		.arg = core};
	r = retention_start(&core->retention, &options);
	if (r < 0)
		log_error("retention: %s; nothing is removed", strerror(-r));
	connect_instruments(core);
	return 0;
}

/* --- the event loop ---------------------------------------------------------------------------- */

static void on_wake(void *arg, uint32_t events)
{
	struct core *core = arg;
	eventfd_t count;
	eventfd_read(core->wake_fd, &count);
	commit_collect(core->commit);
}

static void on_terminate(void *core)
{
	core_terminate(core);
}

static void on_stop_timer(void *core)
{
	core_try_stop(core);
}

static void on_second(void *arg)
{
	struct core *core = arg;
	beat_pass();
	core_tick(core);
	reload_release(core);
	loop_set_timer(core->second, clock_to_second());
}

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
		r = loop_add_signal(loop, NULL, SIGHUP, reload_on_hangup, core);
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
	return r;
}

/* Instruments go on as before: a slip of the pen must not stop a laboratory over a restart. */
static int load_last_good(struct core *core)
{
	const char *path = core->options.last_good;
	struct config_errors errors;
	int r = last_good_load(path, core->catalog, &core->config, &errors);
	if (r == 0)
		log_error("the configuration is wrong: the last good one is started; correct the "
			  "errors, then: assayctl reload");
	else if (r == -EINVAL)
		log_error("%s: the last good configuration has %zu errors, too, the first: %s",
			path, errors.count, errors.items[0].text);
	else
		log_error("%s: there is no last good configuration: %s", path, strerror(-r));
	config_errors_finish(&errors);
	return r;
}

/* 0; EX_CONFIG or 1 after a logged error. */
static int load_config(struct core *core)
{
	char *why = NULL;
	int r = catalog_load(core->options.worker, core->options.drivers, &core->catalog, &why);
	if (r < 0) {
		log_error("%s", why != NULL ? why : strerror(-r));
		free(why);
		return 1;
	}
	struct config_errors errors = {0};
	r = config_load(core->options.config, core->catalog, &core->config, &errors);
	config_errors_log(&errors, false);
	bool is_wrong = r == -EINVAL;
	if (is_wrong && core->options.last_good != NULL) {
		core->config_errors = config_errors_text(&errors);
		r = load_last_good(core);
	}
	if (r == 0)
		config_errors_log(&core->config->warnings, true);
	config_errors_finish(&errors);
	return r == 0 ? 0 : is_wrong ? EX_CONFIG : 1;
}

/* 0, or a negative errno after a logged error: entries were lost. */
static int close_down(struct core *core)
{
	int r = 0;
	jobs_stop(core->checks);
	core->checks = NULL;
	recorder_destroy(core->recorder);
	core->recorder = NULL;
	retention_stop(core->retention);
	confirm_give_up(core->retention);
	replay_stop(core->replay);
	if (core->commit != NULL) {
		audit_text(&core->audit, "stop", NULL, "orderly");
		r = commit_stop(core->commit);
		if (r < 0)
			log_error("the journal did not take the last entries: %s", strerror(-r));
	} else if (core->journal != NULL) {
		journal_close(core->journal);
	}
	run_store_finish(&core->run_store);
	control_close(core->control); /* the last commits were answered */
	confirm_destroy(core->retention);
	retention_destroy(core->retention);
	amends_destroy(core->amends);
	runs_destroy(core->runs);
	numbers_close(&core->numbers);
	publisher_close(core->publisher);
	ledger_destroy(core->ledger); /* entries on their way referred to its topics */
	cursors_close(core->cursors);
	published_close(core->published);
	access_close(core->access);
	if (core->zmq != NULL)
		zmq_ctx_term(core->zmq);
	if (core->wake_fd >= 0)
		close(core->wake_fd);
	timekeeper_stop(&core->timekeeper);
	ports_finish(&core->ports);
	borrowed_notes_finish(&core->instruments.notes);
	reload_finish(core);
	loop_drop(core->stop_timer);
	loop_drop(core->second);
	loop_close(core->loop);
	config_destroy(core->config);
	free(core->config_errors);
	catalog_destroy(core->catalog);
	service_end(core->service);
	return r;
}

static int run_loop(struct core *core)
{
	int r = ports_start_all(&core->ports);
	if (r < 0)
		return r;
	service_ready(core->service, core->config->instrument_count);
	log_info("ready: %zu instruments", core->config->instrument_count);
	reload_save(core);
	return loop_run(core->loop);
}

/* Connections, files and workers each need some; connections leave a reserve (base/gate.h). */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int startup_run(const struct core_options *options, bool *again)
{
	struct core core = {
		.options = *options, .wake_fd = -1, .timekeeper.fd = -1, .started = clock_utc()};
	list_init(&core.instruments.list);
	list_init(&core.ports.list);
	run_store_init(&core.run_store);
	/* Entries are allocated here and freed by ZeroMQ's thread: keep the memory, skip mmap. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	umask(077);
	stamp_source(options->clock);
	raise_descriptors();
	int r = create_loop(&core);
	if (r < 0)
		log_error("cannot create the event loop: %s", strerror(-r));
	if (r >= 0)
		r = service_start(&core.service);
	int wrong = r < 0 ? 1 : load_config(&core);
	if (wrong != 0)
		r = -ECANCELED;
	if (r >= 0)
		r = open_all(&core);
	if (r >= 0)
		r = jobs_start(&core.checks, core.loop);
	if (r >= 0)
		r = run_loop(&core);
	int lost = close_down(&core);
	r = r < 0 ? r : lost;
	if (wrong == EX_CONFIG)
		log_error("ended: the configuration is wrong");
	else if (r < 0)
		log_error("ended: %s", strerror(-r));
	else
		log_info("ended");
	*again = r == 0 && core.again;
	/* A start again changes neither a wrong file nor the format of a journal. */
	return wrong != 0 ? wrong : r == -EPROTONOSUPPORT ? EX_CONFIG : r < 0 ? 1 : 0;
}
