/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include <math.h>
#include <string.h>

const char *const part_use_names[] = {
	"exponent", "decimals", "factor", "high", "sign", "component"};
const char *const part_time_names[] = {
	"year", "month", "day", "hour", "minute", "second", "epoch", NULL};
const char *const part_frame_names[] = {"change", "rise", NULL};

bool part_code_read(const struct assay_host *host, const char *text, struct part_code *code)
{
	const char *equals = strchr(text, '=');
	struct row_nothing number;
	char copy[24];
	if (equals == NULL || (size_t)(equals - text) >= sizeof(copy))
		return false;
	memcpy(copy, text, (size_t)(equals - text));
	copy[equals - text] = '\0';
	if (!row_nothing_read(host, copy, &number) || !number.is_integer)
		return false;
	code->code = number.integer;
	return assay_parse_number(host, equals + 1, strlen(equals + 1), &code->number) == 0;
}

void part_read(const struct row_walk *walk, struct part *part)
{
	const struct assay_settings *row = walk->row;
	const char *time = assay_text(row, "time"), *frame = assay_text(row, "frame");
	*part = (struct part){.place = walk->place,
		.option = walk->option,
		.time = PART_TIMES,
		.frame = PART_FRAMES,
		.add = assay_int(row, "add")};
	if (time != NULL)
		part->time = (enum part_time)register_name_index(part_time_names, time);
	if (frame != NULL)
		part->frame = (enum part_frame)register_name_index(part_frame_names, frame);
	for (size_t i = 0; i < assay_count(row, "codes") && part->code_count < PART_CODES_MAX; i++)
		part->code_count += part_code_read(
			row->host, assay_text_at(row, "codes", i), &part->codes[part->code_count]);
}

int part_find(const struct assay_settings *settings, const struct row_common *common,
	const char *name, unsigned copy)
{
	struct row_walk walk = {.settings = settings, .common = common, .table = ROW_PARTS};
	for (int i = 0; row_next(&walk); i++) {
		bool is_named = strcmp(assay_text(walk.row, "name"), name) == 0;
		if (is_named && (walk.place.copy == 0 || walk.place.copy == copy))
			return i;
	}
	return -1;
}

struct register_value part_value(
	struct replies *replies, const struct part *part, const char **failure)
{
	struct register_value v = replies_value(replies, &part->place, failure);
	if (v.kind == REGISTER_NOTHING || part->code_count == 0)
		return v;
	for (size_t i = 0; i < part->code_count; i++)
		if (register_number(&v) == (double)part->codes[i].code) {
			double number = part->codes[i].number;
			bool is_whole = number == rint(number) && fabs(number) < 0x1p53;
			return is_whole ? (struct register_value){.kind = REGISTER_INTEGER,
						  .integer = (int64_t)number}
					: (struct register_value){
						  .kind = REGISTER_REAL, .real = number};
		}
	*failure = "device-warning"; /* a code that the map does not have */
	return (struct register_value){.kind = REGISTER_NOTHING};
}
