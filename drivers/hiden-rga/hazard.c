/* SPDX-License-Identifier: Apache-2.0 */
#include "hazard.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "scan.h"
#include "session.h"
#include "status.h"

#define EMISSION_IDLE 20   /* uA in mode 0, where the filament is off: the least that is set */
#define POLL_MS       500  /* while the emission rises */
#define OFF_V         10.0 /* a multiplier of so much is off */
#define TRIES         2

/* --- off -------------------------------------------------------------------------------------- */

/* In this order: mode 0 first, the enable last. */
static const char *const off_commands[] = {
	"lset mode 0", "lset F1 0", "lset F2 0", "lset multiplier 0", "lset enable 0"};
#define OFF_COMMANDS (sizeof(off_commands) / sizeof(off_commands[0]))

/* The devices that are off below this value. */
static const struct {
	const char *device;
	double least;
	bool is_everywhere; /* not every unit has a second filament and a multiplier */
} off_values[] = {
	{"mode", 0.5, true},
	{"F1", 0.5, true},
	{"F2", 0.5, false},
	{"multiplier", OFF_V, false},
};

static int send_off(struct assay_instrument *ins)
{
	const struct hiden *st = ins->state;
	int r = st->owes_reply ? hiden_resync(ins) : 0;
	for (size_t i = 0; i < OFF_COMMANDS && !hiden_is_final(r); i++) {
		/* Sent to a unit that does not reply, too. */
		int n = r < 0 ? hiden_send_blind(ins, off_commands[i])
			      : hiden_attempt(ins, "%s", off_commands[i]);
		r = r < 0 && !hiden_is_final(n) ? r : n;
		r = r > 0 ? 0 : r;
	}
	return r;
}

static int check_off(struct assay_instrument *ins)
{
	for (size_t i = 0; i < sizeof(off_values) / sizeof(off_values[0]); i++) {
		double left = 0;
		int r = hiden_get(ins, off_values[i].device, &left);
		if (r < 0)
			return r;
		if (r == 0 ? fabs(left) < off_values[i].least : !off_values[i].is_everywhere)
			continue;
		assay_explain(ins, "'lset %s 0' was sent, but the reply to 'lget %s' is %.60s",
			off_values[i].device, off_values[i].device,
			((const struct hiden *)ins->state)->line);
		return -EPROTO;
	}
	return hiden_fence(ins);
}

int hiden_hazard_off(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	int r = -ETIMEDOUT;
	for (int i = 0; i < TRIES && r < 0 && !hiden_is_final(r); i++) {
		r = send_off(ins);
		if (r == 0)
			r = check_off(ins);
	}
	if (r < 0)
		return r;
	st->is_lit = false;
	assay_hazard(ins, false);
	return 0;
}

int hiden_hazard_make_safe(struct assay_instrument *ins)
{
	int r = hiden_resync(ins);
	if (r == 0)
		r = hiden_attempt(ins, "pset terse 1");
	/* A running scan sets the operating mode of its next row. */
	if (r >= 0)
		r = hiden_scan_abort(ins);
	int off = hiden_is_final(r) ? r : hiden_hazard_off(ins);
	return off < 0 ? off : r;
}

/* --- on --------------------------------------------------------------------------------------- */

/* Own values of the ion source, the same in both modes. */
static const struct {
	const char *setting, *device;
} source[] = {
	{"electron_energy", "electron-energy"},
	{"focus_voltage", "focus"},
	{"cage_voltage", "cage"},
};
#define SOURCE (sizeof(source) / sizeof(source[0]))

static int set_modes_up(struct assay_instrument *ins)
{
	const struct assay_settings *s = ins->settings;
	const char *filament = assay_text(s, "filament");
	int volts = (int)assay_int(s, "detector_voltage");
	int r = hiden_command(ins, "lset mode 0;lset enable 1;lput %s 0 1", filament);
	if (r == 0)
		r = hiden_attempt(ins, "lput %s 0 0", strcmp(filament, "F1") == 0 ? "F2" : "F1");
	if (r >= 0)
		r = volts > 0 ? hiden_command(ins, "lput multiplier 0 %d", volts)
			      : hiden_attempt(ins, "lput multiplier 0 0");
	if (r >= 0)
		r = hiden_command(ins, "lput emission %d %ld", EMISSION_IDLE,
			lround(assay_number(s, "emission_current") * 1000));
	for (size_t i = 0; r == 0 && i < SOURCE; i++) {
		int value = (int)assay_int(s, source[i].setting);
		if (assay_has(s, source[i].setting))
			r = hiden_command(ins, "lput %s %d %d", source[i].device, value, value);
	}
	return r;
}

