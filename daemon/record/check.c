/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record/check.h"
#include "record/entry.h"
#include "record/format.h"
#include "record/topic.h"

static int fail(struct schema_error *error, const char *path, size_t at, const char *text)
{
	if (error != NULL) {
		snprintf(error->path, sizeof error->path, "%s", path);
		snprintf(error->text, sizeof error->text, "%s", text);
		error->at = at;
	}
	return -EBADMSG;
}

static int read_record(
	struct schema_walk *walk, const void *data, size_t len, struct assay_frame_view *view)
{
	struct format_vars vars;
	vars.count = 0;
	walk->context = &vars;
	memset(view, 0, sizeof *view);
	if (walk->error != NULL)
		walk->error->path[0] = '\0';
	if (len > ASSAY_RECORD_MAX)
		return fail(walk->error, "", 0, "a record of more than 16 MiB");
	read_init(walk->r, data, len);
	if (format_read_record(walk, view) == 0)
		read_finish(walk->r);
	return schema_finish(walk) < 0 ? -EBADMSG : 0;
}

int check_record(const void *data, size_t len, struct schema_error *error)
{
	struct reader r;
	struct schema_walk walk = {.r = &r, .strict = true, .error = error};
	struct assay_frame_view view;
	return read_record(&walk, data, len, &view);
}

int check_frame_part(
	const void *data, size_t len, size_t pairs, unsigned techniques, struct schema_error *error)
{
	struct reader r;
	struct format_vars vars;
	struct assay_frame_view view = {0};
	struct schema_walk walk = {.r = &r,
		.strict = true,
		.techniques = techniques,
		.context = &vars,
		.error = error};
	vars.count = 0;
	if (error != NULL)
		error->path[0] = '\0';
	if (len > ASSAY_RECORD_MAX)
		return fail(error, "", 0, "a record of more than 16 MiB");
	read_init_pairs(&r, data, len, pairs);
	if (r.error == 0 && schema_read_pairs(&walk, format_records[ASSAY_RECORD_FRAME],
				    format_frame_part, pairs, &view) == 0)
		read_finish(&r);
	return schema_finish(&walk);
}

static bool has_instrument(enum assay_record_type type)
{
	return type != ASSAY_RECORD_AUDIT && type != ASSAY_RECORD_SEAL;
}

static int check_topic(const struct assay_entry_view *entry, const struct assay_record_view *record,
	struct schema_error *error)
{
	struct topic topic;
	if (topic_parse(entry->topic, &topic) < 0)
		return fail(
			error, "topic", 0, "not a1/<kind>/<technique>/<site>/<node>/<instrument>/");
	/* A run-end and an amend have no `sim`; only their topic shows it. */
	bool has_sim = record->type != ASSAY_RECORD_RUN_END && record->type != ASSAY_RECORD_AMEND;
	bool sim = has_sim ? record->sim : topic.kind == TOPIC_SIM_DATA;
	if (topic.kind != topic_kind_of(record->type, sim))
		return fail(error, "topic", 0, "a kind of topic on which this record does not go");
	if (has_instrument(record->type) && !string_same(topic.instrument, record->inst.key))
		return fail(error, "topic", 0, "another instrument than the record's inst.key");
	if (!has_instrument(record->type) && !assay_string_is(topic.instrument, "-"))
		return fail(error, "topic", 0, "an instrument where the record has none");
	return 0;
}

int check_entry(const void *data, size_t len, struct schema_error *error)
{
	struct reader r;
	struct schema_walk walk = {.r = &r, .strict = true, .error = error};
	struct assay_entry_view entry;
	struct assay_frame_view view;
	if (assay_entry_read(data, len, &entry) < 0)
		return fail(
			error, "", 0, "not an entry [1, journal, seq, prev, tc, topic, record]");
	if (entry.seq == 0 || entry.prev >= entry.seq)
		return fail(error, "prev", 0, "prev is not below seq, or seq is 0");
	if (read_record(&walk, entry.body.data, entry.body.len, &view) < 0)
		return -EBADMSG;
	return check_topic(&entry, &view.record, error);
}
