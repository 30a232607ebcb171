/* SPDX-License-Identifier: Apache-2.0 */
/* The operation of the control socket by which an archive is confirmed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/control/ops.h"
#include "core/keep/retention.h"
#include "record/read.h"

static int read_segment(struct reader *r, struct archived_segment *segment)
{
	struct assay_string key;
	size_t pairs;
	const uint8_t *hash = NULL;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "first"))
			read_uint(r, &segment->first);
		else if (assay_string_is(key, "last"))
			read_uint(r, &segment->last);
		else if (assay_string_is(key, "sha256"))
			read_fixed(r, ASSAY_SHA256_SIZE, &hash);
		else
			return read_fail(r, r->at, "a segment has first, last and sha256");
	}
	if (r->error == 0 &&
		(hash == NULL || segment->first == 0 || segment->last < segment->first))
		return read_fail(r, r->at, "a segment needs first, last and sha256");
	if (r->error == 0)
		memcpy(segment->sha256, hash, sizeof segment->sha256);
	return r->error;
}

/* The list (malloc), or NULL. */
static struct archived_segment *read_segments(
	struct assay_span item, const uint8_t journal[JOURNAL_ID_SIZE], size_t *count)
{
	struct reader r;
	size_t items = 0;
	read_init(&r, item.data, item.len);
	if (read_array(&r, &items) < 0 || items == 0 || items > CONFIRM_SEGMENTS_MAX)
		return NULL;
	struct archived_segment *list = calloc(items, sizeof *list);
	for (size_t i = 0; list != NULL && i < items && r.error == 0; i++) {
		memcpy(list[i].journal, journal, JOURNAL_ID_SIZE);
		read_segment(&r, &list[i]);
	}
	*count = items;
	if (read_finish(&r) == 0)
		return list;
	free(list);
	return NULL;
}

int op_archived(struct control_call *call)
{
	struct retention *retention = call->core->retention;
	uint8_t journal[JOURNAL_ID_SIZE];
	char id[JOURNAL_ID_TEXT], to[CONFIRM_TEXT_MAX + 1];
	if (control_copy_text(call, "journal", id, sizeof id) < 0 ||
		journal_id_parse(journal, id) < 0)
		return control_refuse(
			call, "bad-argument", "journal is the id of one, as its folder is named");
	if (control_copy_text(call, "to", to, sizeof to) < 0)
		return control_refuse(
			call, "bad-argument", "to is longer than %d bytes", CONFIRM_TEXT_MAX);
	size_t count;
	struct archived_segment *segments = read_segments(
		control_arg(call, "segments")->item, journal, &count);
	if (segments == NULL)
		return control_refuse(call, "bad-argument",
			"segments is a list of 1 to %d maps {first, last, sha256}",
			CONFIRM_SEGMENTS_MAX);
	bool is_free = retention != NULL && !retention_is_confirming(retention);
	struct control_ticket *ticket = is_free ? control_keep(call) : NULL;
	if (ticket == NULL) {
		free(segments);
		return control_refuse(call, "busy", "another archive is being confirmed");
	}
	if (retention_confirm(retention, ticket, &call->actor, segments, count, to) < 0) {
		free(segments);
		control_answer(ticket, NULL, 0, "busy", "there is no memory");
	}
	return 0;
}
