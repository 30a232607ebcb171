/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#define LOG_TOPIC "run"
#include "base/log.h"
#include "core/commit/item.h"
#include "core/commit/ledger.h"
#include "core/commit/timekeeper.h"
#include "core/runs/references.h"
#include "core/runs/run.h"
#include "core/runs/rows.h"
#include "core/runs/times.h"
#include "record/check.h"
#include "record/digest.h"
#include "record/encode.h"
#include "record/keys.h"
#include "record/record.h"
#include "record/techniques.h"
#include "record/text.h"
#include "record/uuid.h"

/* A run that is larger than this closes its segment, so that it can be archived with it. */
#define LARGE_RUN_BYTES  (8u << 20)
#define CALIBRATIONS_MAX 64 /* one per step of a method */

/* A start that the worker reports is not older: the core was busy for so long at most. */
#define STARTED_AGO_MAX (600 * NS_PER_S)

struct run {
	struct run_store *store;
	struct run_request request;
	const struct config_instrument *config;
	struct run_identity identity;
	struct ledger_topic *topic;
	struct run_label label;
	uint8_t ctx[ASSAY_SHA256_SIZE];
	uint64_t started; /* UTC */
	uint64_t mono;    /* the same, CLOCK_BOOTTIME */
	uint64_t since;   /* the start of the measurement, before renewals; CLOCK_BOOTTIME */
	uint64_t first;   /* seq of the run-start */
	uint64_t frames, bytes;
	size_t step;
	unsigned technique;     /* bit, for the units allowed; 0: all */
	struct taken_file file; /* the data set that it records; zero: none */
	struct digest digest;
	struct quality q;             /* of the frame being made */
	struct quality_counts counts; /* of the frames so far */
	struct buffer head;           /* of the frame being made */
	struct buffer settings, sent; /* as it started, for a renewal */
	struct audit_actor ender;
	bool has_ender;
	bool is_ending, is_aborted; /* as requested; the worker may have ended it before */
	const char *end_reason;     /* NULL: none */
};

/* --- requests and their answers --------------------------------------------------------------- */

/* A request whose run-start is on its way to the journal. */
struct waiting {
	struct list link; /* run_store.waiting */
	uint64_t seq;
	struct run_label run;
	void (*answer)(void *arg, int r, const char *text, const struct run_label *run);
	void *arg;
};

void run_request_finish(struct run_request *request)
{
	buffer_finish(&request->refs);
	buffer_finish(&request->references);
	buffer_finish(&request->settings);
	for (size_t i = 0; i < request->steps.count; i++) {
		buffer_finish(&request->steps.settings[i]);
		buffer_finish(&request->steps.holds[i]);
	}
	free(request->steps.settings);
	free(request->steps.holds);
	buffer_finish(&request->steps.changed);
	*request = (struct run_request){0};
}

void run_request_fail(struct run_request *request, int r, const char *text)
{
	if (request->answer != NULL)
		request->answer(request->arg, r, text, NULL);
	run_request_finish(request);
}

void run_store_init(struct run_store *store)
{
	list_init(&store->waiting);
}

void run_store_finish(struct run_store *store)
{
	struct waiting *waiting;
	list_for_each(waiting, &store->waiting, link)
	{
		waiting->answer(waiting->arg, -EIO,
			"the daemon ended before the run-start was committed", NULL);
		list_remove(&waiting->link);
		free(waiting);
	}
}

/* A run-start is committed; its run may have ended already. */
static void on_started(void *arg, const struct commit_item *item)
{
	struct run_store *store = arg;
	struct waiting *waiting;
	list_for_each(waiting, &store->waiting, link)
	{
		if (waiting->seq != item->seq)
			continue;
		list_remove(&waiting->link);
		waiting->answer(waiting->arg, 0, NULL, &waiting->run);
		free(waiting);
		return;
	}
}

/* --- memory ----------------------------------------------------------------------------------- */

