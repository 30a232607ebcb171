/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#define LOG_TOPIC "run"
#include "base/log.h"
#include "core/commit/item.h"
#include "core/instrument/instrument.h"
#include "core/commit/ledger.h"
#include "core/instrument/request.h"
#include "core/runs/run.h"
#include "core/runs/rows.h"
#include "core/port/supervise.h"
#include "record/check.h"
#include "record/digest.h"
#include "record/encode.h"
#include "record/read.h"
#include "record/record.h"
#include "record/techniques.h"
#include "record/uuid.h"

/* A run that is larger than this closes its segment, so that it can be archived with it. */
#define LARGE_RUN_BYTES (8u << 20)
#define REFS_MAX        16

struct run {
	struct instrument *instrument;
	struct run_request request; /* its circumstances */
	uint8_t id[ASSAY_UUID_SIZE];
	uint8_t ctx[ASSAY_SHA256_SIZE];
	char number[RUN_NUMBER_MAX + 1];
	uint64_t started; /* UTC */
	uint64_t mono;    /* the same, CLOCK_BOOTTIME */
	uint64_t first;   /* seq of the run-start */
	uint64_t frames, bytes;
	size_t step;
	unsigned technique; /* bit, for the units allowed */
	struct digest digest;
	struct buffer head;           /* of the frame being made */
	struct buffer settings, sent; /* as it began, for a renewal */
	struct audit_actor ender;
	bool has_ender;
	const char *end_reason; /* NULL: none */

	void (*answer)(void *arg, int r, const char *text, const struct run *run);
	void *answer_arg;
};

void run_request_finish(struct run_request *request)
{
	buffer_finish(&request->refs);
	buffer_finish(&request->settings);
	*request = (struct run_request){0};
}

static void run_destroy(struct run *run)
{
	digest_finish(&run->digest);
	buffer_finish(&run->head);
	buffer_finish(&run->settings);
	buffer_finish(&run->sent);
	run_request_finish(&run->request);
	free(run);
}

/* --- references ------------------------------------------------------------------------------ */

static int read_ref(struct reader *r, struct run_ref *ref)
{
	size_t pairs;
	struct assay_string key, word;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "rel")) {
			int rel = read_text(r, &word) == 0 ? words_find(&words_ref_kind, word) : -1;
			if (rel < 0)
				return read_fail(r, r->at, "rel is not a kind of reference");
			ref->rel = (enum ref_kind)rel;
		} else if (assay_string_is(key, "run")) {
			read_fixed(r, ASSAY_UUID_SIZE, &ref->run);
		} else if (assay_string_is(key, "ctx")) {
			read_fixed(r, ASSAY_SHA256_SIZE, &ref->ctx);
		} else {
			return read_fail(r, r->at, "a reference has rel, run and ctx");
		}
	}
	if (ref->rel == 0 || ref->run == NULL)
		return read_fail(r, r->at, "a reference needs rel and run");
	return r->error;
}

static int read_refs(const struct buffer *refs, struct run_ref list[REFS_MAX], size_t *count)
{
	struct reader r;
	size_t items;
	*count = 0;
	if (refs->len == 0)
		return 0;
	read_init(&r, refs->data, refs->len);
	read_array(&r, &items);
	if (items == 0 || items > REFS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < items; i++) {
		list[i] = (struct run_ref){0};
		if (read_ref(&r, &list[i]) < 0)
			return -EBADMSG;
	}
	*count = items;
	return read_finish(&r);
}

int run_refs_check(const struct buffer *refs)
{
	struct run_ref list[REFS_MAX];
	size_t count;
	return read_refs(refs, list, &count);
}

/* --- run-start ------------------------------------------------------------------------------- */

static struct actor record_actor(const struct audit_actor *actor)
{
	return (struct actor){.id = actor->id, .auth = actor->auth, .via = actor->via};
}

static const char *or_none(const char *text)
{
	return text[0] != '\0' ? text : "none";
}

static struct method describe_method(const struct run *run)
{
	const struct config_method *method = run->request.method;
	if (method == NULL)
		return (struct method){0};
	return (struct method){
		.id = method->id, .version = method->version, .sha256 = method->sha256};
}

static void add_note(struct buffer *extra, const char *note, size_t *count)
{
	if (note[0] == '\0')
		return;
	encode_text(extra, "x-note");
	encode_text(extra, note);
	++*count;
}

