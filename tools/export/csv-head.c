/* SPDX-License-Identifier: Apache-2.0 */
/* The comments of a CSV file: where the data below come from, and corrections. */
#include <inttypes.h>

#include "csv.h"
#include "record/json.h"
#include "record/text.h"
#include "record/uuid.h"

static void put_fact(struct buffer *to, const char *name, struct assay_string text)
{
	if (text.data == NULL)
		return;
	cell_put(to, "# %s: ", name);
	cell_put_escaped(to, text);
	cell_put(to, "\n");
}

static void put_json(struct buffer *to, const char *name, struct assay_span item)
{
	if (item.data == NULL)
		return;
	cell_put(to, "# %s: ", name);
	json_write(to, item.data, item.len);
	cell_put(to, "\n");
}

static struct assay_string text_of(struct assay_span map, const char *key)
{
	struct assay_string text = {0};
	struct reader r;
	struct assay_span value = keys_value(map, string_of(key));
	read_init(&r, value.data, value.len);
	if (value.len == 0 || read_text(&r, &text) < 0)
		return (struct assay_string){0};
	return text;
}

struct assay_string csv_note(const struct assay_record_view *start)
{
	return text_of(start->body, "x-note");
}

void csv_put_method(struct buffer *to, const struct assay_record_view *start)
{
	struct assay_span method = keys_value(start->body, string_of("method"));
	struct assay_string version = text_of(method, "version");
	cell_put_escaped(to, start->method);
	if (version.data == NULL)
		return;
	cell_put(to, ", version ");
	cell_put_escaped(to, version);
}

void csv_put_calibrations(struct buffer *to, const struct assay_record_view *start)
{
	struct reader r;
	size_t count = 0;
	struct assay_span list = keys_value(start->body, string_of("cal")), map;
	read_init(&r, list.data, list.len);
	if (list.len == 0 || read_array(&r, &count) < 0)
		return;
	for (size_t i = 0; i < count && read_raw(&r, &map) == 0; i++) {
		cell_put(to, i > 0 ? "; " : "");
		cell_put_escaped(to, text_of(map, "id"));
	}
}

void csv_put_heading(struct buffer *to, const struct export_run *run)
{
	put_fact(to, "run", string_of(run->number));
	if (run->sim)
		cell_put(to, "# SIMULATED: this is not a measurement\n");
	if ((run->corrected.keys & EXPORT_VALID) != 0 && !run->corrected.valid)
		cell_put(to, "# NOT VALID: see the correction\n");
	put_fact(to, "status",
		string_of(run->status[0] != '\0' ? run->status : "open, not complete"));
	cell_put(to, "# exported by assayctl " ASSAY_VERSION "\n");
}

void csv_put_start(
	struct buffer *to, const struct assay_entry_view *entry, const struct assay_record_view *r)
{
	char text[HEX_SIZE(ASSAY_SHA256_SIZE)];
	cell_put(to, "# started: ");
	cell_put_time(to, r->t.utc);
	cell_put(to, " UTC, clock %s\n", assay_sync_name(r->t.sync));
	put_fact(to, "sample", r->sample);
	put_fact(to, "operator", r->person);
	put_fact(to, "note", csv_note(r));
	if (r->method.data != NULL) {
		cell_put(to, "# method: ");
		csv_put_method(to, r);
		cell_put(to, "\n");
	}
	put_json(to, "calibration", keys_value(r->body, string_of("cal")));
	put_fact(to, "instrument", r->inst.key);
	put_fact(to, "make", r->inst.make);
	put_fact(to, "model", r->inst.model);
	put_fact(to, "serial", r->inst.serial);
	put_fact(to, "firmware", r->inst.fw);
	put_json(to, "technique", keys_value(r->body, string_of("technique")));
	put_fact(to, "mode", r->mode);
	put_json(to, "settings", r->settings);
	put_json(to, "settings that the driver uses", keys_value(r->body, string_of("x-sent")));
	put_json(to, "setup", r->setup);
	cell_put(to, "# journal: %s, entry %" PRIu64 "\n",
		hex_write(text, entry->journal, ASSAY_UUID_SIZE), entry->seq);
	if (r->config != NULL)
		cell_put(to, "# configuration: sha256 %s\n",
			hex_write(text, r->config, ASSAY_SHA256_SIZE));
}

void csv_put_step(struct buffer *to, const struct assay_frame_view *frame)
{
	cell_put(to, "# step %" PRIu64 " of %" PRIu64 ", ", frame->step, frame->steps);
	cell_put_escaped(to, frame->step_name);
	cell_put(to, ": settings ");
	if (frame->record.settings.data != NULL)
		json_write(to, frame->record.settings.data, frame->record.settings.len);
	cell_put(to, "\n");
}

void csv_put_lost(struct buffer *to, const struct export_item *item)
{
	if (item->lost > 0)
		cell_put(to, "# LOST: frames %" PRIu64 " to %" PRIu64 "\n", item->lost_first,
			item->lost_first + item->lost - 1);
}

void csv_put_end(struct buffer *to, const struct assay_record_view *r)
{
	char text[HEX_SIZE(ASSAY_SHA256_SIZE)];
	cell_put(to, "# end: ");
	cell_put_escaped(to, r->status);
	cell_put(to, ", %" PRIu64 " frames, digest %s\n", r->frames,
		r->digest != NULL ? hex_write(text, r->digest, ASSAY_SHA256_SIZE) : "none");
	put_fact(to, "why", r->why);
}

void csv_put_amend(struct buffer *to, const struct assay_record_view *r)
{
	cell_put(to, "# AMENDED ");
	cell_put_time(to, r->t.utc);
	cell_put(to, " UTC by ");
	cell_put_escaped(to, r->actor);
	cell_put(to, ": now ");
	json_write(to, r->set.data, r->set.len);
	cell_put(to, ", before ");
	json_write(to, r->was.data, r->was.len);
	cell_put(to, ", because: ");
	cell_put_escaped(to, r->reason);
	cell_put(to, "\n");
}
