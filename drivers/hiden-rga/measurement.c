/* SPDX-License-Identifier: Apache-2.0 */
#include "measurement.h"

#include <errno.h>

#include "hazard.h"
#include "scan.h"
#include "session.h"
#include "status.h"

int hiden_start(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	st->done = 0;
	int r = hiden_command(ins, "pset terse 1");
	if (r == 0)
		r = hiden_scan_abort(ins);
	if (r == 0)
		r = hiden_hazard_on(ins);
	if (r == 0)
		r = hiden_scan_write(ins);
	if (r == 0)
		r = hiden_fence(ins);
	if (r == 0 && !assay_has(ins->settings, "emission_current") && st->row_mode == 0)
		assay_log(ins, ASSAY_LOG_WARN,
			"the unit is in mode 0, in which the filament is "
			"off, and emission_current does not switch it on");
	return r;
}

/* Reads the data as decode will, so that a frame it cannot read is not accepted. */
static int check_data(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	struct hiden_grid grid;
	char why[HIDEN_WHY_MAX];
	hiden_grid_read(ins->settings, &grid);
	int r = hiden_stream_read(ins->host, &grid, st->text, st->len, NULL, NULL, why);
	if (r < 0)
		assay_explain(ins, "the scan's data cannot be read: %s", why);
	return r;
}

/* ASSAY_CUT if a protection ended the measurement, which only this frame shows. */
static int conclude(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	struct hiden_progress progress;
	char why[HIDEN_STATUS_MAX];
	int64_t scans = assay_int(ins->settings, "scans");
	hiden_stream_look(st->text, st->len, &progress);
	if (hiden_status_read(ins->host, ins->settings, st->status, st->status_len, progress.trip,
		    why) == ASSAY_BAD) {
		assay_explain(ins, "%s", why);
		return ASSAY_CUT;
	}
	st->done++;
	bool is_last = (scans > 0 && st->done >= (uint64_t)scans) || assay_stopping(ins);
	return is_last ? ASSAY_LAST : ASSAY_FRAME;
}

int hiden_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct hiden *st = ins->state;
	if (assay_stopping(ins))
		return ASSAY_DONE;
	int r = hiden_scan_run(ins);
	if (r == 0)
		r = hiden_status_fetch(ins);
	if (r == 0)
		r = hiden_fence(ins);
	if (r == 0)
		r = check_data(ins);
	if (r == 0)
		r = assay_raw_add(raw, HIDEN_MEDIA_STATUS, "status", st->status, st->status_len);
	if (r == 0)
		r = assay_raw_add(raw, HIDEN_MEDIA_DATA, "data", st->text, st->len);
	return r < 0 ? r : conclude(ins);
}

int hiden_stop(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	int r = st->is_busy ? hiden_scan_abort(ins) : 0;
	int off = st->is_lit && !hiden_is_final(r) ? hiden_hazard_off(ins) : r;
	return off < 0 ? off : r;
}
