/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "record/encode.h"
#include "wire/wire.h"

#define text_is(t, s) assert_true((t).len == strlen(s) && memcmp((t).data, s, (t).len) == 0)

static struct buffer out;

static int fresh(void **state)
{
	buffer_finish(&out);
	return 0;
}

/* The one message that `out` holds. */
static struct wire_message only(enum wire_type type, unsigned unit)
{
	struct wire_message m;
	assert_false(out.failed);
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(wire_next(out.data, len, &m), 0);
	assert_int_equal(wire_next(out.data, out.len, &m), 1);
	assert_int_equal(m.size, out.len);
	assert_int_equal(m.type, type);
	assert_int_equal(m.unit, unit);
	return m;
}

static struct assay_span settings_of(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "channels", 2048);
	map_close(&map);
	return (struct assay_span){to->data, to->len};
}

static void setup_comes_back_as_it_was(void **state)
{
	struct buffer settings = {0};
	struct assay_span encoded = settings_of(&settings);
	struct unit units[] = {
		{.key = "gas-1",
			.driver = "modbus-map",
			.technique = "ftir",
			.unit_id = 7,
			.raw = UNIT_RAW_HASH,
			.settings = encoded.data,
			.settings_len = encoded.len},
		{.key = "gas-2", .driver = "modbus-map", .unit_id = 8},
	};
	struct wire_setup setup = {.drivers = "/usr/lib/assayd",
		.units = units,
		.unit_count = 2,
		.port = {.kind = ASSAY_LINK_SERIAL,
			.port = "/dev/ttyUSB0",
			.baud = 19200,
			.parity = PORT_PARITY_EVEN,
			.data_bits = 8,
			.stop_bits = 1,
			.flow = PORT_FLOW_RTSCTS,
			.open_ms = 500}};
	wire_write_setup(&out, &setup);
	struct wire_message m = only(WIRE_SETUP, WIRE_PORT);

	struct wire_setup back;
	assert_int_equal(wire_read_setup(&m, &back), 0);
	assert_string_equal(back.drivers, "/usr/lib/assayd");
	assert_int_equal(back.port.kind, ASSAY_LINK_SERIAL);
	assert_string_equal(back.port.port, "/dev/ttyUSB0");
	assert_null(back.port.host);
	assert_int_equal(back.port.baud, 19200);
	assert_int_equal(back.port.parity, PORT_PARITY_EVEN);
	assert_int_equal(back.port.flow, PORT_FLOW_RTSCTS);
	assert_int_equal(back.port.open_ms, 500);
	assert_int_equal(back.unit_count, 2);
	assert_string_equal(back.units[0].key, "gas-1");
	assert_string_equal(back.units[0].technique, "ftir");
	assert_null(back.units[1].technique);
	assert_int_equal(back.units[0].unit_id, 7);
	assert_int_equal(back.units[0].raw, UNIT_RAW_HASH);
	assert_int_equal(back.units[0].settings_len, encoded.len);
	assert_memory_equal(back.units[0].settings, encoded.data, encoded.len);
	assert_string_equal(back.units[1].driver, "modbus-map");
	assert_null(back.units[1].settings);
	wire_setup_finish(&back);
	buffer_finish(&settings);
}

static void setup_without_units_or_with_another_version_is_rejected(void **state)
{
	struct wire_setup setup = {.drivers = "d", .port = {.kind = ASSAY_LINK_NONE}}, back;
	wire_write_setup(&out, &setup);
	struct wire_message m = only(WIRE_SETUP, WIRE_PORT);
	assert_int_equal(wire_read_setup(&m, &back), -EBADMSG);

	buffer_reset(&out);
	struct unit unit = {.key = "a", .driver = "b"};
	setup.units = &unit;
	setup.unit_count = 1;
	wire_write_setup(&out, &setup);
	m = only(WIRE_SETUP, WIRE_PORT);
	assert_int_equal(wire_read_setup(&m, &back), 0);
	wire_setup_finish(&back);
	uint8_t *version = memmem(out.data, out.len, "version", 7);
	version[7]++;
	assert_int_equal(wire_read_setup(&m, &back), -EBADMSG);
	wire_setup_finish(&back);
}

