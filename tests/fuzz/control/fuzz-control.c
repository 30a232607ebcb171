/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the control socket, against a core without instruments.  Every answer is a map. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <zmq.h>

#include "base/log.h"
#include "core/commit/commit.h"
#include "core/control/control.h"
#include "core/replay/cursors.h"
#include "core/commit/ledger.h"
#include "core/commit/publish.h"
#include "core/commit/published.h"
#include "core/runs/rows.h"
#include "disk.h"
#include "record/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_entry(const uint8_t *bytes, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc)
{
	return -1;
}

/* The journal itself is on the simulated disk; that it is empty is all that is seen of it here. */
static void make_cursors(struct core *core, const char *folder)
{
	char path[128], id[JOURNAL_ID_TEXT];
	journal_id_format(id, journal_id(core->journal));
	snprintf(path, sizeof path, "%s/journal", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/journal/%s", folder, id);
	mkdir(path, 0700);
	if (published_open(&core->published, folder, core->journal, NULL) < 0 ||
		cursors_open(&core->cursors, folder, core->published) < 0)
		abort();
}

static struct core *make_core(void)
{
	static struct core core;
	static struct config config = {.site = "site",
		.node = "node",
		.journal_path = "/j",
		.live = "inproc://live",
		.sync_always = true};
	log_init(LOG_LEVEL_ERROR, true);
	list_init(&core.instruments);
	list_init(&core.ports);
	core.config = &config;
	core.options.config = "/nonexistent/assayd.yaml";
	core.catalog = calloc(1, sizeof *core.catalog);
	core.zmq = zmq_ctx_new();
	struct journal_options options = {.path = "/j", .entry = no_entry};
	struct journal_report report;
	if (journal_open(&core.journal, disk_io(disk_create(1)), &options, &report) < 0 ||
		publisher_open(&core.publisher, core.zmq, config.live, "a1/head/-/site/node/-/") <
			0)
		abort();
	core.ledger = ledger_create(core.journal, 0);
	struct commit_options how = {.always = true};
	if (commit_start(&core.commit, core.journal, core.publisher, &how,
		    eventfd(0, EFD_NONBLOCK)) < 0 ||
		control_open(&core.control, &core, NULL) < 0)
		abort();
	ledger_attach(core.ledger, core.commit);
	core.audit_topic = ledger_topic(core.ledger, "a1/audit/-/site/node/-/");
	char folder[] = "/tmp/fuzz-control-XXXXXX";
	if (mkdtemp(folder) == NULL ||
		runs_load(&core.runs, folder, journal_id(core.journal), 0) < 0)
		abort();
	make_cursors(&core, folder);
	return &core;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct core *core;
	static struct buffer reply;
	if (core == NULL)
		core = make_core();
	struct audit_actor actor = {.id = "fuzz", .auth = AUTH_NONE, .via = "fuzz"};
	bool kept = false;
	control_handle(core->control, &actor, data, size, &reply, &kept);
	commit_collect(core->commit);
	struct reader r;
	read_init(&r, reply.data, reply.len);
	if (kept || read_peek(&r) != READ_MAP || read_skip(&r) < 0 || read_finish(&r) < 0)
		abort();
	return 0;
}