static void run_destroy(struct run *run)
{
	if (run == NULL)
		return;
	digest_finish(&run->digest);
	buffer_finish(&run->head);
	buffer_finish(&run->settings);
	buffer_finish(&run->sent);
	run_request_finish(&run->request);
	free(run);
}

/* --- run-start ------------------------------------------------------------------------------- */

static const char *or_none(const char *text)
{
	return text[0] != '\0' ? text : "none";
}

static const char *or_unknown(const char *text)
{
	return text[0] != '\0' ? text : "unknown";
}

struct inst_id run_inst(const struct run_identity *id, const struct config_instrument *instrument)
{
	bool known = id->make[0] != '\0' || id->model[0] != '\0' || id->serial[0] != '\0';
	return (struct inst_id){
		.key = instrument->key,
		.make = known ? or_unknown(id->make) : NULL,
		.model = known ? or_unknown(id->model) : NULL,
		.serial = known ? or_unknown(id->serial) : NULL,
		.fw = id->fw[0] != '\0' ? id->fw : NULL,
		.asset = instrument->identity.asset,
		.source = !known         ? ID_SOURCE_NONE
			  : id->declared ? ID_SOURCE_DECLARED
					 : ID_SOURCE_READ,
	};
}

/* Adds a key of our own to the run-start; `bytes` is one encoded item, empty: none. */
static void add_extra(
	struct buffer *extra, size_t *count, const char *key, const struct buffer *bytes)
{
	if (bytes->len == 0)
		return;
	encode_text(extra, key);
	encode_raw(extra, bytes->data, bytes->len);
	++*count;
}

/* The calibration of a step: its own, or that of the instrument. */
static const struct config_calibration *calibration_of(const struct run *run, size_t step)
{
	const struct config_method *method = run->request.method;
	const struct config_calibration *own = method != NULL ? method->steps[step].calibration
							      : NULL;
	return own != NULL ? own : &run->config->calibration;
}

/* The calibrations in force in any step, each once. */
static size_t list_calibrations(const struct run *run, struct calibration list[CALIBRATIONS_MAX])
{
	const struct config_method *method = run->request.method;
	size_t count = 0, steps = method != NULL ? method->step_count : 1;
	for (size_t i = 0; i < steps && count < CALIBRATIONS_MAX; i++) {
		const struct config_calibration *cal = calibration_of(run, i);
		size_t known = 0;
		while (known < count && cal->id != NULL && strcmp(list[known].id, cal->id) != 0)
			known++;
		if (cal->id != NULL && known == count)
			list[count++] = (struct calibration){
				.id = cal->id, .from = cal->from, .to = cal->to};
	}
	return count;
}

static bool is_of_files(const struct run *run)
{
	return port_kind_of(run->config->port.kind)->is_folder;
}

/* Those of the request, and the run of an earlier content of the same file (`former`, kept by the caller). */
static size_t list_refs(
	const struct run *run, struct run_ref refs[REFERENCES_MAX + 1], struct runs_row *former)
{
	size_t count;
	if (references_list(&run->request.refs, refs, &count) < 0)
		count = 0; /* they were checked with the request */
	if (runs_find_superseded(run->store->rows, &run->file, former))
		refs[count++] = (struct run_ref){REF_SUPERSEDES, former->id, former->ctx};
	return count;
}

