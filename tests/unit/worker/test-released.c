/* SPDX-License-Identifier: Apache-2.0 */
/* A driver built with the header of an earlier release delivers the same frame in this worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "core.h"
#include "record/check.h"
#include "record/encode.h"
#include "record/read.h"

static int name_count;
static char **names;

/* Each row is a list of names and values. */
static void add_rows(struct buffer *to)
{
	static const char *const labels[] = {"first", "second"};
	encode_array(to, 2);
	for (size_t i = 0; i < 2; i++) {
		encode_array(to, 4);
		encode_text(to, "offset");
		encode_f64(to, i == 0 ? 1 : 40);
		encode_text(to, "label");
		encode_text(to, labels[i]);
	}
}

static bool has(struct assay_span part, const char *bytes, size_t len)
{
	return memmem(part.data, part.len, bytes, len) != NULL;
}

static void expect_the_frame(struct core *core)
{
	struct wire_message m = core_expect(core, WIRE_FRAME, 0);
	struct wire_frame frame;
	struct schema_error error;
	assert_int_equal(wire_read_frame(&m, &frame), 0);
	if (check_frame_part(frame.part.data, frame.part.len, frame.pairs, 0, &error) < 0)
		fail_msg("%s: %s", error.path, error.text);
	assert_int_equal(frame.quality, ASSAY_SUSPECT);
	assert_memory_equal(frame.dev.data, "12:00:00", 8);
#define HAS(bytes) assert_true(has(frame.part, bytes, sizeof(bytes) - 1))
	HAS("\x65start\xfb\x40\x44\x00\x00\x00\x00\x00\x00"); /* 40 */
	HAS("\x65label\x66second");
	HAS("\x64span\x1a\x77\x35\x94\x00\x64gaps\x81\xa2\x62"
	    "at\x01\x61n\x03");
	HAS("\x67"
	    "channel\x63tcd\x64"
	    "bits\xa1\x00\x64late");
	HAS("\x64"
	    "data\x82\x62"
	    "CO\x63"
	    "CO2");
	HAS("\xd8\x55\x48\x00\x00\xc0\x3f\x00\x00\x20\x40"); /* 1.5 and 2.5 */
	HAS("\x68settings\xa1\x64gain\x03");
	HAS("\x64"
	    "data\x42\x07\x01");
}

static void run(const char *name)
{
	static const struct port none = {.kind = ASSAY_LINK_NONE};
	struct core core = {.fd = -1};
	struct buffer settings = {0};
	struct map map;
	char driver[40];
	snprintf(driver, sizeof driver, "released-%s", name);
	map_open(&map, &settings);
	map_text(&map, "speed", "fast");
	map_key(&map, "rows");
	add_rows(&settings);
	map_close(&map);
	struct unit unit = {.key = "old-1",
		.driver = driver,
		.settings = settings.data,
		.settings_len = settings.len};
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	wire_write_credit(&core.out, UINT64_C(1) << 40);
	core_send(&core);
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE, .frames = 1});
	core_send(&core);
	core_expect(&core, WIRE_STATE, 0); /* armed */
	struct wire_message m = core_expect(&core, WIRE_STARTED, 0);
	struct wire_started started;
	assert_int_equal(wire_read_started(&m, &started), 0);
	assert_true(assay_string_is(started.sample, "S-7"));
	expect_the_frame(&core);
	core_await(&core, WIRE_ENDED, 0);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
	core_finish(&core);
	buffer_finish(&settings);
}

static void drivers_of_earlier_headers_deliver_the_same_frame(void **state)
{
	assert_true(name_count > 0);
	for (int i = 0; i < name_count; i++)
		run(names[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_of_earlier_headers_deliver_the_same_frame),
	};
	name_count = argc - 1;
	names = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
