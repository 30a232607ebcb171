/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <string.h>

#include "reply.h"

static const char *const uses[] = {"frame", "identity", "start", "stop", NULL};
static const char *const roles[] = {"data", "aux", NULL};
static const char *const qualities[] = {"good", "suspect", "bad", "missing", "error", NULL};
static const char *const reasons[] = {"saturated", "truncated", "out-of-range", "no-background",
	"cal-expired", "interlock", "device-warning", "device-error", "maintenance",
	"below-detection", "not-ready", NULL};
const char *const rows_frames[] = {"spectrum", "interferogram", "chromatogram", "scalars", NULL};

/* clang-format off */
const struct assay_setting rows_requests[] = {
	{.name = "use", .type = ASSAY_CHOICE, .choices = uses, .fallback = "frame",
		.help = "when it is sent: for each frame, to identify, to start or to stop a run"},
	{.name = "ask", .type = ASSAY_TEXT,
		.help = "text that is sent; absent: the instrument sends by itself"},
	{.name = "reply", .type = ASSAY_TEXT, .flags = ASSAY_LIST,
		.help = "patterns; the reply must fit one of them"},
	{.name = "begin", .type = ASSAY_TEXT, .help = "characters before each reply, such as \\x02"},
	{.name = "end", .type = ASSAY_TEXT, .help = "end of the reply; absent: that of the settings"},
	{.name = "length", .type = ASSAY_INT, .max = REPLY_MAX,
		.help = "bytes of a reply that has no end"},
	{.name = "lines", .type = ASSAY_BOOL, .fallback = "false",
		.help = "the reply has several lines, each of which must fit a pattern"},
	{.name = "unchecked", .type = ASSAY_BOOL, .fallback = "false",
		.help = "this reply has no checksum"},
	{.name = "each", .type = ASSAY_TEXT,
		.help = "an axis: sent once for each of its values, as {index} and {value}"},
	{.name = "wait", .type = ASSAY_NUMBER, .unit = "s", .max = 60, .help = "pause before it"},
	{.name = "timeout", .type = ASSAY_NUMBER, .unit = "s", .min = 0.05, .max = 600,
		.help = "longest time until the reply begins; absent: that of the settings"},
	{.name = NULL},
};

const struct assay_setting rows_values[] = {
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | ASSAY_VARIABLE,
		.help = "name of the variable"},
	{.name = "part", .type = ASSAY_TEXT, .help = "part of a reply; absent: that of the name"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_UNIT, .help = "UCUM code"},
	{.name = "unit_from", .type = ASSAY_TEXT, .help = "the part that names the unit: see units"},
	{.name = "role", .type = ASSAY_CHOICE, .choices = roles, .fallback = "data",
		.help = "use of the variable"},
	{.name = "axis", .type = ASSAY_TEXT, .help = "of several numbers: a row of axes"},
	{.name = "analyte", .type = ASSAY_TEXT, .help = "the substance it is about"},
	{.name = "cas", .type = ASSAY_TEXT, .flags = ASSAY_CAS, .help = "the analyte's CAS number"},
	{.name = "basis", .type = ASSAY_TEXT, .help = "such as wet or dry"},
	{.name = "label", .type = ASSAY_TEXT, .help = "a name for people"},
	{.name = NULL},
};

const struct assay_setting rows_words[] = {
	{.name = "part", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED, .help = "part of a reply"},
	{.name = "text", .type = ASSAY_TEXT, .flags = ASSAY_LIST,
		.help = "holds if the part is one of these; absent: if no other row knows it"},
	{.name = "bit", .type = ASSAY_INT, .max = 31,
		.help = "holds if this bit of an integer or hex part is 1"},
	{.name = "quality", .type = ASSAY_CHOICE, .choices = qualities, .fallback = "good",
		.help = "of the frame while it holds; error: the run ends"},
	{.name = "reason", .type = ASSAY_CHOICE, .choices = reasons, .fallback = "device-warning",
		.help = "reason, as in the record format"},
	{.name = "meaning", .type = ASSAY_TEXT, .help = "its meaning for people"},
	{.name = NULL},
};

const struct assay_setting rows_units[] = {
	{.name = "text", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED, .help = "as the instrument sends it"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | ASSAY_UNIT, .help = "UCUM code"},
	{.name = NULL},
};

const struct assay_setting rows_axes[] = {
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | ASSAY_VARIABLE,
		.help = "name of the variable"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_UNIT | ASSAY_REQUIRED, .help = "UCUM code"},
	{.name = "first", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT | ASSAY_REQUIRED,
		.help = "its first value"},
	{.name = "step", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT | ASSAY_REQUIRED,
		.help = "from one value to the next"},
	{.name = "count", .type = ASSAY_INT, .min = 1, .max = 4096, .flags = ASSAY_REQUIRED,
		.help = "number of values"},
	{.name = "decimals", .type = ASSAY_INT, .max = 9, .fallback = "1",
		.help = "of {value} in a request"},
	{.name = NULL},
};
/* clang-format on */

enum request_use rows_use(const struct assay_settings *request)
{
	return (enum request_use)reply_choice(uses, assay_text(request, "use"));
}

const struct assay_settings *rows_find(const struct assay_settings *settings, const char *table,
	const char *column, const char *text)
{
	for (size_t i = 0; text != NULL && i < assay_count(settings, table); i++) {
		const struct assay_settings *row = assay_row(settings, table, i);
		if (strcmp(assay_text(row, column), text) == 0)
			return row;
	}
	return NULL;
}

bool rows_is_unsolicited(const struct assay_settings *settings)
{
	for (size_t i = 0; i < assay_count(settings, "requests"); i++) {
		const struct assay_settings *row = assay_row(settings, "requests", i);
		if (rows_use(row) == USE_FRAME)
			return !assay_has(row, "ask");
	}
	return false;
}