static void put_run_start(const struct run *run, const struct run_subject *subject, struct stamp t,
	struct buffer *body)
{
	const struct config_instrument *config = run->config;
	const struct config_method *method = run->request.method;
	const struct technique technique = technique_of(config->technique);
	static const enum run_mode modes[] = {[CONFIG_ON_DEMAND] = RUN_MODE_ON_DEMAND,
		[CONFIG_REPEAT] = RUN_MODE_REPEAT,
		[CONFIG_CONTINUOUS] = RUN_MODE_CONTINUOUS};
	struct run_ref refs[REFERENCES_MAX + 1];
	struct runs_row former;
	struct calibration cal[CALIBRATIONS_MAX];
	size_t cal_count = list_calibrations(run, cal);
	struct assay_span setup = method != NULL && method->setup.len > 0 ? method->setup
									  : config->setup;
	struct buffer extra = {0}, note = {0}, reported = {0};
	size_t extra_count = 0;
	uint8_t id[ASSAY_UUID_SIZE];
	uuid_random(id);
	if (run->request.note[0] != '\0')
		encode_text(&note, run->request.note);
	add_extra(&extra, &extra_count, "x-note", &note);
	if (run->request.reported[0] != '\0')
		encode_text(&reported, run->request.reported);
	add_extra(&extra, &extra_count, "x-sample", &reported);
	/* The settings as sent, if the instrument read back others: decode() works with them. */
	add_extra(&extra, &extra_count, "x-sent", &run->sent);
	add_extra(&extra, &extra_count, "x-set", &run->request.steps.changed);
	struct run_start start = {
		.base = {.id = id, .t = t, .inst = run_inst(&run->identity, config)},
		.run = run->label.id,
		.number = run->label.number,
		.technique = {technique.id, technique.name},
		.sim = config->simulated,
		.mode = modes[run->request.mode],
		.driver = {config->driver->name, config->driver->version, config->driver->sha256},
		.core = {"assayd", ASSAY_VERSION, NULL},
		.config = subject->config->sha256,
		.sync = run->store->sync,
		.sample = {.id = or_none(run->request.sample),
			.entered = is_of_files(run) ? ENTRY_FILE : run->request.entered},
		.operator= {.id = or_none(run->request.operator)},
		.refs = refs,
		.refs_count = list_refs(run, refs, &former),
		.cal = cal,
		.cal_count = cal_count,
		.settings = {run->settings.data, run->settings.len},
		.setup = {setup.data, setup.len},
		.extra = {{extra.data, extra.len}, extra_count},
	};
	if (method != NULL)
		start.method = (struct method){method->id, method->version, method->sha256};
	record_run_start(body, &start);
	buffer_finish(&note);
	buffer_finish(&reported);
	buffer_finish(&extra);
}

static void fill_row(const struct run *run, struct runs_row *row)
{
	*row = (struct runs_row){.start = run->started,
		.first = run->first,
		.frames = run->frames,
		.sim = run->config->simulated};
	memcpy(row->id, run->label.id, sizeof row->id);
	memcpy(row->ctx, run->ctx, sizeof row->ctx);
	memcpy(row->number, run->label.number, sizeof row->number);
	strncpy(row->instrument, run->config->key, sizeof row->instrument - 1);
	memcpy(row->topic, run->topic->text, sizeof row->topic);
	memcpy(row->sample, run->request.sample, sizeof row->sample);
	memcpy(row->operator, run->request.operator, sizeof row->operator);
	row->file = run->file;
}

/* Writes the run-start; `waiting` (NULL: none) waits for its commit. */
static int write_start(
	struct run *run, const struct run_subject *subject, struct stamp t, struct waiting *waiting)
{
	struct buffer body = {0};
	put_run_start(run, subject, t, &body);
	struct schema_error error;
	int r = body.failed ? -ENOMEM : check_record(body.data, body.len, &error);
	if (r == -EBADMSG)
		log_error(
			"%s: invalid run-start: %s: %s", run->config->key, error.path, error.text);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = run->topic,
		.head = body.data,
		.head_len = body.len,
		.synced = true, /* its number is never given again, in any sync mode */
		.done = waiting != NULL ? on_started : NULL,
		.arg = run->store};
	if (r == 0)
		r = ledger_put(run->store->ledger, &record, &receipt);
	buffer_finish(&body);
	if (r < 0)
		return r;
	run->first = receipt.seq;
	memcpy(run->ctx, receipt.leaf, sizeof run->ctx);
	if (waiting != NULL) {
		waiting->seq = receipt.seq;
		list_append(&run->store->waiting, &waiting->link);
	}
	struct runs_row row;
	fill_row(run, &row);
	if (runs_put(run->store->rows, &row) < 0)
		log_error("%s: cannot list %s: out of memory", run->config->key, run->label.number);
	return 0;
}

