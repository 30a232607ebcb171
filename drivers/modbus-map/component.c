/* SPDX-License-Identifier: Apache-2.0 */
#include "component.h"

const struct assay_setting component_columns[] = {
	{.name = "code",
		.type = ASSAY_INT,
		.min = 0,
		.max = 65535,
		.flags = ASSAY_REQUIRED,
		.help = "number in the instrument's register"},
	{.name = "analyte",
		.type = ASSAY_TEXT,
		.help = "the substance; absent: the code means that there is none"},
	{.name = "cas", .type = ASSAY_TEXT, .flags = ASSAY_CAS, .help = "the analyte's CAS number"},
	{.name = "label", .type = ASSAY_TEXT, .help = "a name for people"},
	{.name = NULL},
};

void components_read(const struct assay_settings *settings, struct components *components)
{
	size_t count = assay_count(settings, "components");
	components->count = count < COMPONENT_COUNT_MAX ? count : COMPONENT_COUNT_MAX;
	for (size_t i = 0; i < components->count; i++) {
		const struct assay_settings *row = assay_row(settings, "components", i);
		components->list[i] = (struct component){
			.code = assay_int(row, "code"),
			.analyte = assay_text(row, "analyte"),
			.cas = assay_text(row, "cas"),
			.label = assay_text(row, "label"),
		};
	}
}

const struct component *component_find(const struct components *components, int64_t code)
{
	for (size_t i = 0; i < components->count; i++)
		if (components->list[i].code == code)
			return &components->list[i];
	return NULL;
}
