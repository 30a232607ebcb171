/* SPDX-License-Identifier: Apache-2.0 */
/* The emission of the filament and the voltage of the multiplier. */
#include <errno.h>

#include "request.h"
#include "slots.h"
#include "status.h"

#define ON_MS   60000 /* the emission is raised in steps */
#define OFF_MS  15000
#define POLL_MS 250

static int refuse(struct assay_instrument *ins, const struct part *part, bool on, const char *why)
{
	assay_explain(ins, "%s was set to %s, but %s", part->target, on ? "On" : "Off", why);
	return -EPROTO;
}

/* Waits until the part is on, or neither on nor pending. */
static int await(struct assay_instrument *ins, const struct part *part, bool on)
{
	uint64_t end = assay_now_ms(ins) + (on ? ON_MS : OFF_MS);
	for (;;) {
		uint32_t word;
		int r = request_word(ins, "systemStatus", NULL, &word);
		if (r < 0)
			return r;
		if (on ? (word & part->on) != 0 : (word & (part->on | part->pending)) == 0)
			return 0;
		if (on && (word & part->interlock) != 0)
			return refuse(ins, part, on, "an interlock is open");
		if (on && assay_stopping(ins))
			return refuse(ins, part, on, "the run was stopped meanwhile");
		if (assay_now_ms(ins) >= end)
			return refuse(ins, part, on, "the status did not follow in time");
		r = assay_pause(ins, POLL_MS);
		if (r < 0)
			return r;
	}
}

static int set_part(struct assay_instrument *ins, size_t i, bool on)
{
	struct prismapro *state = ins->state;
	if (on) {
		assay_hazard(ins, true);
		state->is_on[i] = true;
	}
	int r = request_set(
		ins, "/mmsp/generalControl/%s/set?%s", parts[i].target, on ? "On" : "Off");
	if (r == 0)
		r = await(ins, &parts[i], on);
	if (r == 0 && !on)
		state->is_on[i] = false;
	return r;
}

/* The multiplier first: it must not be on without the emission. */
int hazard_on(struct assay_instrument *ins)
{
	const struct assay_settings *s = ins->settings;
	int r = 0;
	for (size_t i = PARTS; r == 0 && i-- > 0;)
		if (assay_has(s, parts[i].setting) && !assay_flag(s, parts[i].setting))
			r = set_part(ins, i, false);
	for (size_t i = 0; r == 0 && i < PARTS; i++)
		if (assay_flag(s, parts[i].setting))
			r = set_part(ins, i, true);
	return r;
}

/* Both, even if the first fails; returns the first error. */
static int both_off(struct assay_instrument *ins, bool emission, bool multiplier)
{
	int m = multiplier ? set_part(ins, 1, false) : 0;
	int e = emission ? set_part(ins, 0, false) : 0;
	if (m == 0 && e == 0)
		assay_hazard(ins, false);
	return m < 0 ? m : e;
}

int hazard_off(struct assay_instrument *ins)
{
	struct prismapro *state = ins->state;
	if (!state->is_on[0] && !state->is_on[1])
		return 0;
	return both_off(ins, state->is_on[0], state->is_on[1]);
}

/* Another client may have the control by now: that does not make the filament safe. */
int prismapro_make_safe(struct assay_instrument *ins)
{
	int r = request_set(ins, "/mmsp/communication/control/set?force");
	if (r < 0)
		return r;
	r = request_set(ins, "/mmsp/scanSetup/scanStop/set?1");
	if (r == -EPROTO)
		assay_log(ins, ASSAY_LOG_WARN, "the scan could not be stopped");
	else if (r < 0)
		return r;
	r = both_off(ins, true, true);
	if (r == 0 && request_set(ins, "/mmsp/communication/control/set?release") < 0)
		assay_log(ins, ASSAY_LOG_WARN, "the control could not be released");
	return r;
}
