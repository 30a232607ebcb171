/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assay-alert: the first byte chooses a reply of the daemon, the state file, or the configuration.
 * Everything that was read goes into a mail without control characters, and into a webhook.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "alert-state.h"
#include "base/log.h"
#include "look.h"
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOUR_NS (3600 * UINT64_C(1000000000))

static const struct alert_options options = {.limit = 60,
	.to = {"kim@lab.example"},
	.to_count = 1,
	.from = "assayd@lab.example",
	.url = "https://lab.example/",
	.simulated = true,
	.calibration = HOUR_NS};

static void send_all(struct alert_state *state)
{
	const struct note *first;
	size_t count;
	while ((count = outbox_take(&state->outbox, CHANNEL_MAIL, &options, HOUR_NS, &first)) > 0) {
		struct buffer mail = {0}, json = {0};
		message_mail(&mail, &options, "site/node", first, count);
		message_json(&json, "site/node", first, count);
		for (size_t i = 0; i < mail.len; i++)
			assert(mail.data[i] >= ' ' || mail.data[i] == '\n');
		assert(json.len > 2);
		buffer_finish(&mail);
		buffer_finish(&json);
		outbox_done(&state->outbox, CHANNEL_MAIL, true, &options, HOUR_NS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct marks marks = {0};
	struct alert_state state = {.marks = &marks};
	struct alert_options read;
	struct look look;
	log_init((enum log_level)0, false);
	outbox_init(&state.outbox, &options);
	switch (size > 0 ? data[0] : 0) {
	case 'r':
		look_read(&look, (struct assay_span){data + 1, size - 1}, &options, HOUR_NS);
		for (uint64_t now = 1; now < 3; now++)
			conditions_take(&state.conditions, &look, &options, now, &state.outbox);
		look_finish(&look);
		send_all(&state);
		break;
	case 's':
		if (alert_state_read(&state, (const char *)data + 1, size - 1, 1) == 0)
			send_all(&state);
		break;
	case 'c':
		alert_options_read(&read, (const char *)data + 1, size - 1);
		for (size_t i = 0; i < read.to_count; i++)
			assert(read.to[i][0] != '-' && strpbrk(read.to[i], "\n\r ") == NULL);
		alert_options_finish(&read);
		break;
	default: break;
	}
	marks_finish(&marks);
	conditions_finish(&state.conditions);
	outbox_finish(&state.outbox);
	return 0;
}
