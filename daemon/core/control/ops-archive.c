/* SPDX-License-Identifier: Apache-2.0 */
/* The operation of the control socket by which an archive is confirmed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/control/ops.h"
#include "core/keep/confirm.h"
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

static bool read_segments(struct confirm_request *request, struct assay_span item,
	const uint8_t journal[JOURNAL_ID_SIZE])
{
	struct reader r;
	read_init(&r, item.data, item.len);
	if (read_array(&r, &request->count) < 0 || request->count == 0 ||
		request->count > CONFIRM_SEGMENTS_MAX)
		return false;
	for (size_t i = 0; i < request->count && r.error == 0; i++) {
		memcpy(request->segments[i].journal, journal, JOURNAL_ID_SIZE);
		read_segment(&r, &request->segments[i]);
	}
	return read_finish(&r) == 0;
}

static void answer_archived(void *arg, const struct confirm_result *result)
{
	struct buffer pairs = {0};
	struct map map = {.to = &pairs};
	map_uint(&map, "noted", result->noted);
	map_uint(&map, "known", result->known);
	control_answer(arg, &pairs, map.pairs, result->refused != NULL ? "refused" : NULL,
		result->refused);
	buffer_finish(&pairs);
}

int op_archived(struct control_call *call)
{
	struct confirm_request request = {.actor = call->actor};
	uint8_t journal[JOURNAL_ID_SIZE];
	char id[JOURNAL_ID_TEXT];
	if (control_copy_text(call, "journal", id, sizeof id) < 0 ||
		journal_id_parse(journal, id) < 0)
		return control_refuse(
			call, "bad-argument", "journal is the id of one, as its folder is named");
	if (control_copy_text(call, "to", request.to, sizeof request.to) < 0)
		return control_refuse(
			call, "bad-argument", "to is longer than %d bytes", CONFIRM_TEXT_MAX);
	if (!read_segments(&request, control_arg(call, "segments")->item, journal))
		return control_refuse(call, "bad-argument",
			"segments is a list of 1 to %d maps {first, last, sha256}",
			CONFIRM_SEGMENTS_MAX);
	struct control_ticket *ticket = control_keep(call);
	if (ticket == NULL)
		return control_refuse(call, "busy", "too many requests are waiting");
	struct retention *retention = call->core->retention;
	int r = retention == NULL ? -ENODEV
				  : confirm_start(retention, &request, answer_archived, ticket);
	if (r < 0)
		control_answer(ticket, NULL, 0, "busy",
			r == -EBUSY    ? "another archive is being confirmed"
			: r == -ENODEV ? "retention does not run: see the log"
				       : "out of memory");
	return 0;
}
