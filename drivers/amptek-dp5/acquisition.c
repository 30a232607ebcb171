/* SPDX-License-Identifier: Apache-2.0 */
#include "acquisition.h"
#include "configuration.h"
#include "spectrum.h"
#include "state.h"

#include <errno.h>
#include <string.h>

#define PRESET_MARGIN_S 0.15 /* PRET has steps of 0.1 s */
#define STARTS          3
#define ENABLING_MS     100 /* an instrument may acknowledge the start before it counts */

static uint64_t milliseconds(const struct assay_instrument *ins, const char *setting)
{
	return (uint64_t)(assay_number(ins->settings, setting) * 1000);
}

static int send(struct assay_instrument *ins, enum packet_request request)
{
	struct state *st = ins->state;
	return exchange_command(ins, &st->x, request, NULL, 0);
}

/* --- start, stop --- */

/* A detector that is not ready makes the frames suspect; with require_ready it is an error. */
static int check_ready(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	const struct status *s = &st->status;
	char text[256];
	if (status_has_cooler(s))
		assay_progress(ins, "detector_temperature", s->detector_kelvin, "K");
	if (status_has_high_voltage(s))
		assay_progress(ins, "high_voltage", s->high_voltage, "V");
	bool unready = spectrum_warning(
		ins->host, ins->settings, s, st->readback, text, sizeof(text));
	if (unready && assay_flag(ins->settings, "require_ready")) {
		assay_explain(ins, "not ready: %s", text);
		return -EPROTO;
	}
	if (unready && !st->is_unready)
		assay_log(ins, ASSAY_LOG_WARN, "counting although %s", text);
	st->is_unready = unready;
	return 0;
}

/*
 * A second ENABLE after the preset was reached resumes counting without a clear (guide), and then
 * no preset ends it.  So if the reply to ENABLE was lost, the whole sequence is repeated.
 */
static int start_counting(struct assay_instrument *ins)
{
	static const enum packet_request sequence[] = {
		REQUEST_DISABLE, REQUEST_CLEAR, REQUEST_ENABLE};
	const struct state *st = ins->state;
	for (int attempt = 0; attempt < STARTS; attempt++) {
		int r = 0;
		for (size_t i = 0; r == 0 && i < sizeof(sequence) / sizeof(*sequence); i++)
			r = send(ins, sequence[i]);
		if (r < 0 || st->x.attempts == 1)
			return r;
	}
	assay_explain(ins, "the reply to the request to start counting was lost %d times", STARTS);
	return -ETIMEDOUT;
}

int acquisition_start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	int r = configuration_keep(ins);
	if (r == 0)
		r = check_ready(ins);
	if (r == 0)
		r = start_counting(ins);
	uint64_t now = assay_now_ms(ins);
	st->growing_due = now + milliseconds(ins, "progress_every");
	st->slice_due = now + milliseconds(ins, "slice");
	st->tick = now;
	st->status.accumulation_ms = st->status.real_ms = 0;
	return r;
}

int acquisition_stop(struct assay_instrument *ins)
{
	return send(ins, REQUEST_DISABLE);
}

/* --- while it counts --- */

static bool is_older(const struct status *a, const struct status *b)
{
	return a->accumulation_ms < b->accumulation_ms || a->real_ms < b->real_ms;
}

static int check_clocks(struct assay_instrument *ins, const struct status *before)
{
	struct state *st = ins->state;
	uint64_t now = assay_now_ms(ins);
	bool has_moved = st->status.accumulation_ms != before->accumulation_ms ||
			 st->status.real_ms != before->real_ms;
	if (has_moved || !st->status.enabled)
		st->tick = now;
	if (now - st->tick < milliseconds(ins, "stall_time"))
		return 0;
	assay_explain(ins,
		"counting is enabled, but the instrument's clocks have stood still for %.0f s "
		"(is its gate input closed?)",
		(double)(now - st->tick) / 1000);
	return -EPROTO;
}

/* Polls the status and reports the progress of the measurement. */
static int watch(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	struct status before = st->status;
	int r = state_poll(ins, st);
	if (r < 0)
		return r;
	if (st->status.rebooted) {
		assay_explain(ins, "the instrument restarted during the measurement");
		return -EPROTO;
	}
	assay_progress(ins, "accumulation_time", st->status.accumulation_ms / 1000.0, "s");
	assay_progress(ins, "real_time", st->status.real_ms / 1000.0, "s");
	assay_progress(ins, "slow_count", st->status.slow_count, "{count}");
	return check_clocks(ins, &before);
}

static int wait_until(struct assay_instrument *ins, uint64_t due)
{
	uint64_t now = assay_now_ms(ins), ms = milliseconds(ins, "poll");
	if (due <= now)
		return 0;
	return assay_pause(ins, (int)(due - now < ms ? due - now : ms));
}

static bool preset_reached(const struct state *st)
{
	const struct status *s = &st->status;
	const struct presets *p = &st->presets;
	double accumulated = s->accumulation_ms / 1000.0;
	return (p->accumulation > 0 && accumulated >= p->accumulation - PRESET_MARGIN_S) ||
	       (p->real > 0 && s->real_time_reached) || (p->live > 0 && s->live_time_reached) ||
	       (p->counts > 0 && s->counts_reached);
}

/*
 * Fetches spectrum and status in one packet.  If its clocks are behind the last status, it is the
 * reply to an earlier request: the link is cleared and the request repeated.
 */
