/* SPDX-License-Identifier: Apache-2.0 */
/* The operation by which an archive is confirmed. */
#include <errno.h>
#include <string.h>

#include "core/control/control.h"
#include "core/control/ops.h"
#include "core/keep/confirm.h"

struct archived_args {
	struct assay_string journal;
	struct confirm_request request;
};

static void answer_archived(void *arg, const struct confirm_result *result)
{
	if (result->refused != NULL) {
		control_reject(arg, "refused", result->refused);
		return;
	}
	map_uint(control_reply(arg), "noted", result->noted);
	map_uint(control_reply(arg), "known", result->known);
	control_answer(arg);
}

static int op_archived(struct call *call)
{
	const struct archived_args *args = call->args;
	struct core *core = call->on;
	struct confirm_request request = args->request;
	uint8_t journal[JOURNAL_ID_SIZE];
	char id[JOURNAL_ID_TEXT];
	bool is_right = request.count > 0;
	if (!text_copy(id, sizeof id, args->journal) || journal_id_parse(journal, id) < 0)
		return call_refuse(call, "bad-argument",
			"journal must be the id of a journal, as its folder is named");
	for (size_t i = 0; i < request.count; i++) {
		struct archived_segment *segment = &request.segments[i];
		memcpy(segment->journal, journal, sizeof journal);
		is_right = is_right && segment->first > 0 && segment->last >= segment->first;
	}
	if (!is_right)
		return call_refuse(call, "bad-argument",
			"segments is a list of 1 to %d maps {first, last, sha256}",
			CONFIRM_SEGMENTS_MAX);
	if (core->retention == NULL)
		return call_refuse(call, "busy", "retention does not run: see the log");
	struct control_ticket *ticket = control_keep(call);
	if (ticket == NULL)
		return -ENOBUFS;
	request.actor = *call->actor;
	int r = confirm_start(core->retention, &request, answer_archived, ticket);
	if (r < 0)
		control_reject(ticket, "busy",
			r == -EBUSY ? "another archive is being confirmed" : "out of memory");
	return 0;
}

static const struct keys segment_keys = {.size = sizeof(struct archived_segment),
	.rows = (const struct key[]){
		{"first", KEY_UINT, KEY_AT(struct archived_segment, first), .required = true},
		{"last", KEY_UINT, KEY_AT(struct archived_segment, last), .required = true},
		{"sha256", KEY_COPY, KEY_AT(struct archived_segment, sha256), .required = true},
		{0}}};

const struct op control_archive_ops[] = {
	{"archived",
		"confirms that segments were copied to an archive; answered when that is verified",
		OP_ARGS(struct archived_args,
			{"journal", KEY_TEXT, KEY_AT(struct archived_args, journal),
				.required = true, .help = "its id, as its folder is named"},
			{"segments", KEY_LIST, KEY_AT(struct archived_args, request.segments),
				.count_at = offsetof(struct archived_args, request.count),
				.keys = &segment_keys, .required = true,
				.help = "[{first, last, sha256}]: seqs and digest"},
			{"to", KEY_CHARS, KEY_AT(struct archived_args, request.to),
				.required = true, .help = "where the copies are, for people"}),
		.run = op_archived},
	{0},
};
