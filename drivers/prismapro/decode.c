/* SPDX-License-Identifier: Apache-2.0 */
/* The decode slot: replies in, one frame out. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "reply.h"
#include "slots.h"
#include "status.h"

#define PA_PER_TORR (101325.0 / 760)

static int read_block(const struct assay_decoding *in, const char *name, struct reply *out)
{
	char why[WHY_MAX] = "it is missing";
	int r = -EBADMSG;
	for (size_t i = 0; i < in->raw_count; i++)
		if (in->raw[i].name != NULL && strcmp(in->raw[i].name, name) == 0) {
			r = reply_read(in->raw[i].data, in->raw[i].len, out, why);
			break;
		}
	if (r < 0)
		assay_explain_decode(in, "raw block %s: %s", name, why);
	return r < 0 ? -EBADMSG : 0;
}

static int read_word(const struct assay_decoding *in, const char *name, uint32_t *out)
{
	struct reply reply;
	int r = read_block(in, name, &reply);
	if (r < 0)
		return r;
	r = reply_unsigned(reply.data, out) ? 0 : -EBADMSG;
	reply_free(&reply);
	return r;
}

static int read_status(const struct assay_decoding *in, struct status *out)
{
	int r = read_word(in, "systemStatus", &out->system);
	if (r == 0)
		r = read_word(in, "hardwareErrors", &out->errors);
	return r == 0 ? read_word(in, "hardwareWarnings", &out->warnings) : r;
}

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	assay_frame_setting(out, name, &v);
}

static int add_axis(const struct assay_settings *s, const struct plan *plan, size_t points,
	struct assay_frame *out)
{
	if (plan->is_sweep) {
		assay_add_linear_axis(
			out, "mz", "1", plan->first / 100.0, 1.0 / plan->per_u, points);
		return 0;
	}
	double *masses = assay_frame_scratch(out, points * sizeof(*masses));
	if (masses == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < points; i++)
		masses[i] = plan_ion(s, i) / 100.0;
	struct assay_variable v = {.name = "mz",
		.role = ASSAY_AXIS,
		.dims = {"mz"},
		.unit = "1",
		.type = ASSAY_F64,
		.data = masses,
		.count = points};
	assay_frame_add(out, &v);
	return 0;
}

static int add_currents(const struct scan *scan, size_t points, struct assay_frame *out)
{
	double *values = assay_frame_scratch(out, points * sizeof(*values));
	bool is_whole = true;
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < points; i++) {
		values[i] = scan_value(scan, i);
		is_whole = is_whole && !isnan(values[i]);
	}
	struct assay_variable v = {.name = "ion_current",
		.role = ASSAY_DATA,
		.dims = {"mz"},
		.unit = "A",
		.type = ASSAY_F64,
		.data = values,
		.count = points};
	assay_frame_add(out, &v);
	if (!is_whole)
		assay_frame_quality(out, ASSAY_SUSPECT, "out-of-range");
	return 0;
}

/* The instrument does not send the unit: the setting names it. */
static void add_total(const struct assay_settings *s, double value, struct assay_frame *out)
{
	const char *unit = assay_text(s, "total_pressure");
	bool is_torr = strcmp(unit, "Torr") == 0;
	if (isnan(value)) {
		assay_frame_quality(out, ASSAY_SUSPECT, "out-of-range");
		return;
	}
	if (is_torr)
		set_text(out, "pressure_conversion", "Torr * 101325/760 Pa");
	assay_add_float(out, "total_pressure", ASSAY_AUX, is_torr ? value * PA_PER_TORR : value,
		is_torr ? "Pa" : unit);
}

static int add_scan(const struct assay_decoding *in, const struct plan *plan,
	const struct scan *scan, struct assay_frame *out)
{
	size_t currents = plan->points - plan->has_total;
	assay_frame_kind(out, ASSAY_SPECTRUM);
	/* HTTP and JSON have no checksum. */
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	set_text(out, "scan_mode", plan->is_sweep ? "scan" : "selected ion monitoring");
	set_text(out, "representation", plan->is_sweep ? "profile" : "centroid");
	int r = add_axis(in->settings, plan, currents, out);
	if (r == 0)
		r = add_currents(scan, currents, out);
	if (r == 0 && plan->has_total)
		add_total(in->settings, scan_value(scan, currents), out);
	return r;
}

int prismapro_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct reply reply;
	struct plan plan;
	struct scan scan;
	struct status status;
	if (!plan_read(in->settings, &plan))
		return -EBADMSG;
	int r = read_status(in, &status);
	if (r == 0)
		r = read_block(in, SCAN_BLOCK, &reply);
	if (r < 0)
		return r;
	r = reply_scan(reply.data, &scan) && scan.count == plan.points
		    ? add_scan(in, &plan, &scan, out)
		    : -EBADMSG;
	reply_free(&reply);
	if (r == 0)
		status_add(in->settings, &status, "ion_current", out);
	return r;
}