/* Requests a device that must have this value now. */
static int compare(
	struct assay_instrument *ins, const char *device, double wanted, double tolerance)
{
	double value = 0;
	int r = hiden_get(ins, device, &value);
	if (r < 0 || (r == 0 && fabs(value - wanted) <= tolerance))
		return r;
	assay_explain(ins, "'%s' was set to %g, but the reply to 'lget %s' is %.60s", device,
		wanted, device, ((const struct hiden *)ins->state)->line);
	return -EPROTO;
}

static int await_emission(struct assay_instrument *ins)
{
	double limit = assay_number(ins->settings, "emission_time"), emission = 0;
	uint64_t end = assay_now_ms(ins) + (uint64_t)(limit * 1000);
	for (;;) {
		int r = hiden_get(ins, "emission", &emission);
		if (r == 0 && hiden_status_holds(ins->settings, emission)) {
			assay_report_number(ins, "emission_current", emission / 1000, "mA");
			return 0;
		}
		if (r > 0 || (r == 0 && assay_now_ms(ins) >= end)) {
			assay_explain(ins, "the emission is not as set within %g s: %.60s uA",
				limit, ((const struct hiden *)ins->state)->line);
			r = -EPROTO;
		}
		if (r == 0)
			r = hiden_wait(ins, POLL_MS);
		if (r < 0)
			return r;
	}
}

/* A voltage or energy that was sent; the unit's own resolution is not published. */
static int report(struct assay_instrument *ins, const char *setting, const char *device)
{
	int64_t value = assay_int(ins->settings, setting);
	int r = compare(ins, device, (double)value, 1 + fabs((double)value) * 0.01);
	if (r == 0)
		assay_report_int(ins, setting, value);
	return r;
}

static int report_source(struct assay_instrument *ins)
{
	int r = 0;
	if (assay_int(ins->settings, "detector_voltage") > 0)
		r = report(ins, "detector_voltage", "multiplier");
	for (size_t i = 0; r == 0 && i < SOURCE; i++)
		if (assay_has(ins->settings, source[i].setting))
			r = report(ins, source[i].setting, source[i].device);
	return r;
}

/* The protections, before the first scan. */
static int check_status(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	char why[HIDEN_STATUS_MAX];
	int r = hiden_status_fetch(ins);
	if (r < 0 || hiden_status_read(ins->host, ins->settings, st->status, st->status_len, 0,
			     why) != ASSAY_BAD)
		return r;
	assay_explain(ins, "%s", why);
	return -EPROTO;
}

static int light(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	assay_hazard(ins, true);
	st->is_lit = true;
	int r = set_modes_up(ins);
	if (r == 0)
		r = hiden_command(ins, "lset mode 1");
	if (r == 0)
		r = compare(ins, "mode", 1, 0);
	if (r == 0)
		r = compare(ins, assay_text(ins->settings, "filament"), 1, 0);
	if (r == 0)
		r = await_emission(ins);
	if (r == 0)
		r = report_source(ins);
	if (r == 0)
		r = check_status(ins);
	return r;
}

int hiden_hazard_on(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	double mode = 0, ma = assay_number(ins->settings, "emission_current");
	int r = 0;
	if (assay_has(ins->settings, "emission_current"))
		r = ma > 0 ? light(ins) : hiden_hazard_off(ins);
	/* Rows in another mode would switch to its filament and voltages. */
	if (r == 0)
		r = hiden_get(ins, "mode", &mode);
	if (r == 0 && mode != (ma > 0 ? 1 : mode)) {
		assay_explain(ins, "the unit left operating mode 1: it is in mode %g", mode);
		r = -EPROTO;
	}
	if (r == 0 && (mode < 0 || mode > 99 || mode != floor(mode)))
		r = -EBADMSG;
	st->row_mode = (int)mode;
	return r > 0 ? -EPROTO : r;
}
