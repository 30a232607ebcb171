/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#define LOG_TOPIC "audit"
#include "base/log.h"
#include "config/config.h"
#include "core/commit/audit.h"
#include "core/commit/ledger.h"
#include "record/encode.h"
#include "record/record.h"
#include "record/uuid.h"

int audit_then(struct audit_trail *trail, const char *event, const struct audit_actor *actor,
	const struct buffer *before, const struct buffer *after, const char *reason,
	void (*done)(void *arg, const struct commit_item *item), void *arg)
{
	uint8_t id[ASSAY_UUID_SIZE];
	uuid_random(id);
	struct audit record = {
		.id = id,
		.t = stamp_now(),
		.event = event,
		.actor = {"assayd", AUTH_NONE, "core"},
		.reason = reason,
	};
	if (actor != NULL)
		record.actor = (struct actor){actor->id, actor->auth, actor->via};
	if (before != NULL)
		record.before = (struct assay_span){before->data, before->len};
	if (after != NULL)
		record.after = (struct assay_span){after->data, after->len};
	struct buffer body = {0};
	record_audit(&body, &record);
	struct ledger_record entry = {.topic = trail->topic,
		.head = body.data,
		.head_len = body.len,
		.synced = done != NULL, /* something follows from it */
		.done = done,
		.arg = arg};
	int r = body.failed ? -ENOMEM : ledger_put(trail->ledger, &entry, NULL);
	if (r < 0)
		log_error("%s could not be recorded: no memory", event);
	buffer_finish(&body);
	return r;
}

void audit_put(struct audit_trail *trail, const char *event, const struct audit_actor *actor,
	const struct buffer *before, const struct buffer *after, const char *reason)
{
	audit_then(trail, event, actor, before, after, reason, NULL, NULL);
}

void audit_text(struct audit_trail *trail, const char *event, const struct audit_actor *actor,
	const char *text)
{
	struct buffer after = {0};
	encode_text(&after, text);
	audit_put(trail, event, actor, NULL, &after, NULL);
	buffer_finish(&after);
}

void audit_config(struct audit_trail *trail, const char *event, const struct config *config,
	const struct config *before)
{
	struct buffer old = {0}, new = {0};
	buffer_append(&new, config->canonical.data, config->canonical.len);
	if (before != NULL)
		buffer_append(&old, before->canonical.data, before->canonical.len);
	audit_put(trail, event, NULL, before != NULL ? &old : NULL, &new, "version " ASSAY_VERSION);
	for (size_t i = 0; i < config->method_count; i++) {
		buffer_reset(&new);
		buffer_append(
			&new, config->methods[i].canonical.data, config->methods[i].canonical.len);
		audit_put(trail, "method", NULL, NULL, &new, NULL);
	}
	buffer_finish(&old);
	buffer_finish(&new);
}
