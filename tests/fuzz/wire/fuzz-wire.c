/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a sequence of messages to every reader of payloads, of the core and of the worker. */
#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads the bytes that a reader gave out, so that the sanitizer sees where they lie. */
static volatile unsigned sink;

static void touch(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < len; i++)
		sink += bytes[i];
}

static void touch_text(struct assay_string text)
{
	touch(text.data, text.len);
}

static void read_setup(const struct wire_message *m)
{
	struct wire_setup setup;
	if (wire_read_setup(m, &setup) == 0)
		touch(setup.units[setup.unit_count - 1].settings,
			setup.units[setup.unit_count - 1].settings_len);
	wire_setup_finish(&setup);
}

static void read_frame(const struct wire_message *m)
{
	struct wire_frame frame;
	if (wire_read_frame(m, &frame) < 0)
		return;
	touch_text(frame.dev);
	touch(frame.part.data, frame.part.len);
}

static void read_state(const struct wire_message *m)
{
	struct wire_state state;
	if (wire_read_state(m, &state) < 0)
		return;
	touch_text(state.state);
	touch_text(state.text);
	touch(state.values.data, state.values.len);
}

static void touch_span(struct assay_span bytes)
{
	touch(bytes.data, bytes.len);
}

static void read_start(const struct wire_message *m)
{
	struct wire_start start;
	if (wire_read_start(m, &start) < 0)
		return;
	touch_span(start.step);
	touch_span(start.settings);
	touch_span(start.holds);
	touch_span(start.references);
}

static void read_rest(const struct wire_message *m)
{
	union {
		struct wire_go go;
		struct assay_string text;
		uint64_t credit;
		struct wire_capture capture;
		struct wire_hello hello;
		struct wire_identity identity;
		struct assay_span settings;
		struct wire_started started;
		struct wire_ended ended;
		bool on;
		struct wire_log log;
		struct wire_beat beat;
	} to;
	switch (m->type) {
	case WIRE_CONFIGURE:
	case WIRE_GO: wire_read_go(m, &to.go); break;
	case WIRE_REFUSE: wire_read_refuse(m, &to.text); break;
	case WIRE_CREDIT: wire_read_credit(m, &to.credit); break;
	case WIRE_FAULTS: wire_read_faults(m, &to.text); break;
	case WIRE_CAPTURE: wire_read_capture(m, &to.capture); break;
	case WIRE_HELLO: wire_read_hello(m, &to.hello); break;
	case WIRE_IDENTITY: wire_read_identity(m, &to.identity); break;
	case WIRE_READY: wire_read_ready(m, &to.settings); break;
	case WIRE_STARTED: wire_read_started(m, &to.started); break;
	case WIRE_ENDED: wire_read_ended(m, &to.ended); break;
	case WIRE_HAZARD: wire_read_hazard(m, &to.on); break;
	case WIRE_LOG: wire_read_log(m, &to.log); break;
	case WIRE_BEAT: wire_read_beat(m, &to.beat); break;
	default: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_message m;
	while (wire_next(data, len, &m) == 1) {
		switch (m.type) {
		case WIRE_SETUP: read_setup(&m); break;
		case WIRE_FRAME: read_frame(&m); break;
		case WIRE_STATE: read_state(&m); break;
		case WIRE_START: read_start(&m); break;
		default: read_rest(&m); break;
		}
		data += m.size;
		len -= m.size;
	}
	return 0;
}
