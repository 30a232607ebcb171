/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "wire/wire.h"
#include "worker/dialogue.h"

#define SHOWN_MAX 100

void dialogue_finish(struct dialogue *dialogue)
{
	buffer_finish(&dialogue->messages);
}

/* Whether the line may be written in this second. */
static bool may_write(struct dialogue *dialogue, uint64_t now)
{
	if (now >= dialogue->second + NS_PER_S) {
		dialogue->second = now;
		dialogue->lines = 0;
	}
	bool may = dialogue->lines < dialogue->rate;
	dialogue->lines += may;
	dialogue->muted += !may;
	return may;
}

static size_t escape(char *to, size_t size, const uint8_t *data, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
		bool is_plain = data[i] >= ' ' && data[i] <= '~' && data[i] != '\\';
		n += (size_t)snprintf(to + n, size - n, is_plain ? "%c" : "\\x%02x", data[i]);
	}
	return n;
}

void dialogue_note(
	struct dialogue *dialogue, const char *way, const void *data, size_t len, uint64_t now)
{
	char text[4 * SHOWN_MAX + 80];
	if (dialogue->rate == 0 || len == 0 || !may_write(dialogue, now))
		return;
	size_t n = (size_t)snprintf(text, sizeof text, "%s ", way);
	n += escape(text + n, sizeof text - n, data, len);
	if (len > SHOWN_MAX)
		n += (size_t)snprintf(text + n, sizeof text - n, " ... (%zu bytes)", len);
	if (dialogue->muted > 0)
		snprintf(text + n, sizeof text - n, " (%u lines before it were left out)",
			dialogue->muted);
	dialogue->muted = 0;
	wire_write_log(&dialogue->messages, WIRE_PORT, ASSAY_LOG_INFO, text);
}

void dialogue_send(struct dialogue *dialogue, struct core_link *core)
{
	struct buffer messages;
	monitor_lock(core->monitor);
	messages = dialogue->messages;
	dialogue->messages = (struct buffer){0};
	monitor_unlock(core->monitor);
	if (messages.len > 0 && !messages.failed)
		core_link_offer(core, &messages);
	buffer_finish(&messages);
}
