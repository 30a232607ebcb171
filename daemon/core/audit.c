/* SPDX-License-Identifier: Apache-2.0 */
#define LOG_TOPIC "audit"
#include "base/log.h"
#include "core/audit.h"
#include "core/ledger.h"
#include "record/encode.h"
#include "record/record.h"
#include "record/uuid.h"

void audit(struct core *core, const char *event, const struct run_actor *actor,
	const struct buffer *before, const struct buffer *after, const char *reason)
{
	struct buffer body = {0};
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
	record_audit(&body, &record);
	struct ledger_record entry = {
		.topic = core->audit_topic, .head = body.data, .head_len = body.len};
	if (body.failed || ledger_put(core->ledger, &entry, NULL) < 0)
		log_error("%s could not be recorded: no memory", event);
	buffer_finish(&body);
}

void audit_text(
	struct core *core, const char *event, const struct run_actor *actor, const char *text)
{
	struct buffer after = {0};
	encode_text(&after, text);
	audit(core, event, actor, NULL, &after, NULL);
	buffer_finish(&after);
}

void audit_config(struct core *core, const char *event, const struct config *before)
{
	const struct config *config = core->config;
	struct buffer old = {0}, new = {0};
	buffer_append(&new, config->canonical, config->canonical_len);
	if (before != NULL)
		buffer_append(&old, before->canonical, before->canonical_len);
	audit(core, event, NULL, before != NULL ? &old : NULL, &new, "version " ASSAY_VERSION);
	for (size_t i = 0; i < config->method_count; i++) {
		buffer_reset(&new);
		buffer_append(&new, config->methods[i].canonical, config->methods[i].canonical_len);
		audit(core, "method", NULL, NULL, &new, NULL);
	}
	buffer_finish(&old);
	buffer_finish(&new);
}
