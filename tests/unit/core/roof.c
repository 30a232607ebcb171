/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/commit/commit.h"
#include "core/commit/ledger.h"
#include "core/commit/publish.h"
#include "core/commit/published.h"
#include "core/control/control.h"
#include "core/control/ops.h"
#include "core/keep/confirm.h"
#include "core/port/recorder.h"
#include "core/reload.h"
#include "core/replay/cursors.h"
#include "core/runs/amends.h"
#include "core/runs/past-run.h"
#include "core/runs/rows.h"
#include "drivers.h"
#include "journal/journal.h"
#include "record/entry.h"
#include "record/json.h"
#include "roof.h"
#include "virtual-loop.h"

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "roof: %s\n", what);
	abort();
}

static const char instruments[] = "  xrf-1:\n"
				  "    driver: amptek-dp5\n"
				  "    simulated: true\n"
				  "    link: {type: udp, host: 127.0.0.1, port: 9}\n"
				  "    acquire: {mode: on-demand}\n"
				  "    settings: {preset_time: 10 s}\n"
				  "  ms-1:\n"
				  "    driver: srs-rga\n"
				  "    simulated: true\n"
				  "    link: {type: serial, port: /dev/null}\n"
				  "    acquire: {mode: continuous, every: 1s, new_run: 1h}\n"
				  "    settings: {mass_first: 1, mass_last: 50}\n";
static const char methods[] =
	"  quick: {version: 1, driver: amptek-dp5, settings: {preset_time: 5 s}}\n";

void roof_configure(struct roof *roof, const char *journal)
{
	bool has_own = roof->plan.catalog != NULL;
	char text[8000];
	snprintf(text, sizeof text,
		"laboratory:\n"
		"  site: site\n"
		"  node: node\n"
		"  require: [sample]\n"
		"  sample_id: {pattern: '^S-[0-9]+$', example: S-1}\n"
		"journal:\n"
		"  path: %s\n"
		"  %s\n"
		"sockets: {dir: %s}\n"
		"instruments:\n"
		"%s"
		"%s"
		"methods:\n"
		"%s"
		"%s",
		roof->folder, journal, roof->folder, has_own ? "" : instruments,
		roof->plan.instruments != NULL ? roof->plan.instruments : "",
		has_own ? "" : methods, roof->plan.methods != NULL ? roof->plan.methods : "");
	FILE *file = fopen(roof->file, "w");
	check(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, roof->file);
}

static int start_no_worker(const char *worker, int fd, int error, pid_t *pid)
{
	return -ENOENT;
}

static void all_gone(void *arg)
{
}

static int check_space(void *core, uint64_t expected, char *text, size_t size)
{
	return 0;
}

static void load_config(struct roof *roof)
{
	struct config_errors errors = {0};
	roof_configure(roof, "");
	int r = config_load(roof->file, roof->core.catalog, &roof->core.config, &errors);
	check(r == 0, errors.count > 0 ? errors.items[0].text : "config_load");
}

/* Tests of hazards sync their notes themselves. */
static void sync_borrowed(void *arg)
{
	struct instruments *all = arg;
	borrowed_sync(&all->notes);
}

static void open_journal(struct core *core, const struct roof_plan *plan)
{
	const struct io *io = plan->io != NULL ? plan->io : &io_posix;
	struct journal_report report;
	struct journal_options options = {
		.path = core->config->journal_path, .entry = entry_place, .now = clock_utc()};
	struct commit_options how = {.always = true};
	check(journal_open(&core->journal, io, &options, &report) == 0, "journal_open");
	check(runs_load(&core->runs, options.path, report.id, report.head) == 0, "runs_load");
	check(published_open(&core->published, options.path, core->journal, NULL) == 0,
		"published_open");
	check(cursors_open(&core->cursors, options.path, core->published) == 0, "cursors_open");
	core->zmq = zmq_ctx_new();
	core->ledger = ledger_create(core->journal, 0);
	core->audit.ledger = core->ledger;
	core->audit.topic = ledger_topic(core->ledger, "a1/audit/-/site/node/-/");
	check(publisher_open(
		      &core->publisher, core->zmq, "inproc://live", "a1/head/-/site/node/-/") == 0,
		"publisher_open");
	check(publisher_start(core->publisher) == 0, "publisher_start");
	how.published = core->published;
	how.committed = plan->notes_hazards ? instruments_sync_notes : sync_borrowed;
	how.arg = &core->instruments;
	core->wake_fd = eventfd(0, EFD_CLOEXEC);
	check(commit_start(&core->commit, core->journal, core->publisher, &how, core->wake_fd) == 0,
		"commit_start");
	ledger_attach(core->ledger, core->commit);
}

