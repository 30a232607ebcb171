/* SPDX-License-Identifier: Apache-2.0 */
#include "measurement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acquire.h"
#include "hazard.h"
#include "session.h"

/* --- start ------------------------------------------------------------------------------------ */

static int store_replies(struct assay_instrument *ins, const char *const *queries)
{
	struct rga *rga = ins->state;
	char line[RGA_LINE_MAX];
	int r = 0;
	for (; r == 0 && *queries != NULL; queries++) {
		r = rga_query(ins, *queries, line);
		if (r == 0)
			rga_replies_add(&rga->replies, *queries, line);
	}
	return r;
}

static int store_settings(struct assay_instrument *ins)
{
	static const char *const common[] = {"NF?", "EE?", "IE?", "VF?", "FL?", NULL};
	static const char *const analog[] = {"MI?", "MF?", "SA?", "AP?", NULL};
	static const char *const histogram[] = {"MI?", "MF?", "HP?", NULL};
	static const char *const none[] = {NULL};
	static const char *const factors[] = {"SP?", "ST?", NULL};
	static const char *const multiplier[] = {"HV?", "MG?", "MV?", NULL};
	struct rga *rga = ins->state;
	bool converts = strcmp(assay_text(ins->settings, "convert"), "none") != 0;
	const char *const *range = rga->mode == RGA_ANALOG      ? analog
				   : rga->mode == RGA_HISTOGRAM ? histogram
								: none;
	int r = store_replies(ins, common);
	if (r == 0)
		r = store_replies(ins, range);
	if (r == 0 && rga->has_multiplier)
		r = store_replies(ins, multiplier);
	if (r == 0 && converts)
		r = store_replies(ins, factors);
	if (r < 0 || rga->mode != RGA_SERIES)
		return r;

	char list[RGA_MASS_MAX * 4 + 1] = "";
	size_t used = 0;
	for (size_t i = 0; i < assay_count(ins->settings, "sim_ions"); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%d", i > 0 ? " " : "",
			(int)assay_int_at(ins->settings, "sim_ions", i));
	rga_replies_add(&rga->replies, "MR", list);
	return 0;
}

/* HVn clears the flag and HV0 sets it, so it is sent after them; there is no query of it. */
static int set_total_pressure(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	struct rga_status status;
	const char *command = assay_flag(ins->settings, "total_pressure") ? "TP1" : "TP0";
	int r = rga_send(ins, command);
	if (r == 0)
		r = rga_read_status(ins, &status);
	if (r == 0 && status.detail[RGA_COMMUNICATION] != 0) {
		assay_explain(ins, "the head refused %s", command);
		r = -EPROTO;
	}
	rga_replies_add(&rga->replies, command, NULL);
	return r;
}

/* Reads the stored replies as decode will, so that a scan it cannot read is not started. */
static int check_replies(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	struct rga_scan scan;
	struct rga_sensitivity sensitivity;
	bool converts = strcmp(assay_text(ins->settings, "convert"), "none") != 0;
	rga->replies_fixed = rga->replies.len;
	if (rga->replies.full ||
		rga_scan_read(ins->host, rga->replies.text, rga->replies.len, &scan) < 0) {
		assay_explain(
			ins, "the head's replies about masses and points contradict each other");
		return -EPROTO;
	}
	if (converts && rga_sensitivity_read(ins->host, rga->replies.text, rga->replies.len,
				scan.multiplier_v, &sensitivity) < 0) {
		assay_explain(ins, "convert: no usable sensitivity or gain is stored in the head");
		return -EPROTO;
	}
	char why[128];
	if (converts && !rga_sensitivity_holds(ins->host, rga->replies.text, rga->replies.len,
				ins->settings, scan.multiplier_v, why, sizeof(why)))
		assay_log(ins, ASSAY_LOG_WARN, "convert: pressures are left out: %s", why);
	rga->points = scan.points;
	return 0;
}

int rga_start(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	rga->done = 0;
	rga->busy = rga->series_open = rga->tripped = false;
	rga_replies_cut(&rga->replies, 0);
	int r = rga_clear_errors(ins);
	if (r == 0)
		r = rga_hazards_on(ins);
	if (r == 0)
		r = set_total_pressure(ins);
	if (r == 0)
		r = store_settings(ins);
	if (r == 0)
		r = check_replies(ins);
	if (r < 0)
		return r;
	double emission;
	size_t len = 0;
	const char *reply = rga_replies_find(rga->replies.text, rga->replies.len, "FL?", &len);
	if (reply != NULL && assay_parse_number(ins->host, reply, len, &emission) == 0 &&
		emission <= 0)
		assay_log(ins, ASSAY_LOG_WARN,
			"the filament is off, and emission_current does not switch it on");
	return 0;
}

/* --- acquire ---------------------------------------------------------------------------------- */

static void store_status(struct rga *rga, const struct rga_status *status)
{
	char number[4];
	rga_replies_cut(&rga->replies, rga->replies_fixed);
	snprintf(number, sizeof(number), "%u", status->status);
	rga_replies_add(&rga->replies, "ER?", number);
	for (unsigned i = 0; i < RGA_DETAILS; i++) {
		if (!(status->status & 1u << rga_details[i].status_bit))
			continue;
		snprintf(number, sizeof(number), "%u", status->detail[i]);
		rga_replies_add(&rga->replies, rga_details[i].query, number);
	}
}

/* At over-pressure the head switches the filament off; only ER? reports it. */
static int poll_status(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	struct rga_status status;
	char why[256];
	int r = rga_read_status(ins, &status);
	if (r < 0)
		return r;
	store_status(rga, &status);
	if (rga_status_filament_lost(&status) && !rga->tripped) {
		rga_status_text(&status, why, sizeof(why));
		assay_log(ins, ASSAY_LOG_WARN, "the head switched the filament off; %s", why);
		rga->tripped = true;
	}
	return 0;
}

int rga_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct rga *rga = ins->state;
	int64_t scans = assay_int(ins->settings, "scans");
	if (rga->tripped && rga->filament_on) {
		assay_explain(
			ins, "the head switched the filament off: see the last frame's status");
		return -EPROTO;
	}
	if (assay_stopping(ins))
		return ASSAY_DONE;
	int r = rga->mode == RGA_SERIES ? rga_fetch_series(ins) : rga_fetch_scan(ins);
	if (r == 0)
		r = poll_status(ins);
	if (r == 0)
		r = assay_raw_add(
			raw, RGA_MEDIA_REPLIES, "replies", rga->replies.text, rga->replies.len);
	if (r == 0)
		r = assay_raw_add(raw, RGA_MEDIA_SCAN, "scan", rga->bytes, rga->have);
	if (r < 0)
		return r;
	rga->done++;
	bool last = (scans > 0 && rga->done >= (uint64_t)scans) || assay_stopping(ins);
	return last ? ASSAY_LAST : ASSAY_FRAME;
}

/* --- stop ------------------------------------------------------------------------------------- */

/* MR0 closes a series: it switches the quadrupole's RF and DC off. */
static int end_scan(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	char line[RGA_LINE_MAX];
	int r = rga->busy ? rga_resync(ins, line) : 0;
	if (r == 0)
		rga->busy = false;
	if (r == 0 && rga->series_open)
		r = rga_send(ins, "MR0");
	if (r == 0)
		rga->series_open = false;
	return r;
}

int rga_stop(struct assay_instrument *ins)
{
	int r = end_scan(ins);
	int off = rga_hazards_off(ins);
	return off < 0 ? off : r;
}
