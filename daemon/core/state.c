/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC instrument->config->key
#include "base/log.h"
#include "core/instrument.h"
#include "core/commit/ledger.h"
#include "core/state.h"
#include "core/values.h"
#include "record/uuid.h"

static const char *state_name(enum device_state state)
{
	return words_name(&words_device_state, (int)state);
}

static void write_state(struct instrument *instrument, const char *code, struct wire_bytes values)
{
	struct buffer body = {0};
	uint8_t id[ASSAY_UUID_SIZE];
	uuid_random(id);
	struct dev_state state = {
		.base = {.id = id, .t = stamp_now(), .inst = instrument_inst(instrument)},
		.sim = instrument->config->simulated,
		.state = instrument->state,
		.code = code,
		.text = instrument->text[0] != '\0' ? instrument->text : NULL,
		.values = {values.data, values.len},
	};
	record_state(&body, &state);
	struct ledger_record record = {
		.topic = instrument->state_topic, .head = body.data, .head_len = body.len};
	if (body.failed || ledger_put(instrument->core->ledger, &record, NULL) < 0)
		log_error("a state record could not be written: no memory");
	buffer_finish(&body);
}

void state_tell(struct instrument *instrument, const char *code)
{
	bool bad = instrument->state == DEVICE_STATE_FAULT;
	log_write(bad ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, instrument->config->key, "%s%s%s",
		state_name(instrument->state), instrument->text[0] != '\0' ? ": " : "",
		instrument->text);
	write_state(instrument, code, (struct wire_bytes){0});
}

void state_set(
	struct instrument *instrument, enum device_state state, const char *code, const char *text)
{
	char now[sizeof instrument->text];
	snprintf(now, sizeof now, "%s", text != NULL ? text : "");
	bool same = state == instrument->state;
	if (same && strcmp(now, instrument->text) == 0)
		return;
	instrument->state = state;
	memcpy(instrument->text, now, sizeof now);
	if (!same && state != DEVICE_STATE_BUSY && state != DEVICE_STATE_IDLE)
		instrument->values[0] = '\0';
	if (!same && state != DEVICE_STATE_CONNECTING)
		instrument->refused[0] = '\0';
	if (!same || (state != DEVICE_STATE_FAULT && state != DEVICE_STATE_CONNECTING))
		state_tell(instrument, code);
}

void state_progress(struct instrument *instrument, struct wire_bytes values)
{
	values_format(instrument->values, sizeof instrument->values, values.data, values.len);
	write_state(instrument, NULL, values);
}