/* The time of the start; a wrong one of the worker would give the run a number of another day. */
static struct stamp start_time(
	const struct run_subject *subject, const struct wire_started *started)
{
	struct stamp t = stamp_now();
	const struct times now = {t.utc, t.mono};
	uint64_t since = t.mono > STARTED_AGO_MAX ? t.mono - STARTED_AGO_MAX : 0;
	struct times times = {started->utc, started->mono};
	int r = times_check(&times, since, &now);
	if (r != 0)
		log_warn("%s: the worker's time of the start is wrong: the core's clock counts",
			subject->instrument->key);
	if (r < 0)
		times = now;
	t.utc = times.utc;
	t.mono = times.mono;
	return t;
}

/* Everything but the request, which the caller moves in. */
static struct run *run_create(struct run_store *store, const struct run_subject *subject,
	const struct wire_started *started, struct stamp t)
{
	struct run *run = calloc(1, sizeof *run);
	if (run == NULL)
		return NULL;
	struct assay_span settings = started->settings.len > 0 ? started->settings
							       : subject->settings;
	run->store = store;
	run->config = subject->instrument;
	run->identity = *subject->identity;
	run->topic = subject->topic;
	run->technique = technique_of(run->config->technique).bit;
	run->started = t.utc;
	run->mono = run->since = t.mono;
	uuid_random(run->label.id);
	runs_next_number(
		store->rows, subject->config->node, run->config->key, t.utc, run->label.number);
	taken_read(&run->file, run->config->key, run->config->simulated, settings);
	buffer_append(&run->settings, settings.data, settings.len);
	if (started->sent.len > 0)
		buffer_append(&run->sent, started->sent.data, started->sent.len);
	if (digest_init(&run->digest) < 0 || run->settings.failed || run->sent.failed) {
		run_destroy(run);
		return NULL;
	}
	return run;
}

int run_begin(struct run **out, struct run_store *store, const struct run_subject *subject,
	struct run_request *request, const struct wire_started *started)
{
	struct stamp t = start_time(subject, started);
	struct run *run = run_create(store, subject, started, t);
	struct waiting *waiting = request->answer != NULL ? malloc(sizeof *waiting) : NULL;
	if (run == NULL || (waiting == NULL && request->answer != NULL)) {
		run_destroy(run);
		free(waiting);
		return -ENOMEM;
	}
	if (waiting != NULL)
		*waiting = (struct waiting){
			.run = run->label, .answer = request->answer, .arg = request->arg};
	run->request = *request;
	int r = write_start(run, subject, t, waiting);
	if (r < 0) {
		run->request = (struct run_request){0}; /* stays the caller's, with its answer */
		run_destroy(run);
		free(waiting);
		return r;
	}
	run->request.answer = NULL;
	*request = (struct run_request){0};
	*out = run;
	return 0;
}

/* --- frames ---------------------------------------------------------------------------------- */

#define LATE NS_PER_S /* from the receipt to here */

static void classify(const struct run *run, const struct wire_frame *frame, const struct stamp *now,
	uint64_t utc, bool is_corrected, struct quality *q)
{
	*q = (struct quality){.flag = (enum assay_quality_flag)frame->quality,
		.retries = frame->retries,
		.dropped = frame->dropped};
	for (size_t i = 0; i < 32 && quality_reason_at(i, NULL) != NULL; i++) {
		if ((frame->reasons >> i & 1) != 0)
			quality_lower(q, q->flag, quality_reason_at(i, NULL));
	}
	if (run->identity.mismatch)
		quality_lower(q, ASSAY_QUALITY_SUSPECT, "identity-mismatch");
	if (run->request.reported[0] != '\0')
		quality_lower(q, ASSAY_QUALITY_SUSPECT, "sample-mismatch");
	const char *serial = run->identity.serial;
	if (run->identity.declared || serial[0] == '\0' || strcmp(serial, "none") == 0)
		quality_lower(q, q->flag, "identity-unread");
	uint64_t until = calibration_of(run, run->step)->to;
	if (until != 0 && utc > until)
		quality_lower(q, ASSAY_QUALITY_SUSPECT, "cal-expired");
	if (frame->dropped > 0)
		quality_lower(q, q->flag, "driver-overrun");
	if (is_corrected || timekeeper_doubts(run->store->clock, run->mono))
		quality_lower(q, q->flag, "clock-stepped");
	if (now->sync != ASSAY_SYNC_NTP)
		quality_lower(q, q->flag, "clock-unsynced");
	if (now->mono > frame->mono && now->mono - frame->mono > LATE)
		quality_lower(q, q->flag, "late");
}

