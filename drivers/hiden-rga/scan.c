/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "session.h"
#include "status.h"

#define POINTS_PER_REPLY 100
#define ABORT_MS         10000
#define ABORT_POLL_MS    100

/* --- the table -------------------------------------------------------------------------------- */

static const struct {
	const char *setting, *command;
} ranges[] = {{"range_low", "low"}, {"range_high", "high"}, {"range_start", "current"}};

/* Milliseconds if the setting is there, the unit's own time otherwise. */
static int set_time(struct assay_instrument *ins, const char *setting, const char *command)
{
	if (!assay_has(ins->settings, setting))
		return hiden_command(ins, "sset %s 100%%", command);
	return hiden_command(
		ins, "sset %s %ld", command, lround(assay_number(ins->settings, setting) * 1000));
}

/* Masses and step in 0.01 u: a decimal point in every locale. */
static int write_row(struct assay_instrument *ins, int row, int first, int last, int step)
{
	const struct hiden *st = ins->state;
	const struct assay_settings *s = ins->settings;
	bool is_series = strcmp(assay_text(s, "mode"), "series") == 0;
	int r = hiden_command(ins,
		"sset row %d;sset output mass;sset start %d.%02d;sset stop %d.%02d;"
		"sset step %d.%02d;sset input %s",
		row, first / 100, first % 100, last / 100, last % 100, step / 100, step % 100,
		assay_text(s, "input"));
	for (size_t i = 0; r == 0 && i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (assay_has(s, ranges[i].setting))
			r = hiden_command(ins, "sset %s %d", ranges[i].command,
				(int)assay_int(s, ranges[i].setting));
	if (r == 0)
		r = set_time(ins, "dwell_time", "dwell");
	if (r == 0)
		r = set_time(ins, "settle_time", "settle");
	if (r == 0)
		r = hiden_command(
			ins, "sset mode %d;sset report %d", st->row_mode, is_series ? 17 : 5);
	return r;
}

int hiden_scan_write(struct assay_instrument *ins)
{
	const struct assay_settings *s = ins->settings;
	struct hiden_grid grid;
	hiden_grid_read(s, &grid);
	int last = (int)lround(assay_number(s, "mass_last") * 100);
	int r = hiden_command(ins, "sdel all;sset scan Ascans");
	if (r == 0 && !grid.is_series)
		r = write_row(ins, 1, grid.first, last, grid.step);
	for (size_t i = 0; r == 0 && grid.is_series && i < grid.points; i++) {
		int mass = (int)lround(assay_number_at(s, "sim_ions", i) * 100);
		r = write_row(ins, (int)i + 1, mass, mass, 100);
	}
	if (r == 0)
		r = hiden_command(ins, "sset cycles 1;pset points %d", POINTS_PER_REPLY);
	return r;
}

/* --- the job ---------------------------------------------------------------------------------- */

/* 1 while a job runs, 0, or an error.  Without a scan there is no state. */
static int is_running(struct assay_instrument *ins)
{
	const struct hiden *st = ins->state;
	int r = hiden_attempt(ins, "sget state");
	return r < 0 ? r : r == 0 && strstr(st->line, "Run:") != NULL;
}

int hiden_scan_abort(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	uint64_t end = assay_now_ms(ins) + ABORT_MS;
	int r = hiden_attempt(ins, "data stop");
	if (r >= 0)
		r = hiden_attempt(ins, "data off");
	if (r >= 0)
		r = hiden_attempt(ins, "sset state Abort:");
	while (r >= 0 && (r = is_running(ins)) > 0) {
		if (assay_now_ms(ins) >= end) {
			assay_explain(
				ins, "the unit's scan does not end after 'sset state Abort:'");
			return -EPROTO;
		}
		r = hiden_wait(ins, ABORT_POLL_MS);
	}
	st->is_busy = r < 0;
	return r;
}

static int start_job(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	st->is_busy = true;
	int r = hiden_command(ins, "data on;lini Ascans");
	/* Not twice: the first one may have been received. */
	if (r == 0)
		r = hiden_exchange(ins, "sjob lget Ascans");
	if (r == 0 && strchr(st->line, '*') != NULL) {
		assay_explain(ins, "the unit refused to start the scan: %.60s", st->line);
		r = -EPROTO;
	}
	return r;
}

/* Appends a reply and its end to the text. */
static int append(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	size_t n = strlen(st->line);
	if (n == 0)
		return 0;
	if (st->len + n + 1 > sizeof(st->text)) {
		assay_explain(ins, "the scan has more than %zu characters", sizeof(st->text));
		return -EBADMSG;
	}
	memcpy(st->text + st->len, st->line, n);
	st->text[st->len + n] = '\n';
	st->len += n + 1;
	return 1;
}

/* The data ended before the cycle did. */
static int explain_end(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	struct hiden_progress progress;
	char why[HIDEN_STATUS_MAX];
	hiden_stream_look(st->text, st->len, &progress);
	int r = progress.trip == 0 ? hiden_status_fetch(ins) : 0;
	if (r < 0)
		return r;
	bool has_tripped = hiden_status_read(ins->host, ins->settings, st->status, st->status_len,
				   progress.trip, why) == ASSAY_BAD;
	assay_explain(ins, "the data ended after %zu values%s%s", progress.values,
		has_tripped ? ": " : "", has_tripped ? why : "");
	return has_tripped ? -EPROTO : -EBADMSG;
}

/*
 * Requests data until there are no more.  Sources disagree on the mark of the end and on its meaning,
 * so the job's state decides: it has ended, and data that were requested after that are none.
 */
static int fetch(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	struct hiden_progress progress;
	int silence = (int)(assay_number(ins->settings, "point_timeout") * 1000);
	int pause = (int)(assay_number(ins->settings, "poll_interval") * 1000);
	uint64_t end = assay_now_ms(ins) + (uint64_t)silence;
	bool has_ended = false;
	for (const char *command = "data all";; command = "data") {
		int r = hiden_exchange(ins, command);
		if (r == 0)
			r = append(ins);
		if (r < 0)
			return r;
		bool has_more = r > 0;
		hiden_stream_look(st->text, st->len, &progress);
		assay_progress(ins, "points", (double)progress.values, "1");
		if (progress.error != 0) {
			assay_explain(
				ins, "the unit refused '%s': *C%03d", command, progress.error);
			return -EPROTO;
		}
		if (progress.trip != 0 && progress.cycles == 0)
			return explain_end(ins);
		if (has_more && !progress.is_over) {
			end = assay_now_ms(ins) + (uint64_t)silence;
			continue;
		}
		r = is_running(ins);
		if (r == 0 && (progress.is_over || has_ended))
			return progress.cycles > 0 ? 0 : explain_end(ins);
		has_ended = r == 0;
		if (r > 0)
			r = hiden_wait(ins, pause);
		if (r == 0 && assay_now_ms(ins) >= end) {
			assay_explain(
				ins, "no value within %d s: see point_timeout", silence / 1000);
			r = -ETIMEDOUT;
		}
		if (r < 0)
			return r;
	}
}

int hiden_scan_run(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	st->len = 0;
	int r = st->is_busy ? hiden_scan_abort(ins) : 0;
	if (r == 0)
		r = start_job(ins);
	if (r == 0)
		r = fetch(ins);
	if (r == 0)
		r = hiden_attempt(ins, "data stop");
	if (r >= 0)
		r = hiden_attempt(ins, "data off");
	if (r < 0)
		return r;
	st->is_busy = false;
	return 0;
}