/* Settings that are not as the configuration (and the method) says. */
static void add_set(struct buffer *extra, const struct run *run, size_t *count)
{
	struct buffer set = {0};
	if (request_differences(run->instrument, &run->request, &set) > 0) {
		encode_text(extra, "x-set");
		encode_raw(extra, set.data, set.len);
		++*count;
	}
	buffer_finish(&set);
}

/* What decode() works with, where the instrument made something else of it. */
static void add_sent(struct buffer *extra, const struct buffer *sent, size_t *count)
{
	if (sent->len == 0)
		return;
	encode_text(extra, "x-sent");
	encode_raw(extra, sent->data, sent->len);
	++*count;
}

static void put_run_start(
	const struct run *run, struct stamp t, struct assay_span settings, struct buffer *body)
{
	const struct instrument *instrument = run->instrument;
	const struct config_instrument *config = instrument->config;
	const struct technique *technique = technique_find(string_of(config->technique));
	static const enum run_mode modes[] = {[CONFIG_ON_DEMAND] = RUN_MODE_ON_DEMAND,
		[CONFIG_REPEAT] = RUN_MODE_REPEAT,
		[CONFIG_CONTINUOUS] = RUN_MODE_CONTINUOUS};
	struct run_ref refs[REFS_MAX];
	struct calibration cal = {.id = config->calibration.id,
		.from = config->calibration.from,
		.to = config->calibration.to};
	struct buffer extra = {0};
	size_t extra_count = 0;
	uint8_t id[ASSAY_UUID_SIZE];
	uuid_random(id);
	add_note(&extra, run->request.note, &extra_count);
	add_sent(&extra, &run->sent, &extra_count);
	add_set(&extra, run, &extra_count);
	const struct config_method *method = run->request.method;
	struct config_map setup = method != NULL && method->setup.len > 0 ? method->setup
									  : config->setup;
	struct run_start start = {
		.base = {.id = id, .t = t, .inst = instrument_inst(instrument)},
		.run = run->id,
		.number = run->number,
		.technique = {technique->id, technique->name},
		.sim = config->simulated,
		.mode = modes[run->request.mode],
		.driver = {config->driver->name, config->driver->version, config->driver->sha256},
		.core = {"assayd", ASSAY_VERSION, NULL},
		.config = instrument->core->config->sha256,
		.sync = instrument->core->sync,
		.sample = {.id = or_none(run->request.sample), .entered = run->request.entered},
		.operator= {.id = or_none(run->request.operator)},
		.method = describe_method(run),
		.refs = refs,
		.cal = &cal,
		.cal_count = cal.id != NULL ? 1 : 0,
		.settings = {settings.data, settings.len},
		.setup = {setup.data, setup.len},
		.extra = {{extra.data, extra.len}, extra_count},
	};
	if (read_refs(&run->request.refs, refs, &start.refs_count) < 0)
		start.refs_count = 0; /* checked when it was asked for */
	record_run_start(body, &start);
	buffer_finish(&extra);
}

/* The instrument may be gone by now: its run is looked for rather than remembered. */
static void on_started(void *arg, const struct commit_item *item)
{
	struct core *core = arg;
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		struct run *run = instrument->run;
		if (run == NULL || run->first != item->seq || run->answer == NULL)
			continue;
		run->answer(run->answer_arg, 0, NULL, run);
		run->answer = NULL;
		return;
	}
}

static void fill_row(const struct run *run, struct runs_row *row)
{
	const struct instrument *instrument = run->instrument;
	*row = (struct runs_row){.start = run->started,
		.first = run->first,
		.frames = run->frames,
		.sim = instrument->config->simulated};
	memcpy(row->id, run->id, sizeof row->id);
	memcpy(row->ctx, run->ctx, sizeof row->ctx);
	memcpy(row->number, run->number, sizeof row->number);
	strncpy(row->instrument, instrument->config->key, sizeof row->instrument - 1);
	memcpy(row->topic, instrument->data_topic->text, sizeof row->topic);
	memcpy(row->sample, run->request.sample, sizeof row->sample);
	memcpy(row->operator, run->request.operator, sizeof row->operator);
}