static int fetch(struct assay_instrument *ins, enum packet_request request, struct packet *reply)
{
	struct state *st = ins->state;
	for (int attempt = 0; attempt < 2; attempt++) {
		struct status s;
		int r = exchange(ins, &st->x, request, NULL, 0, REPLY_SPECTRUM, reply);
		if (r < 0)
			return r;
		status_parse(reply->data + reply->len - STATUS_BYTES, &s);
		r = state_check_unit(ins, st, &s);
		if (r < 0)
			return r;
		bool cleared = request == REQUEST_SPECTRUM_AND_CLEAR && st->x.attempts > 1;
		if (cleared || !is_older(&s, &st->status)) {
			st->status = s;
			st->x.attempts += (unsigned)attempt;
			return 0;
		}
		assay_retried(ins);
		r = exchange_clear(ins, &st->x);
		if (r < 0)
			return r;
	}
	assay_explain(ins, "the instrument replies with a spectrum older than its status");
	return -EBADMSG;
}

/* Adds the packet in x->rx as received, and the configuration of the measurement. */
static int keep(struct assay_instrument *ins, struct assay_raw *raw, const char *name)
{
	const struct state *st = ins->state;
	int r = assay_raw_add(raw, SPECTRUM_MEDIA, name, st->x.rx, st->x.rx_len);
	if (r < 0 || st->readback[0] == '\0')
		return r;
	return assay_raw_add(raw, READBACK_MEDIA, "configuration as read back", st->readback,
		strlen(st->readback));
}

static int end_early(struct assay_instrument *ins, const char *how)
{
	assay_log(ins, ASSAY_LOG_WARN, "%s", how);
	assay_explain(ins, "%s", how);
	return ASSAY_CUT;
}

/* Adds the last packet of a measurement that grew. */
static int keep_last(struct assay_instrument *ins, struct assay_raw *raw)
{
	bool is_whole = preset_reached(ins->state);
	int r = keep(ins, raw, is_whole ? SPECTRUM_WHOLE : SPECTRUM_ENDED_EARLY);
	if (r < 0 || is_whole)
		return r < 0 ? r : ASSAY_LAST;
	return end_early(ins, "counting ended before a preset was reached");
}

/* Stops counting at a request to stop; the frame holds the counts so far. */
static int finish_now(struct assay_instrument *ins, struct assay_raw *raw, const char *name)
{
	struct packet reply;
	int r = send(ins, REQUEST_DISABLE);
	if (r == 0)
		r = fetch(ins, REQUEST_SPECTRUM, &reply);
	if (r == 0)
		r = keep(ins, raw, name);
	return r < 0 ? r : ASSAY_LAST;
}

/* Looks once more before it believes that counting ended without a reason. */
static int watch_end(struct assay_instrument *ins)
{
	const struct state *st = ins->state;
	int r = watch(ins);
	if (r < 0 || st->status.enabled || preset_reached(st))
		return r;
	r = assay_pause(ins, ENABLING_MS);
	return r < 0 ? r : watch(ins);
}

/* --- one spectrum, that may be shown while it grows --- */

static int acquire_growing(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	struct packet reply;
	int r = fetch(ins, REQUEST_SPECTRUM, &reply);
	if (r < 0)
		return r;
	if (!st->status.enabled)
		return keep_last(ins, raw);
	r = keep(ins, raw, SPECTRUM_GROWING);
	st->growing_due += milliseconds(ins, "progress_every");
	if (st->growing_due < assay_now_ms(ins))
		st->growing_due = assay_now_ms(ins) + milliseconds(ins, "progress_every");
	return r < 0 ? r : ASSAY_FRAME;
}

static int acquire_last(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct packet reply;
	int r = fetch(ins, REQUEST_SPECTRUM, &reply);
	return r < 0 ? r : keep_last(ins, raw);
}

static int acquire_whole(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	bool grows = assay_has(ins->settings, "progress_every");
	for (;;) {
		if (assay_stopping(ins))
			return finish_now(ins, raw, SPECTRUM_WHOLE);
		int r = watch_end(ins);
		if (r < 0)
			return r;
		if (!st->status.enabled)
			return acquire_last(ins, raw);
		if (grows && assay_now_ms(ins) >= st->growing_due)
			return acquire_growing(ins, raw);
		r = wait_until(ins, grows ? st->growing_due : UINT64_MAX);
		if (r < 0)
			return r;
	}
}

/* --- slices: separate spectra without a gap between them --- */

static int take_slice(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	struct packet reply;
	uint64_t length = milliseconds(ins, "slice"), now = assay_now_ms(ins);
	int r = fetch(ins, REQUEST_SPECTRUM_AND_CLEAR, &reply);
	if (r < 0)
		return r;
	st->slice_due += length;
	if (st->slice_due <= now)
		st->slice_due = now + length;
	bool lost = st->x.attempts > 1, may_have_ended = !st->status.enabled;
	if (lost)
		assay_log(ins, ASSAY_LOG_WARN,
			"the reply to a read-and-clear was lost, and possibly "
			"the counts in it");
	r = keep(ins, raw, lost ? SPECTRUM_SLICE_AFTER_LOSS : SPECTRUM_SLICE);
	st->status.accumulation_ms = st->status.real_ms = 0;
	st->tick = now;
	if (r == 0 && may_have_ended)
		r = watch_end(ins);
	if (r < 0)
		return r;
	if (may_have_ended && !st->status.enabled)
		return end_early(ins, "counting ended between two slices");
	return ASSAY_FRAME;
}

static int acquire_slice(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	for (;;) {
		if (assay_stopping(ins))
			return finish_now(ins, raw, SPECTRUM_SLICE);
		if (assay_now_ms(ins) >= st->slice_due)
			return take_slice(ins, raw);
		int r = watch(ins);
		if (r == 0)
			r = wait_until(ins, st->slice_due);
		if (r < 0)
			return r;
	}
}

int acquisition_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	if (assay_has(ins->settings, "slice"))
		return acquire_slice(ins, raw);
	return acquire_whole(ins, raw);
}
