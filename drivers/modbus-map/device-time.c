/* SPDX-License-Identifier: Apache-2.0 */
#include "device-time.h"

#include <stdio.h>

/* False if a part has no value, or an impossible one. */
static bool read_fields(struct replies *replies, const struct rows *rows,
	int64_t fields[PART_TIMES], bool has[PART_TIMES])
{
	static const struct {
		int64_t least, most;
	} ranges[PART_TIMES] = {
		[PART_YEAR] = {0, 9999},
		[PART_MONTH] = {1, 12},
		[PART_DAY] = {1, 31},
		[PART_HOUR] = {0, 23},
		[PART_MINUTE] = {0, 59},
		[PART_SECOND] = {0, 60},
		[PART_EPOCH] = {1, INT64_MAX},
	};
	const char *failure;
	for (size_t i = 0; i < rows->part_count; i++) {
		const struct part *part = &rows->parts[i];
		if (part->time == PART_TIMES)
			continue;
		struct register_value v = part_value(replies, part, &failure);
		int64_t field = v.integer;
		if (v.kind != REGISTER_INTEGER || field > INT64_MAX - 10000 ||
			field + part->add < ranges[part->time].least ||
			field + part->add > ranges[part->time].most)
			return false;
		fields[part->time] = field + part->add;
		has[part->time] = true;
	}
	return true;
}

void device_time_set(struct replies *replies, const struct rows *rows, struct assay_frame *out)
{
	static const char *const before[] = {"", "-", "-", "T", ":", ":"};
	int64_t fields[PART_TIMES];
	bool has[PART_TIMES] = {false};
	char text[48] = "";
	size_t n = 0;
	if (!read_fields(replies, rows, fields, has))
		return;
	if (has[PART_EPOCH])
		snprintf(text, sizeof(text), "%lld", (long long)fields[PART_EPOCH]);
	for (int i = PART_YEAR; i <= PART_SECOND && has[i] && !has[PART_EPOCH]; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%0*lld", before[i],
			i == PART_YEAR ? 4 : 2, (long long)fields[i]);
	if (text[0] != '\0')
		assay_frame_device_time(out, text);
}