static void commands_come_back_as_they_were(void **state)
{
	struct wire_go go;
	wire_write_go(&out, 3, &(struct wire_go){.safe = true});
	struct wire_message m = only(WIRE_GO, 3);
	assert_int_equal(wire_read_go(&m, &go), 0);
	assert_true(go.safe);

	struct assay_string text;
	buffer_reset(&out);
	wire_write_refuse(&out, 1, "serial 2524 expected, 17 found");
	m = only(WIRE_REFUSE, 1);
	assert_int_equal(wire_read_refuse(&m, &text), 0);
	text_is(text, "serial 2524 expected, 17 found");

	uint64_t bytes;
	buffer_reset(&out);
	wire_write_credit(&out, UINT64_C(1) << 40);
	m = only(WIRE_CREDIT, WIRE_PORT);
	assert_int_equal(wire_read_credit(&m, &bytes), 0);
	assert_true(bytes == UINT64_C(1) << 40);

	buffer_reset(&out);
	wire_write_abort(&out, 9);
	assert_int_equal(only(WIRE_ABORT, 9).type, WIRE_ABORT);
}

static void start_keeps_pace_and_settings(void **state)
{
	struct buffer settings = {0};
	struct wire_start start = {.mode = WIRE_CONTINUOUS,
		.every_ns = 100000000,
		.frames = 12,
		.settings = settings_of(&settings)};
	wire_write_start(&out, 0, &start);
	struct wire_message m = only(WIRE_START, 0);
	struct wire_start back;
	assert_int_equal(wire_read_start(&m, &back), 0);
	assert_int_equal(back.mode, WIRE_CONTINUOUS);
	assert_int_equal(back.every_ns, 100000000);
	assert_int_equal(back.frames, 12);
	assert_int_equal(back.settings.len, settings.len);

	buffer_reset(&out);
	wire_write_start(&out, 0, &(struct wire_start){.mode = WIRE_ONCE});
	m = only(WIRE_START, 0);
	assert_int_equal(wire_read_start(&m, &back), 0);
	assert_int_equal(back.every_ns, 0);
	assert_int_equal(back.settings.len, 0);

	buffer_reset(&out);
	wire_write_start(&out, 0, &(struct wire_start){.mode = (enum wire_mode)4});
	m = only(WIRE_START, 0);
	assert_int_equal(wire_read_start(&m, &back), -EBADMSG);
	buffer_finish(&settings);
}

static void messages_of_a_worker_come_back_unchanged(void **state)
{
	struct wire_hello hello;
	wire_write_hello(&out, "landlock");
	struct wire_message m = only(WIRE_HELLO, WIRE_PORT);
	assert_int_equal(wire_read_hello(&m, &hello), 0);
	assert_int_equal(hello.version, WIRE_VERSION);
	text_is(hello.lacking, "landlock");

	buffer_reset(&out);
	struct wire_identity id = {.make = {"Amptek", 6},
		.model = {"PX5", 3},
		.serial = {"2524", 4},
		.fw = {"", 0},
		.declared = true};
	wire_write_identity(&out, 2, &id);
	m = only(WIRE_IDENTITY, 2);
	struct wire_identity read_id;
	assert_int_equal(wire_read_identity(&m, &read_id), 0);
	text_is(read_id.make, "Amptek");
	text_is(read_id.serial, "2524");
	text_is(read_id.fw, "");
	assert_true(read_id.declared);

	buffer_reset(&out);
	wire_write_ended(&out, 2, WIRE_END_FAILED, "ETIMEDOUT", "no answer");
	m = only(WIRE_ENDED, 2);
	struct wire_ended ended;
	assert_int_equal(wire_read_ended(&m, &ended), 0);
	assert_int_equal(ended.end, WIRE_END_FAILED);
	text_is(ended.code, "ETIMEDOUT");

	buffer_reset(&out);
	wire_write_beat(&out, &(struct wire_beat){.progress = 5, .deadline = 1234567890123});
	m = only(WIRE_BEAT, WIRE_PORT);
	struct wire_beat beat;
	assert_int_equal(wire_read_beat(&m, &beat), 0);
	assert_int_equal(beat.progress, 5);
	assert_true(beat.deadline == 1234567890123);

	buffer_reset(&out);
	bool on = false;
	wire_write_hazard(&out, 1, true);
	m = only(WIRE_HAZARD, 1);
	assert_int_equal(wire_read_hazard(&m, &on), 0);
	assert_true(on);
}