static void open_core(struct roof *roof)
{
	struct core *core = &roof->core;
	const struct roof_plan *plan = &roof->plan;
	list_init(&core->instruments.list);
	list_init(&core->ports.list);
	run_store_init(&core->run_store);
	check(virtual_loop_open(&core->loop, NULL) == 0, "virtual_loop_open");
	core->started = clock_utc();
	core->options.config = roof->file;
	core->catalog = (struct catalog *)(uintptr_t)(plan->catalog != NULL ? plan->catalog
									    : &test_catalog);
	load_config(roof);
	snprintf(core->run_store.path, sizeof core->run_store.path, "%s",
		core->config->journal_path);
	trust_start(&core->trust, core->run_store.path, clock_utc(), 0);
	core->instruments.hazards.journal = core->run_store.path;
	borrowed_notes_init(&core->instruments.notes, core->run_store.path);
	open_journal(core, plan);
	core->run_store.ledger = core->ledger;
	core->run_store.rows = core->runs;
	core->run_store.clock = &core->timekeeper;
	core->run_store.sync = "always";
	core->amends = amends_create(&core->run_store);
	core->recorder = recorder_create(core->loop);
	core->instruments.config = core->config;
	core->instruments.runs = &core->run_store;
	core->instruments.audit = &core->audit;
	core->instruments.check_space = check_space;
	core->ports.host = (struct port_host){.loop = core->loop,
		.worker = "none",
		.drivers = "none",
		.start = plan->start != NULL ? plan->start : start_no_worker};
	core->ports.instruments = &core->instruments;
	core->ports.all_gone = all_gone;
	check(core->amends != NULL && core->recorder != NULL, "memory");
	check(control_open(&core->control, core, control_ops, ROOF_CONTROL) == 0, "control_open");
	check(ports_start_all(&core->ports) == 0, "ports_start_all");
}

void roof_open_as(struct roof *roof, const struct roof_plan *plan)
{
	*roof = (struct roof){.core.timekeeper.fd = -1, .plan = *plan};
	log_init(LOG_LEVEL_ERROR, true);
	/* In memory where that is possible: the time of a sync is no matter of these tests. */
	snprintf(roof->folder, sizeof roof->folder, "%s/test-roof-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	check(mkdtemp(roof->folder) != NULL, "mkdtemp");
	snprintf(roof->file, sizeof roof->file, "%s/assayd.yaml", roof->folder);
	open_core(roof);
}

void roof_open(struct roof *roof)
{
	roof_open_as(roof, &(struct roof_plan){0});
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void close_core(struct roof *roof)
{
	struct core *core = &roof->core;
	core->instruments.stopping = true;
	ports_stop_all(&core->ports);
	recorder_destroy(core->recorder);
	retention_stop(core->retention);
	confirm_give_up(core->retention);
	commit_stop(core->commit);
	run_store_finish(&core->run_store);
	control_close(core->control);
	confirm_destroy(core->retention);
	retention_destroy(core->retention);
	amends_destroy(core->amends);
	runs_destroy(core->runs);
	publisher_close(core->publisher);
	ledger_destroy(core->ledger);
	cursors_close(core->cursors);
	published_close(core->published);
	zmq_ctx_term(core->zmq);
	close(core->wake_fd);
	ports_finish(&core->ports);
	borrowed_notes_finish(&core->instruments.notes);
	reload_finish(core);
	loop_close(core->loop);
	config_destroy(core->config);
}

void roof_restart(struct roof *roof)
{
	close_core(roof);
	roof->core = (struct core){.timekeeper.fd = -1};
	open_core(roof);
}

void roof_close(struct roof *roof)
{
	close_core(roof);
	buffer_finish(&roof->reply);
	buffer_finish(&roof->records);
	virtual_clock_release();
	nftw(roof->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void keep_reply(void *arg, const struct buffer *reply)
{
	struct roof *roof = arg;
	check(!reply->failed, "the reply was written");
	buffer_reset(&roof->reply);
	buffer_append(&roof->reply, reply->data, reply->len);
	roof->replies++;
}

void roof_ask(struct roof *roof, const void *data, size_t len)
{
	struct audit_actor actor = {.id = "kim", .auth = AUTH_OS, .via = "test"};
	roof->requests++;
	control_handle(roof->core.control, &actor, data, len, keep_reply, roof);
	check(roof->replies <= roof->requests, "one reply to a request");
}

void roof_wait_reply(struct roof *roof)
{
	while (roof->replies < roof->requests) {
		eventfd_t count;
		check(eventfd_read(roof->core.wake_fd, &count) == 0, "eventfd_read");
		commit_collect(roof->core.commit);
	}
}

static void note(void *arg, const struct commit_item *item)
{
	*(bool *)arg = true;
}

void roof_commit(struct roof *roof)
{
	struct core *core = &roof->core;
	bool is_done = false;
	check(audit_then(&core->audit, "mark", NULL, NULL, NULL, NULL, note, &is_done) == 0,
		"audit_then");
	while (!is_done) {
		eventfd_t count;
		check(eventfd_read(core->wake_fd, &count) == 0, "eventfd_read");
		commit_collect(core->commit);
	}
}

const char *roof_records(struct roof *roof, const char *instrument)
{
	struct core *core = &roof->core;
	struct buffer bytes = {0};
	char end[40];
	snprintf(end, sizeof end, "/%s/", instrument);
	buffer_reset(&roof->records);
	roof_commit(roof);
	for (uint64_t seq = 1; seq <= published_head(core->published); seq++) {
		struct assay_entry_view entry;
		int r = past_entry_read(roof->folder, journal_id(core->journal), seq, &bytes);
		if (r == -ENOENT)
			continue; /* retention removed it */
		check(r == 0 && assay_entry_read(bytes.data, bytes.len, &entry) == 0,
			"past_entry_read");
		size_t len = strlen(end);
		if (entry.topic.len < len ||
			memcmp(entry.topic.data + entry.topic.len - len, end, len) != 0)
			continue;
		check(json_write(&roof->records, entry.body.data, entry.body.len) == 0,
			"json_write");
		buffer_append(&roof->records, "\n", 1);
	}
	buffer_append(&roof->records, "", 1);
	buffer_finish(&bytes);
	return (const char *)roof->records.data;
}
