/* SPDX-License-Identifier: Apache-2.0 */
#include "hazard.h"

#include <errno.h>
#include <stdio.h>

#include "acquire.h"
#include "session.h"

#define FILAMENT_MS   30000 /* the head raises the emission in steps */
#define MULTIPLIER_MS 15000
#define OFF_MA        0.02 /* the smallest emission that can be set */
#define OFF_V         10.0

static int switch_off(
	struct assay_instrument *ins, const char *command, const char *query, double least, int ms)
{
	uint8_t status;
	double left;
	int r = rga_command(ins, command, ms, &status);
	if (r == 0)
		r = rga_query_number(ins, query, &left);
	if (r < 0)
		return r;
	if (left >= least) {
		assay_explain(ins, "%s was sent, but the reply to %s is %g", command, query, left);
		return -EPROTO;
	}
	return 0;
}

static int filament_off(struct assay_instrument *ins)
{
	return switch_off(ins, "FL0", "FL?", OFF_MA, FILAMENT_MS);
}

static int multiplier_off(struct assay_instrument *ins)
{
	return switch_off(ins, "HV0", "HV?", OFF_V, MULTIPLIER_MS);
}

static int filament_on(struct assay_instrument *ins, double ma)
{
	struct rga *rga = ins->state;
	struct rga_status status;
	char why[256];
	double measured;
	assay_hazard(ins, true);
	rga->filament_on = true;
	int r = rga_adjust(ins, "FL", ma, 0.02 + ma * 0.1, FILAMENT_MS, &measured);
	if (r == 0)
		r = rga_read_status(ins, &status);
	if (r < 0)
		return r;
	if (rga_status_filament_lost(&status)) {
		rga_status_text(&status, why, sizeof(why));
		assay_explain(ins, "the emission of %g mA does not hold; %s", ma, why);
		return -EPROTO;
	}
	assay_report_number(ins, "emission_current", measured, "mA");
	return 0;
}

static int multiplier_on(struct assay_instrument *ins, int volts)
{
	struct rga *rga = ins->state;
	double kept;
	assay_hazard(ins, true);
	rga->multiplier_on = true;
	int r = rga_adjust(ins, "HV", volts, 1 + volts * 0.01, MULTIPLIER_MS, &kept);
	if (r == 0)
		assay_report_int(ins, "detector_voltage", (int64_t)(kept + 0.5));
	return r;
}

int rga_hazards_on(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	double ma = assay_number(ins->settings, "emission_current");
	int volts = (int)assay_int(ins->settings, "detector_voltage");
	int r = 0;
	if (assay_has(ins->settings, "emission_current"))
		r = ma > 0 ? filament_on(ins, ma) : filament_off(ins);
	if (r == 0 && assay_has(ins->settings, "detector_voltage") && rga->has_multiplier)
		r = volts > 0 ? multiplier_on(ins, volts) : multiplier_off(ins);
	return r;
}

/* Switches both off even if the first fails; returns the first error. */
static int both_off(struct assay_instrument *ins, bool filament, bool multiplier)
{
	struct rga *rga = ins->state;
	int m = multiplier ? multiplier_off(ins) : 0;
	int f = filament ? filament_off(ins) : 0;
	if (m == 0)
		rga->multiplier_on = false;
	if (f == 0)
		rga->filament_on = false;
	if (f == 0 && m == 0)
		assay_hazard(ins, false);
	return m < 0 ? m : f;
}

int rga_hazards_off(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	if (!rga->filament_on && !rga->multiplier_on)
		return 0;
	return both_off(ins, rga->filament_on, rga->multiplier_on);
}

int rga_make_safe(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	char line[RGA_LINE_MAX];
	int r = rga_resync(ins, line);
	if (r < 0)
		return r;
	return both_off(ins, true, rga->has_multiplier);
}