static void state_carries_values(void **state)
{
	struct buffer values = {0};
	struct wire_state st;
	wire_write_state(&out, 4, "busy", "", "counting", settings_of(&values));
	struct wire_message m = only(WIRE_STATE, 4);
	assert_int_equal(wire_read_state(&m, &st), 0);
	text_is(st.state, "busy");
	text_is(st.text, "counting");
	assert_int_equal(st.values.len, values.len);
	assert_memory_equal(st.values.data, values.data, values.len);
	buffer_finish(&values);
}

static void write_frame(const char *dev, uint16_t pairs)
{
	struct wire_frame frame = {.utc = 11,
		.mono = 22,
		.quality = 3,
		.reasons = 1,
		.retries = 2,
		.dropped = 77,
		.dev = {dev, strlen(dev)},
		.pairs = pairs,
		.part = {(const uint8_t *)"part", 4}};
	buffer_reset(&out);
	wire_write_frame_head(&out, 6, &frame);
	buffer_append(&out, "part", 4);
}

static void frame_head_comes_back_as_it_was(void **state)
{
	write_frame("12:00:01", 3);
	struct wire_message m = only(WIRE_FRAME, 6);
	struct wire_frame back;
	assert_int_equal(wire_read_frame(&m, &back), 0);
	assert_int_equal(back.utc, 11);
	assert_int_equal(back.mono, 22);
	assert_int_equal(back.quality, 3);
	assert_int_equal(back.reasons, 1);
	assert_int_equal(back.retries, 2);
	assert_int_equal(back.dropped, 77);
	assert_int_equal(back.pairs, 3);
	text_is(back.dev, "12:00:01");
	assert_int_equal(back.part.len, 4);
	assert_memory_equal(back.part.data, "part", 4);
}

static void a_frame_with_false_lengths_is_rejected(void **state)
{
	struct wire_frame back;
	const struct {
		size_t at;
		uint8_t value;
	} lies[] = {
		{16, 1},             /* flags */
		{32, 5},             /* quality */
		{32, 0}, {39, 0x80}, /* a reason that the table does not have */
		{40, 12},            /* a device time that takes the whole part */
		{40, 200}, {44, 1},  /* the zero */
	};
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		write_frame("12:00:01", 3);
		struct wire_message m = only(WIRE_FRAME, 6);
		assert_int_equal(wire_read_frame(&m, &back), 0);
		out.data[WIRE_HEAD_BYTES + lies[i].at] = lies[i].value;
		assert_int_equal(wire_read_frame(&m, &back), -EBADMSG);
	}
	write_frame("\xff", 3);
	struct wire_message m = only(WIRE_FRAME, 6);
	assert_int_equal(wire_read_frame(&m, &back), -EBADMSG);
	write_frame("", 0);
	m = only(WIRE_FRAME, 6);
	assert_int_equal(wire_read_frame(&m, &back), -EBADMSG);
}

static void unknown_types_and_sizes_past_the_limit_are_rejected(void **state)
{
	struct wire_message m;
	const uint8_t unknown[] = {0, 0, 0, 0, 63, 0, 0, 0};
	assert_int_equal(wire_next(unknown, 8, &m), -EBADMSG);
	const uint8_t huge[] = {1, 0, 1, 1, 69, 0, 0, 0};
	assert_int_equal(wire_next(huge, 8, &m), -EBADMSG);
	const uint8_t most[] = {0, 0, 1, 1, 69, 0, 0, 0};
	assert_int_equal(wire_next(most, 8, &m), 0);
}