static int write_start(struct run *run, struct stamp t, struct assay_span settings)
{
	struct instrument *instrument = run->instrument;
	struct core *core = instrument->core;
	struct buffer body = {0};
	runs_next_number(
		core->runs, core->config->node, instrument->config->key, t.utc, run->number);
	put_run_start(run, t, settings, &body);
	struct schema_error error;
	int r = body.failed ? -ENOMEM : check_record(body.data, body.len, &error);
	if (r == -EBADMSG)
		log_error("%s: the run-start is not right: %s: %s", instrument->config->key,
			error.path, error.text);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = instrument->data_topic,
		.head = body.data,
		.head_len = body.len,
		.done = on_started,
		.arg = core};
	if (r == 0)
		r = ledger_put(core->ledger, &record, &receipt);
	buffer_finish(&body);
	if (r < 0)
		return r;
	run->first = receipt.seq;
	run->started = t.utc;
	run->mono = t.mono;
	memcpy(run->ctx, receipt.leaf, sizeof run->ctx);
	struct runs_row row;
	fill_row(run, &row);
	return runs_put(core->runs, &row);
}

static struct run *run_create(struct instrument *instrument)
{
	struct run *run = calloc(1, sizeof *run);
	if (run == NULL || digest_init(&run->digest) < 0) {
		free(run);
		return NULL;
	}
	const char *token = instrument->config->technique;
	run->instrument = instrument;
	run->technique = technique_find(string_of(token))->bit;
	uuid_random(run->id);
	return run;
}

int run_begin(struct instrument *instrument, struct run_request *request,
	const struct wire_started *started)
{
	struct run *run = run_create(instrument);
	if (run == NULL)
		return -ENOMEM;
	run->request = *request;
	*request = (struct run_request){0};
	run->answer = run->request.answer;
	run->answer_arg = run->request.arg;
	struct assay_span settings = started->settings;
	if (settings.len == 0)
		settings = (struct assay_span){instrument->settings.data, instrument->settings.len};
	buffer_append(&run->settings, settings.data, settings.len);
	if (started->sent.len > 0)
		buffer_append(&run->sent, started->sent.data, started->sent.len);
	struct stamp t = stamp_now();
	t.utc = started->utc;
	t.mono = started->mono;
	int r = run->settings.failed || run->sent.failed ? -ENOMEM : write_start(run, t, settings);
	if (r < 0) {
		*request = run->request; /* who asked still waits for an answer */
		run->request = (struct run_request){0};
		run_destroy(run);
		return r;
	}
	instrument->run = run;
	return 0;
}

/* --- frames ---------------------------------------------------------------------------------- */

static void judge(const struct run *run, const struct wire_frame *frame, struct quality *q)
{
	const struct instrument *instrument = run->instrument;
	*q = (struct quality){.flag = (enum assay_quality_flag)frame->quality,
		.retries = frame->retries,
		.dropped = frame->dropped};
	for (size_t i = 0; i < 32 && quality_reason_at(i, NULL) != NULL; i++) {
		if ((frame->reasons >> i & 1) != 0)
			quality_lower(q, q->flag, quality_reason_at(i, NULL));
	}
	if (instrument->identity.mismatch)
		quality_lower(q, ASSAY_QUALITY_SUSPECT, "identity-mismatch");
	uint64_t until = instrument->config->calibration.to;
	if (until != 0 && frame->utc > until)
		quality_lower(q, ASSAY_QUALITY_SUSPECT, "cal-expired");
	if (frame->dropped > 0)
		quality_lower(q, q->flag, "driver-overrun");
	if (timekeeper_doubts(&instrument->core->timekeeper, run->mono))
		quality_lower(q, q->flag, "clock-stepped");
}

static int put_frame_head(struct run *run, const struct wire_frame *frame)
{
	struct instrument *instrument = run->instrument;
	uint8_t id[ASSAY_UUID_SIZE];
	char dev[WIRE_TEXT_MAX + 1];
	memcpy(dev, frame->dev.len > 0 ? frame->dev.data : "", frame->dev.len);
	dev[frame->dev.len] = '\0';
	uuid_random(id);
	struct frame_head head = {
		.base = {.id = id, .t = stamp_now(), .inst = instrument_inst(instrument)},
		.run = run->id,
		.ctx = run->ctx,
		.n = run->frames,
		.sim = instrument->config->simulated,
	};
	head.base.t.utc = frame->utc;
	head.base.t.mono = frame->mono;
	head.base.t.dev = dev[0] != '\0' ? dev : NULL;
	judge(run, frame, &head.q);
	buffer_reset(&run->head);
	record_frame(&run->head, &head, (struct assay_span){0}, frame->pairs);
	return run->head.failed ? -ENOMEM : 0;
}

