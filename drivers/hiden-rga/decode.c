/* SPDX-License-Identifier: Apache-2.0 */
/* The decode slot: the status and the data of one scan in, one frame out. */
#include <errno.h>
#include <string.h>

#include "measurement.h"
#include "session.h"
#include "status.h"

/* The unit of the values is a setting: one source has Torr, the others a bare number. */
static const struct {
	const char *setting, *name, *unit;
} units[] = {
	{"none", "intensity", "1"},
	{"Torr", "partial_pressure", "mm[Hg]"},
	{"mbar", "partial_pressure", "mbar"},
	{"Pa", "partial_pressure", "Pa"},
	{"A", "ion_current", "A"},
};

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	assay_frame_setting(out, name, &v);
}

static void add_masses(const struct assay_decoding *in, struct assay_frame *out,
	const struct hiden_grid *grid, double *masses)
{
	struct assay_variable v = {.name = "mz",
		.role = ASSAY_AXIS,
		.dims = {"mz"},
		.unit = "1",
		.type = ASSAY_F64,
		.data = masses,
		.count = grid->points};
	if (grid->is_series)
		for (size_t i = 0; i < grid->points; i++)
			masses[i] = assay_number_at(in->settings, "sim_ions", i);
	else
		for (size_t i = 0; i < grid->points; i++)
			masses[i] = (grid->first + (int)i * grid->step) / 100.0;
	assay_frame_add(out, &v);
}

static void add_values(const struct assay_decoding *in, struct assay_frame *out,
	const struct hiden_grid *grid, const double *values, const int32_t *elapsed)
{
	const char *unit = assay_text(in->settings, "unit");
	struct assay_variable v = {.role = ASSAY_DATA,
		.dims = {"mz"},
		.type = ASSAY_F64,
		.data = values,
		.count = grid->points};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].setting, unit) == 0) {
			v.name = units[i].name;
			v.unit = units[i].unit;
		}
	assay_frame_add(out, &v);
	if (!grid->is_series)
		return;
	struct assay_variable time = {.name = "elapsed_time",
		.role = ASSAY_AUX,
		.dims = {"mz"},
		.unit = "ms",
		.type = ASSAY_I32,
		.data = elapsed,
		.count = grid->points};
	assay_frame_add(out, &time);
}

static void add_status(const struct assay_decoding *in, struct assay_frame *out,
	const struct assay_bytes *status, int trip)
{
	char text[HIDEN_STATUS_MAX];
	enum assay_quality quality = hiden_status_read(
		in->host, in->settings, (const char *)status->data, status->len, trip, text);
	if (quality != ASSAY_GOOD)
		assay_frame_quality(
			out, quality, quality == ASSAY_BAD ? "interlock" : "device-warning");
	if (text[0] == '\0')
		return;
	struct assay_variable v = {.name = "status_text",
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = text};
	assay_frame_add(out, &v);
}

int hiden_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct hiden_grid grid;
	struct hiden_progress progress;
	char why[HIDEN_WHY_MAX];
	if (in->raw_count != 2 || strcmp(in->raw[0].media, HIDEN_MEDIA_STATUS) != 0 ||
		strcmp(in->raw[1].media, HIDEN_MEDIA_DATA) != 0)
		return -EBADMSG;
	const char *text = (const char *)in->raw[1].data;
	hiden_grid_read(in->settings, &grid);
	if (grid.points == 0 || grid.points > HIDEN_POINTS_MAX)
		return -EBADMSG;
	double *values = assay_frame_scratch(out, grid.points * sizeof(*values));
	double *masses = assay_frame_scratch(out, grid.points * sizeof(*masses));
	int32_t *elapsed = assay_frame_scratch(out, grid.points * sizeof(*elapsed));
	if (values == NULL || masses == NULL || elapsed == NULL)
		return -ENOMEM;
	int r = hiden_stream_read(in->host, &grid, text, in->raw[1].len, values, elapsed, why);
	if (r < 0) {
		assay_explain_decode(in, "%s", why);
		return r;
	}
	assay_frame_kind(out, ASSAY_SPECTRUM);
	/* The text has no checksum: a digit that changed on the line is another value. */
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	set_text(out, "scan_mode", grid.is_series ? "selected ion monitoring" : "scan");
	set_text(
		out, "representation", grid.is_series || grid.step >= 100 ? "centroid" : "profile");
	add_masses(in, out, &grid, masses);
	add_values(in, out, &grid, values, elapsed);
	hiden_stream_look(text, in->raw[1].len, &progress);
	add_status(in, out, &in->raw[0], progress.trip);
	return 0;
}