static void missing_and_unknown_keys_are_rejected(void **state)
{
	struct wire_hello hello;
	struct wire_message m = {.type = WIRE_HELLO, .payload = (const uint8_t *)"\xa0", .len = 1};
	assert_int_equal(wire_read_hello(&m, &hello), -EBADMSG);

	bool on;
	m.payload = (const uint8_t *)"\xa2\x62on\xf5\x61x\x01";
	m.len = 8;
	assert_int_equal(wire_read_hazard(&m, &on), -EBADMSG);
	m.payload = (const uint8_t *)"\xa1\x62on\xf5\x00";
	m.len = 6;
	assert_int_equal(wire_read_hazard(&m, &on), -EBADMSG);
	m.len = 5;
	assert_int_equal(wire_read_hazard(&m, &on), 0);
}

static void long_texts_are_cut_between_characters(void **state)
{
	char text[WIRE_TEXT_MAX + 10] = "x";
	for (size_t i = 1; i + 1 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	wire_write_log(&out, 0, 4, text);
	struct wire_message m = only(WIRE_LOG, 0);
	struct wire_log log;
	assert_int_equal(wire_read_log(&m, &log), 0);
	assert_int_equal(log.level, 4);
	assert_int_equal(log.text.len, WIRE_TEXT_MAX - 1);
	assert_memory_equal(log.text.data, text, log.text.len);
}

static void texts_that_are_not_utf8_are_made_so(void **state)
{
	wire_write_log(&out, 0, 4, "got \xb0\x31");
	struct wire_message m = only(WIRE_LOG, 0);
	struct wire_log log;
	assert_int_equal(wire_read_log(&m, &log), 0);
	text_is(log.text, "got ?1");
}

static void faults_come_back_unchanged(void **state)
{
	wire_write_faults(&out, "delay=1s drop=0.1");
	struct wire_message m = only(WIRE_FAULTS, WIRE_PORT);
	struct assay_string text;
	assert_int_equal(wire_read_faults(&m, &text), 0);
	text_is(text, "delay=1s drop=0.1");
}

static void capture_messages_come_back_unchanged(void **state)
{
	wire_write_capture(&out, &(struct wire_capture){.on = true, .bytes = 1u << 20});
	struct wire_message m = only(WIRE_CAPTURE, WIRE_PORT);
	struct wire_capture capture;
	assert_int_equal(wire_read_capture(&m, &capture), 0);
	assert_true(capture.on);
	assert_int_equal(capture.bytes, 1u << 20);

	buffer_reset(&out);
	wire_write_captured(&out, (const uint8_t *)"bytes", 5);
	m = only(WIRE_CAPTURED, WIRE_PORT);
	assert_int_equal(m.len, 5);
	assert_memory_equal(m.payload, "bytes", 5);

	buffer_reset(&out);
	wire_write_captured(&out, NULL, 0);
	assert_int_equal(only(WIRE_CAPTURED, WIRE_PORT).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(setup_comes_back_as_it_was, fresh),
		cmocka_unit_test_setup(
			setup_without_units_or_with_another_version_is_rejected, fresh),
		cmocka_unit_test_setup(commands_come_back_as_they_were, fresh),
		cmocka_unit_test_setup(start_keeps_pace_and_settings, fresh),
		cmocka_unit_test_setup(messages_of_a_worker_come_back_unchanged, fresh),
		cmocka_unit_test_setup(state_carries_values, fresh),
		cmocka_unit_test_setup(faults_come_back_unchanged, fresh),
		cmocka_unit_test_setup(capture_messages_come_back_unchanged, fresh),
		cmocka_unit_test_setup(frame_head_comes_back_as_it_was, fresh),
		cmocka_unit_test_setup(a_frame_with_false_lengths_is_rejected, fresh),
		cmocka_unit_test_setup(unknown_types_and_sizes_past_the_limit_are_rejected, fresh),
		cmocka_unit_test_setup(missing_and_unknown_keys_are_rejected, fresh),
		cmocka_unit_test_setup(long_texts_are_cut_between_characters, fresh),
		cmocka_unit_test_setup_teardown(texts_that_are_not_utf8_are_made_so, fresh, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
