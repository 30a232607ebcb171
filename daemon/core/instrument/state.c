/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC instrument->config->key
#include "base/clock.h"
#include "base/log.h"
#include "core/instrument/instrument.h"
#include "core/commit/ledger.h"
#include "core/instrument/state.h"
#include "core/port/supervise.h"
#include "record/encode.h"
#include "record/keys.h"
#include "record/uuid.h"

static const char *faults_of(const struct instrument *instrument)
{
	return instrument->supervisor != NULL ? supervise_faults(instrument->supervisor) : "";
}

static void write_state(struct instrument *instrument, const char *code, struct assay_span values)
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
	const char *faults = faults_of(instrument);
	struct buffer extra = {0};
	if (faults[0] != '\0') {
		encode_text(&extra, "x-faults");
		encode_text(&extra, faults);
		state.extra.count = 1;
	}
	state.extra.pairs = (struct assay_span){extra.data, extra.len};
	record_state(&body, &state);
	struct ledger_record record = {
		.topic = instrument->state_topic, .head = body.data, .head_len = body.len};
	if (body.failed || ledger_put(instrument->all->runs->ledger, &record, NULL) < 0)
		log_error("a state record could not be written: no memory");
	buffer_finish(&body);
	buffer_finish(&extra);
}

void state_report(struct instrument *instrument, const char *code)
{
	const char *between = instrument->text[0] != '\0' ? ": " : "";
	if (instrument->state == DEVICE_STATE_FAULT)
		log_warn("fault%s%s", between, instrument->text);
	else
		log_info("%s%s%s", words_name(&words_device_state, (int)instrument->state), between,
			instrument->text);
	write_state(instrument, code, (struct assay_span){0});
}

void state_faults(struct instrument *instrument)
{
	const char *faults = faults_of(instrument);
	log_info("faults of its link: %s", faults[0] != '\0' ? faults : "off");
	write_state(instrument, instrument->code[0] != '\0' ? instrument->code : NULL,
		(struct assay_span){0});
}

void state_set(struct instrument *instrument, const char *code, const char *text)
{
	enum device_state state = machine_shown(instrument->machine.state);
	char now[sizeof instrument->text];
	snprintf(now, sizeof now, "%s", text != NULL ? text : "");
	bool same = state == instrument->state;
	if (same && strcmp(now, instrument->text) == 0)
		return;
	instrument->state = state;
	if (!same)
		instrument->since = clock_utc();
	snprintf(instrument->code, sizeof instrument->code, "%s", code != NULL ? code : "");
	memcpy(instrument->text, now, sizeof now);
	if (!same && state != DEVICE_STATE_BUSY && state != DEVICE_STATE_IDLE)
		instrument->values[0] = '\0';
	if (!same && state != DEVICE_STATE_CONNECTING)
		instrument->rejected[0] = '\0';
	if (!same || (state != DEVICE_STATE_FAULT && state != DEVICE_STATE_CONNECTING))
		state_report(instrument, code);
}

struct shown {
	double value;
	struct assay_string unit;
};

static const struct keys shown_keys = {.open = true,
	.rows = (const struct key[]){
		{"v", KEY_NUMBER, KEY_AT(struct shown, value)},
		{"u", KEY_TEXT, KEY_AT(struct shown, unit)},
		{0},
	}};

/* The CBOR map name => {v, u} as one line for people: "real_time 12.5 s, counts 3000". */
static void format_values(char *text, size_t size, struct assay_span values)
{
	struct reader r;
	size_t pairs, at = 0;
	struct assay_string name;
	text[0] = '\0';
	read_init(&r, values.data, values.len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && at < size; pairs--) {
		struct shown shown = {0};
		if (keys_read(&r, &shown_keys, &shown, NULL) < 0)
			return;
		struct assay_string unit = shown.unit;
		bool plain = unit.len == 0 || assay_string_is(unit, "1") || unit.data[0] == '{';
		int n = snprintf(text + at, size - at, "%s%.*s %.6g%s%.*s", at > 0 ? ", " : "",
			(int)name.len, name.data, shown.value, plain ? "" : " ",
			plain ? 0 : (int)unit.len, plain ? "" : unit.data);
		at += n > 0 ? (size_t)n : 0;
	}
}

void state_progress(struct instrument *instrument, struct assay_span values)
{
	format_values(instrument->values, sizeof instrument->values, values);
	write_state(instrument, NULL, values);
}