int run_frame(
	struct run *run, const struct wire_frame *frame, size_t size, struct schema_error *error)
{
	struct instrument *instrument = run->instrument;
	int r = check_frame_part(
		frame->part.data, frame->part.len, frame->pairs, run->technique, error);
	if (r == 0)
		r = put_frame_head(run, frame);
	if (r < 0)
		return r;
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = instrument->data_topic,
		.head = run->head.data,
		.head_len = run->head.len,
		.part = frame->part.data,
		.part_len = frame->part.len,
		.done = supervise_release,
		.arg = instrument->supervisor,
		.may_wait = true,
		.tag = size};
	r = ledger_put(instrument->core->ledger, &record, &receipt);
	if (r < 0)
		return r;
	supervise_hold(instrument->supervisor);
	digest_update(&run->digest, receipt.leaf, sizeof receipt.leaf);
	run->frames++;
	run->bytes += run->head.len + frame->part.len;
	return 0;
}

/* --- run-end --------------------------------------------------------------------------------- */

void run_asked_to_end(struct run *run, const struct audit_actor *actor)
{
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
	struct instrument *instrument = run->instrument;
	struct buffer body = {0};
	uint8_t id[ASSAY_UUID_SIZE], digest[ASSAY_SHA256_SIZE];
	uuid_random(id);
	digest_final(&run->digest, digest);
	struct run_end end = {
		.base = {.id = id, .t = stamp_now(), .inst = instrument_inst(instrument)},
		.run = run->id,
		.frames = run->frames,
		.status = status,
		.why = why != NULL && why[0] != '\0' ? why : run->end_reason,
		.digest = digest,
	};
	if (run->has_ender)
		end.actor = record_actor(&run->ender);
	record_run_end(&body, &end);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = instrument->data_topic,
		.head = body.data,
		.head_len = body.len,
		.roll = run->bytes > LARGE_RUN_BYTES};
	int r = body.failed ? -ENOMEM : ledger_put(instrument->core->ledger, &record, &receipt);
	buffer_finish(&body);
	if (r < 0)
		return r;
	struct runs_row row;
	fill_row(run, &row);
	row.last = receipt.seq;
	strncpy(row.status, words_name(&words_run_status, (int)status), sizeof row.status - 1);
	return runs_put(instrument->core->runs, &row);
}

void run_finish(struct run *run, enum run_status status, const char *why)
{
	struct instrument *instrument = run->instrument;
	if (run->bytes > instrument->largest_run)
		instrument->largest_run = run->bytes;
	if (write_end(run, status, why) < 0)
		log_error("%s: the run-end of %s could not be written: no memory",
			instrument->config->key, run->number);
	if (run->answer != NULL)
		run->answer(run->answer_arg, 0, NULL, run); /* it did begin */
	instrument->run = NULL;
	run_destroy(run);
}

void run_forget(struct run *run)
{
	run->instrument->run = NULL;
	run_destroy(run);
}

int run_renew(struct run *run)
{
	struct instrument *instrument = run->instrument;
	struct run_request request = run->request;
	struct buffer settings = run->settings, sent = run->sent;
	run->request = (struct run_request){0};
	run->settings = run->sent = (struct buffer){0};
	run_finish(run, RUN_STATUS_COMPLETE, NULL);
	struct wire_started started = {.utc = clock_utc(),
		.mono = clock_boot(),
		.settings = {settings.data, settings.len},
		.sent = {sent.data, sent.len}};
	request.answer = NULL;
	int r = run_begin(instrument, &request, &started);
	run_request_finish(&request);
	buffer_finish(&settings);
	buffer_finish(&sent);
	return r;
}

const struct config_step *run_next_step(struct run *run)
{
	const struct config_method *method = run->request.method;
	if (method == NULL || run->step + 1 >= method->step_count || run->has_ender ||
		run->end_reason != NULL)
		return NULL;
	return &method->steps[++run->step];
}

const struct config_method *run_method(const struct run *run, size_t *step)
{
	*step = run->step;
	return run->request.method;
}

const struct run_request *run_circumstances(const struct run *run)
{
	return &run->request;
}

const char *run_number(const struct run *run)
{
	return run->number;
}

const uint8_t *run_id(const struct run *run)
{
	return run->id;
}

uint64_t run_first(const struct run *run)
{
	return run->first;
}

uint64_t run_frames(const struct run *run)
{
	return run->frames;
}

uint64_t run_started(const struct run *run)
{
	return run->started;
}

enum config_mode run_mode(const struct run *run)
{
	return run->request.mode;
}

const char *run_sample(const struct run *run)
{
	return run->request.sample;
}

const char *run_operator(const struct run *run)
{
	return run->request.operator;
}