static int put_frame_head(
	struct run *run, const struct wire_frame *frame, struct schema_error *error)
{
	uint8_t id[ASSAY_UUID_SIZE];
	char dev[WIRE_TEXT_MAX + 1];
	memcpy(dev, frame->dev.len > 0 ? frame->dev.data : "", frame->dev.len);
	dev[frame->dev.len] = '\0';
	uuid_random(id);
	struct frame_head head = {
		.base = {.id = id, .t = stamp_now(), .inst = run_inst(&run->identity, run->config)},
		.run = run->label.id,
		.ctx = run->ctx,
		.n = run->frames,
		.sim = run->config->simulated,
	};
	const struct times now = {head.base.t.utc, head.base.t.mono};
	struct times times = {frame->utc, frame->mono};
	int r = times_check(&times, run->since, &now);
	if (r < 0) {
		snprintf(error->path, sizeof error->path, "t");
		snprintf(error->text, sizeof error->text,
			"it is later than now, or earlier than the run");
		return r;
	}
	classify(run, frame, &head.base.t, times.utc, r > 0, &head.q);
	head.base.t.utc = times.utc;
	head.base.t.mono = times.mono;
	head.base.t.dev = dev[0] != '\0' ? dev : NULL;
	run->q = head.q;
	buffer_reset(&run->head);
	record_frame(&run->head, &head, (struct assay_span){0}, frame->pairs);
	return run->head.failed ? -ENOMEM : 0;
}

/* A frame on its way to the journal; the run may have ended when it is committed. */
struct frame_under_way {
	struct runs *rows;
	uint8_t run[16];
	unsigned flag;
	void (*done)(void *arg, const struct commit_item *item);
	void *arg;
};

static void on_frame(void *arg, const struct commit_item *item)
{
	struct frame_under_way *frame = arg;
	runs_count_frame(frame->rows, frame->run, frame->flag);
	frame->done(frame->arg, item);
	free(frame);
}

int run_frame(struct run *run, const struct wire_frame *frame, size_t size,
	void (*done)(void *arg, const struct commit_item *item), void *arg,
	struct schema_error *error)
{
	int r = check_frame_part(
		frame->part.data, frame->part.len, frame->pairs, run->technique, error);
	if (r == 0)
		r = put_frame_head(run, frame, error);
	struct frame_under_way *under_way = r == 0 ? malloc(sizeof *under_way) : NULL;
	if (under_way == NULL)
		return r == 0 ? -ENOMEM : r;
	*under_way = (struct frame_under_way){
		.rows = run->store->rows, .flag = run->q.flag, .done = done, .arg = arg};
	memcpy(under_way->run, run->label.id, sizeof under_way->run);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = run->topic,
		.head = run->head.data,
		.head_len = run->head.len,
		.part = frame->part.data,
		.part_len = frame->part.len,
		.done = on_frame,
		.arg = under_way,
		.may_wait = true,
		.tag = size};
	r = ledger_put(run->store->ledger, &record, &receipt);
	if (r < 0) {
		free(under_way);
		return r;
	}
	digest_update(&run->digest, receipt.leaf, sizeof receipt.leaf);
	quality_count(&run->counts, &run->q);
	run->frames++;
	run->bytes += run->head.len + frame->part.len;
	return 0;
}

void run_compare_sample(struct run *run, struct assay_string reported)
{
	if (assay_string_is(reported, run->request.sample))
		return;
	text_escape(run->request.reported, sizeof run->request.reported, reported);
	log_warn("%s: the instrument reports sample '%s', the run has '%s': its frames are flagged",
		run->config->key, run->request.reported, or_none(run->request.sample));
}

/* --- run-end --------------------------------------------------------------------------------- */

void run_asked_to_end(struct run *run, bool abort, const struct audit_actor *actor)
{
	run->is_ending = true;
	run->is_aborted = run->is_aborted || abort;
	run->has_ender = actor != NULL;
	if (actor != NULL)
		run->ender = *actor;
}

void run_end_reason(struct run *run, const char *why)
{
	run->end_reason = why;
}

static int write_end(struct run *run, enum run_status status, const char *why)
{
	struct buffer body = {0};
	uint8_t id[ASSAY_UUID_SIZE], digest[ASSAY_SHA256_SIZE];
	uuid_random(id);
	digest_final(&run->digest, digest);
	struct run_end end = {
		.base = {.id = id, .t = stamp_now(), .inst = run_inst(&run->identity, run->config)},
		.run = run->label.id,
		.frames = run->frames,
		.status = status,
		.why = why != NULL && why[0] != '\0' ? why : run->end_reason,
		.digest = digest,
		.quality = &run->counts,
	};
	if (run->has_ender)
		end.actor = (struct actor){run->ender.id, run->ender.auth, run->ender.via};
	record_run_end(&body, &end);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = run->topic,
		.head = body.data,
		.head_len = body.len,
		.roll = run->bytes > LARGE_RUN_BYTES};
	int r = body.failed ? -ENOMEM : ledger_put(run->store->ledger, &record, &receipt);
	buffer_finish(&body);
	if (r < 0)
		return r;
	struct runs_row row;
	fill_row(run, &row);
	row.quality = quality_worst(&run->counts);
	row.last = receipt.seq;
	strncpy(row.status, words_name(&words_run_status, (int)status), sizeof row.status - 1);
	return runs_put(run->store->rows, &row);
}

uint64_t run_finish(struct run *run, enum run_status status, const char *why)
{
	uint64_t bytes = run->bytes;
	if (write_end(run, status, why) < 0)
		log_error("%s: cannot write the run-end of %s: out of memory", run->config->key,
			run->label.number);
	run_destroy(run);
	return bytes;
}

void run_forget(struct run *run)
{
	run_destroy(run);
}

int run_renew(struct run **at, const struct run_subject *subject)
{
	struct run *run = *at;
	struct run_store *store = run->store;
	struct run_request request = run->request;
	struct buffer settings = run->settings, sent = run->sent;
	uint64_t since = run->since;
	run->request = (struct run_request){0};
	run->settings = run->sent = (struct buffer){0};
	*at = NULL;
	run_finish(run, RUN_STATUS_COMPLETE, NULL);
	struct wire_started started = {.utc = clock_utc(),
		.mono = clock_boot(),
		.settings = {settings.data, settings.len},
		.sent = {sent.data, sent.len}};
	int r = run_begin(at, store, subject, &request, &started);
	if (r == 0)
		(*at)->since = since;
	run_request_finish(&request);
	buffer_finish(&settings);
	buffer_finish(&sent);
	return r;
}

bool run_lacks_steps(const struct run *run)
{
	return run->step + 1 < run->request.steps.count;
}

bool run_is_aborted(const struct run *run)
{
	return run->is_aborted;
}

bool run_next_step(struct run *run)
{
	if (!run_lacks_steps(run) || run->is_ending)
		return false;
	run->step++;
	return true;
}

const struct config_method *run_method(const struct run *run, size_t *step)
{
	*step = run->step;
	return run->request.method;
}

const struct run_request *run_request(const struct run *run)
{
	return &run->request;
}

const struct config_instrument *run_config(const struct run *run)
{
	return run->config;
}

const struct run_label *run_label(const struct run *run)
{
	return &run->label;
}

uint64_t run_first(const struct run *run)
{
	return run->first;
}

uint64_t run_started(const struct run *run)
{
	return run->started;
}
