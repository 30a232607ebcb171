/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a worker that need no process: numbers, pace, settings, reports, raw blocks, frames. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core.h"
#include "record/check.h"
#include "record/encode.h"
#include "record/read.h"
#include "settings-table.h"
#include "wire/exit.h"
#include "worker/frame.h"
#include "worker/module.h"
#include "worker/number.h"
#include "worker/pace.h"
#include "worker/report.h"
#include "worker/settings.h"

/* --- numbers ---------------------------------------------------------------------------------- */

static void expect_number(const char *text, double value)
{
	double out = -77;
	assert_int_equal(number_parse(text, strlen(text), &out), 0);
	assert_true(out == value);
}

static void refuse_number(const char *text)
{
	double out = -77;
	if (number_parse(text, strlen(text), &out) != -EBADMSG)
		fail_msg("'%s' was taken for %g", text, out);
	assert_true(out == -77);
}

static void numbers_are_read_whole_and_exactly(void **state)
{
	expect_number("0", 0);
	expect_number(" 12.5\r\n", 12.5);
	expect_number("-1.25E-3", -0.00125);
	expect_number("+.5", 0.5);
	expect_number("3.", 3);
	expect_number("0.1", 0.1);
	expect_number("1e-320", 1e-320);
	expect_number("179769313486231570000e288", 1.7976931348623157e308);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const wrong[] = {"", " ", ".", "-", "e5", "1e", "1e+", "nan", "NaN",
		"inf", "-inf", "infinity", "0x10", "1,5", "1 2", "12a", "1e999", "1.2.3", "--1",
		"1e5.0"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		refuse_number(wrong[i]);
	char longer[200];
	memset(longer, '1', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	refuse_number(longer);
	double out = 5;
	assert_int_equal(number_parse("1\0"
				      "2",
				 3, &out),
		-EBADMSG);
}

static void the_locale_does_not_matter(void **state)
{
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
		print_message("no German locale here: only the text is checked\n");
	expect_number("1.5", 1.5);
	refuse_number("1,5");
	setlocale(LC_NUMERIC, "C");
}

static void integers_keep_to_64_bits(void **state)
{
	int64_t out = 5;
	assert_int_equal(number_parse_integer("-9223372036854775808", 20, &out), 0);
	assert_true(out == INT64_MIN);
	assert_int_equal(number_parse_integer("9223372036854775807", 19, &out), 0);
	assert_true(out == INT64_MAX);
	assert_int_equal(number_parse_integer("9223372036854775808", 19, &out), -EBADMSG);
	assert_int_equal(number_parse_integer("-9223372036854775809", 20, &out), -EBADMSG);
	assert_int_equal(number_parse_integer("1.0", 3, &out), -EBADMSG);
	assert_int_equal(number_parse_integer("", 0, &out), -EBADMSG);
	assert_int_equal(number_parse_integer("+", 1, &out), -EBADMSG);
	assert_int_equal(number_parse_integer(" 007 ", 5, &out), 0);
	assert_int_equal(out, 7);
}

/* --- pace ------------------------------------------------------------------------------------- */

static void frames_are_due_at_whole_multiples(void **state)
{
	struct pace pace;
	pace_start(&pace, 100, 1030, 5);
	assert_int_equal(pace.due, 5 + 70);
	assert_int_equal(pace_next(&pace, 1110, 85), 0); /* 10 after 1100 */
	assert_int_equal(pace.due, 85 + 90);
	assert_int_equal(pace_next(&pace, 1530, 505), 3); /* for 1200; 1300 to 1500 went by */
	assert_int_equal(pace.due, 505 + 70);
}

static void waking_a_little_early_is_not_due_twice(void **state)
{
	struct pace pace;
	pace_start(&pace, 100, 1030, 0);
	assert_int_equal(pace.due, 70);
	assert_int_equal(pace_next(&pace, 1099, 69), 0);
	assert_int_equal(pace.due, 170);
}

static void setting_the_clock_misses_nothing(void **state)
{
	struct pace pace;
	pace_start(&pace, 100, 1000000, 0);
	assert_int_equal(pace.due, 100);
	assert_int_equal(pace_next(&pace, 9000010, 110), 0); /* hours forward */
	assert_int_equal(pace.due, 200);
	assert_int_equal(pace_next(&pace, 30, 230), 0); /* and back */
	assert_int_equal(pace.due, 300);
}

static void what_went_by_without_anything_to_make_is_not_missed(void **state)
{
	struct pace pace;
	pace_start(&pace, 100, 1000, 0);
	for (uint64_t now = 100; now < 1050; now += 30)
		pace_idle(&pace, 1000 + now, now);
	assert_int_equal(pace_next(&pace, 2055, 1055), 0);
	assert_int_equal(pace.due, 1100);
	pace_idle(&pace, 2110, 1110);
	assert_int_equal(pace_next(&pace, 2410, 1410), 3); /* 2200 to 2400 */
	pace_start(&pace, 100, 1000, 0);
	pace_at_once(&pace);
	pace_idle(&pace, 1310, 310);
	assert_int_equal(pace_next(&pace, 1350, 350), 0);
	assert_int_equal(pace.due, 400);
	pace_start(&pace, 0, 1000, 0);
	pace_idle(&pace, 1310, 310);
	assert_int_equal(pace.due, 0);
}

static void what_is_missed_is_counted_from_a_frame_made_at_once(void **state)
{
	struct pace pace;
	pace_start(&pace, 100, 1030, 5);
	pace_at_once(&pace);
	assert_int_equal(pace_next(&pace, 1040, 15), 0);
	assert_int_equal(pace.due, 5 + 70);
	pace_start(&pace, 100, 1030, 5);
	pace_at_once(&pace);
	assert_int_equal(pace_next(&pace, 1340, 315), 3); /* 1100 to 1300 went by */
	assert_int_equal(pace.due, 315 + 60);
	assert_int_equal(pace_next(&pace, 1410, 385), 0);
}

static void without_a_period_there_is_no_pace(void **state)
{
	struct pace pace;
	pace_start(&pace, 0, 12345, 99);
	assert_int_equal(pace.due, 0);
	assert_int_equal(pace_next(&pace, 99999, 99999), 0);
	assert_int_equal(pace.due, 0);
}

/* --- settings --------------------------------------------------------------------------------- */

static struct assay_host host;
static char why[SETTINGS_WHY];

static int make_host(void **state)
{
	host = (struct assay_host){.abi = ASSAY_DRIVER_ABI,
		.raw_add = raw_add,
		.raw_open = raw_open,
		.raw_append = raw_append,
		.raw_close = raw_close};
	settings_services(&host);
	frame_services(&host);
	return 0;
}

static struct settings *read_settings(const struct settings_bytes *s)
{
	struct settings *settings;
	if (settings_create(table, s->bytes.data, s->bytes.len, &host, &settings, why) < 0)
		fail_msg("%s", why);
	return settings;
}

static void refuse_settings(struct settings_bytes *s, const char *text)
{
	struct settings *settings;
	assert_int_equal(settings_create(table, s->bytes.data, s->bytes.len, &host, &settings, why),
		-EINVAL);
	assert_string_equal(why, text);
	assert_null(settings);
	buffer_finish(&s->bytes);
}

static void settings_are_read_by_their_types(void **state)
{
	struct settings_bytes s = {0};
	settings_add_number(&s, "time", 2.5, "s");
	settings_add_int(&s, "channels", 2048);
	settings_add_text(&s, "mode", "scan");
	settings_add_flag(&s, "loud", true);
	struct settings *settings = read_settings(&s);
	const struct assay_settings *h = settings_handle(settings);
	assert_true(assay_number(h, "time") == 2.5);
	assert_int_equal(assay_int(h, "channels"), 2048);
	assert_string_equal(assay_text(h, "mode"), "scan");
	assert_true(assay_flag(h, "loud"));
	assert_false(assay_has(h, "ions"));
	assert_int_equal(assay_count(h, "map"), 0);
	settings_destroy(settings);
	buffer_finish(&s.bytes);
}

static void absent_settings_read_as_nothing(void **state)
{
	struct settings_bytes s = {0};
	struct settings *settings = read_settings(&s);
	const struct assay_settings *h = settings_handle(settings);
	assert_true(assay_number(h, "time") == 0);
	assert_int_equal(assay_int(h, "channels"), 0);
	assert_null(assay_text(h, "mode"));
	assert_false(assay_flag(h, "loud"));
	assert_int_equal(assay_count(h, "ions"), 0);
	settings_destroy(settings);
}

static void lists_and_tables_are_read_row_by_row(void **state)
{
	struct buffer b = {0};
	struct settings *settings;
	encode_map(&b, 2);
	encode_text(&b, "ions");
	encode_array(&b, 2);
	encode_f64(&b, 18.5);
	encode_uint(&b, 28);
	encode_text(&b, "map");
	encode_array(&b, 2);
	encode_array(&b, 4);
	encode_text(&b, "name");
	encode_text(&b, "HCl");
	encode_text(&b, "address");
	encode_uint(&b, 40);
	encode_array(&b, 2);
	encode_text(&b, "address");
	encode_uint(&b, 42);
	assert_int_equal(settings_create(table, b.data, b.len, &host, &settings, why), 0);
	const struct assay_settings *h = settings_handle(settings);
	assert_int_equal(assay_count(h, "ions"), 2);
	assert_true(assay_number_at(h, "ions", 0) == 18.5);
	assert_true(assay_number_at(h, "ions", 1) == 28);
	assert_int_equal(assay_count(h, "map"), 2);
	assert_string_equal(assay_text(assay_row(h, "map", 0), "name"), "HCl");
	assert_int_equal(assay_int(assay_row(h, "map", 0), "address"), 40);
	assert_int_equal(assay_int(assay_row(h, "map", 1), "address"), 42);
	assert_null(assay_text(assay_row(h, "map", 1), "name"));
	settings_destroy(settings);

	b.data[b.len - 2] = 0x18; /* 42 is two bytes: now the second row's name is cut */
	b.len -= 1;
	assert_int_equal(settings_create(table, b.data, b.len, &host, &settings, why), -EINVAL);
	buffer_finish(&b);
}

static void settings_outside_of_the_table_are_refused_by_name(void **state)
{
	struct settings_bytes s = {0};
	settings_add_number(&s, "time", 11, "s");
	refuse_settings(&s, "setting 'time': is out of range");
	settings_add_number(&s, "time", 5, "min");
	refuse_settings(&s, "setting 'time': is not in the driver's unit");
	settings_add_text(&s, "time", "5 s");
	refuse_settings(&s, "setting 'time': is not a number");
	settings_add_number(&s, "channels", 1.5, "1");
	refuse_settings(&s, "setting 'channels': is not an integer");
	settings_add_text(&s, "mode", "histo");
	refuse_settings(&s, "setting 'mode': is not one of the choices");
	settings_add_int(&s, "ions", 3);
	refuse_settings(&s, "setting 'ions': is not a list");
	settings_add_int(&s, "chanels", 3);
	refuse_settings(&s, "the driver has no setting 'chanels'");
}

static void a_required_column_that_lacks_is_named(void **state)
{
	struct settings_bytes s = {0};
	struct settings *settings;
	encode_map(&s.bytes, 1);
	encode_text(&s.bytes, "map");
	encode_array(&s.bytes, 1);
	encode_array(&s.bytes, 2);
	encode_text(&s.bytes, "name");
	encode_text(&s.bytes, "CO");
	assert_int_equal(
		settings_create(table, s.bytes.data, s.bytes.len, &host, &settings, why), -EINVAL);
	assert_string_equal(why, "setting 'address': is missing");
	buffer_finish(&s.bytes);
}

/* In a child, because it ends the process. */
static void expect_fatal(void (*ask)(const struct assay_settings *))
{
	struct settings_bytes s = {0};
	settings_add_int(&s, "channels", 7);
	int status;
	pid_t child = fork();
	if (child == 0) {
		close(STDERR_FILENO);
		struct settings *settings = read_settings(&s);
		ask(settings_handle(settings));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), WIRE_EXIT_DRIVER);
	buffer_finish(&s.bytes);
}

static void ask_for_unknown(const struct assay_settings *h)
{
	(void)assay_has(h, "chanels");
}

static void ask_by_another_type(const struct assay_settings *h)
{
	(void)assay_number(h, "channels");
}

static void ask_beyond_the_end(const struct assay_settings *h)
{
	(void)assay_int_at(h, "channels", 1);
}

static void ask_for_a_row_of_none(const struct assay_settings *h)
{
	(void)assay_row(h, "map", 0);
}

static void asking_for_what_was_not_declared_ends_the_process(void **state)
{
	expect_fatal(ask_for_unknown);
	expect_fatal(ask_by_another_type);
	expect_fatal(ask_beyond_the_end);
	expect_fatal(ask_for_a_row_of_none);
}

/* --- reports ---------------------------------------------------------------------------------- */

static void what_was_read_back_stands_in_for_what_was_sent(void **state)
{
	struct report report = {0};
	struct settings_bytes sent = {0}, wanted = {0};
	struct buffer merged = {0};
	settings_add_number(&sent, "time", 5, "s");
	settings_add_int(&sent, "channels", 2048);
	struct assay_variable five = {.type = ASSAY_SCALAR_FLOAT, .real = 4.992, .unit = "s"};
	struct assay_variable gain = {.type = ASSAY_SCALAR_INT, .integer = 12};
	assert_int_equal(report_add(&report, "gain", &gain), 0);
	assert_int_equal(report_add(&report, "time", &gain), 0);
	assert_int_equal(report_add(&report, "time", &five), 0); /* the newer one counts */
	assert_int_equal(report_merge(&report, sent.bytes.data, sent.bytes.len, &merged), 0);
	settings_add_number(&wanted, "time", 4.992, "s");
	settings_add_int(&wanted, "channels", 2048);
	settings_add_int(&wanted, "gain", 12);
	assert_int_equal(merged.len, wanted.bytes.len);
	assert_memory_equal(merged.data, wanted.bytes.data, merged.len);

	struct assay_variable nan = {.type = ASSAY_SCALAR_FLOAT, .real = __builtin_nan("")};
	assert_int_equal(report_add(&report, "time", &nan), -EINVAL);
	assert_int_equal(report_add(&report, "Time", &gain), -EINVAL);
	report_finish(&report);
	buffer_finish(&merged);
	buffer_finish(&sent.bytes);
	buffer_finish(&wanted.bytes);
}

/* --- frames ----------------------------------------------------------------------------------- */

static struct frame frame;
static struct raw raw;

static int make_frame(void **state)
{
	make_host(state);
	frame_init(&frame, &host);
	raw_init(&raw, &host, 1000);
	return 0;
}

static int drop_frame(void **state)
{
	frame_finish(&frame);
	raw_finish(&raw);
	return 0;
}

/* The part as the core would get it, checked as the core checks it. */
static void build(struct buffer *message, enum unit_raw keep, struct wire_frame *out)
{
	struct iovec pieces[FRAME_PIECES];
	struct wire_frame head = {.utc = 1, .mono = 2};
	struct wire_message m;
	if (frame_message(&frame, 3, &head, &(struct frame_step){0}, &raw, keep, pieces) < 0)
		fail_msg("%s", frame.why);
	for (int i = 0; i < FRAME_PIECES; i++)
		buffer_append(message, pieces[i].iov_base, pieces[i].iov_len);
	assert_int_equal(wire_next(message->data, message->len, &m), 1);
	assert_int_equal(m.size, message->len);
	assert_int_equal(wire_read_frame(&m, out), 0);
	struct schema_error error;
	if (check_frame_part(out->part.data, out->part.len, out->pairs, 0, &error) < 0)
		fail_msg("%s: %s", error.path, error.text);
}

static void add_spectrum(struct assay_frame *f)
{
	static const uint16_t counts[] = {0, 3, 17, 2};
	assay_frame_kind(f, ASSAY_SPECTRUM);
	assay_add_linear_axis(f, "energy", "keV", 0, 0.01, 4);
	struct assay_variable v = {.name = "counts",
		.role = ASSAY_DATA,
		.dims = {"energy"},
		.unit = "{count}",
		.type = ASSAY_U16,
		.data = counts,
		.count = 4};
	assay_frame_add(f, &v);
}

/* {name: number, ...} */
static struct assay_span numbers(struct buffer *to, const char *const *names, size_t count)
{
	struct map map;
	map_open(&map, to);
	for (size_t i = 0; i < count; i++)
		map_uint(&map, names[i], i);
	map_close(&map);
	return (struct assay_span){to->data, to->len};
}

static void a_frame_of_a_step_says_the_step_s_settings(void **state)
{
	struct buffer message = {0}, step = {0}, used = {0}, sent = {0};
	struct iovec pieces[FRAME_PIECES];
	struct wire_frame head = {.utc = 1, .mono = 2}, out;
	struct wire_message m;
	struct assay_variable gain = {.type = ASSAY_SCALAR_INT, .integer = 99};
	struct map map;
	map_open(&map, &step);
	map_uint(&map, "i", 2);
	map_uint(&map, "of", 2);
	map_text(&map, "name", "long");
	map_close(&map);
	struct frame_step all = {{step.data, step.len},
		numbers(&used, (const char *const[]){"time", "gain"}, 2),
		numbers(&sent, (const char *const[]){"time"}, 1)};
	add_spectrum(&frame.handle);
	assay_frame_setting(&frame.handle, "gain", &gain); /* decode() knows better */
	assert_int_equal(frame_message(&frame, 0, &head, &all, &raw, UNIT_RAW_KEEP, pieces), 0);
	for (int i = 0; i < FRAME_PIECES; i++)
		buffer_append(&message, pieces[i].iov_base, pieces[i].iov_len);
	assert_int_equal(wire_next(message.data, message.len, &m), 1);
	assert_int_equal(wire_read_frame(&m, &out), 0);
	struct schema_error error;
	if (check_frame_part(out.part.data, out.part.len, out.pairs, 0, &error) < 0)
		fail_msg("%s: %s", error.path, error.text);
	static const char settings[] = "\x68settings\xa2\x64time\x00\x64gain\x18\x63";
	static const char behind[] = "\x66x-sent\xa1\x64time\x00";
	assert_non_null(memmem(out.part.data, out.part.len, settings, sizeof settings - 1));
	assert_memory_equal(
		out.part.data + out.part.len - (sizeof behind - 1), behind, sizeof behind - 1);
	buffer_finish(&message);
	buffer_finish(&step);
	buffer_finish(&used);
	buffer_finish(&sent);
}

static void a_whole_frame_passes_the_core_s_check(void **state)
{
	struct buffer message = {0};
	struct wire_frame out;
	struct assay_frame *f = &frame.handle;
	add_spectrum(f);
	assay_frame_partial(f);
	assay_add_float(f, "live_time", ASSAY_AUX, 59.9, "s");
	static const float sigma[] = {1, 2, 4, 1};
	struct assay_variable u = {.name = "counts_sd",
		.role = ASSAY_UNCERTAINTY,
		.of = "counts",
		.dims = {"energy"},
		.unit = "{count}",
		.type = ASSAY_F32,
		.data = sigma,
		.count = 4};
	assay_frame_add(f, &u);
	struct assay_variable gas = {.name = "concentration",
		.role = ASSAY_DATA,
		.unit = "mg/m3",
		.analyte = "hydrogen chloride",
		.cas = "7647-01-0",
		.basis = "dry",
		.label = "HCl",
		.unc = {.kind = "expanded", .src = "calibration", .k = 2, .value = 0.3},
		.type = ASSAY_SCALAR_FLOAT,
		.real = 12.25};
	assay_frame_add(f, &gas);
	struct assay_variable gain = {.type = ASSAY_SCALAR_FLOAT, .real = 2, .unit = "1"};
	assay_frame_setting(f, "gain", &gain);
	gas.analyte = "ammonia"; /* the same quantity of another gas */
	gas.cas = "7664-41-7";
	gas.label = "NH3";
	assay_frame_add(f, &gas);
	assay_frame_quality(f, ASSAY_SUSPECT, "saturated");
	assay_frame_quality(f, ASSAY_UNCHECKED, "not-ready"); /* does not raise it again */
	assay_frame_device_time(f, "2026-11-22 12:00:00");
	assay_frame_span(f, 0.25);
	assay_frame_gap(f, -1, 7);
	assay_frame_gap(f, 2, 0); /* none */
	assay_frame_gap(f, 2, 1);
	assert_int_equal(assay_raw_add(&raw.handle, "application/x-test", "block", "abc", 3), 0);
	assert_int_equal(assay_raw_add(&raw.handle, "application/x-test", NULL, "defg", 4), 0);
	build(&message, UNIT_RAW_KEEP, &out);
	assert_int_equal(out.quality, ASSAY_SUSPECT);
	assert_int_equal(__builtin_popcount(out.reasons), 3); /* driver-overrun by a gap */
	assert_int_equal(out.dev.len, 19);
	assert_int_equal(out.pairs, 7); /* kind, partial, span, gaps, vars, settings, raw */
	static const char lost[] = "\x64span\x1a\x0e\xe6\xb2\x80"
				   "\x64gaps\x82\xa1\x61n\x07\xa2\x62"
				   "at\x02\x61n\x01";
	assert_non_null(memmem(out.part.data, out.part.len, lost, sizeof lost - 1));
	buffer_finish(&message);
}

static void raw_blocks_are_seen_as_they_were_added(void **state)
{
	size_t count;
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", "first", "abc", 3), 0);
	assert_int_equal(assay_raw_add(&raw.handle, "c/d", NULL, "", 0), 0);
	const struct assay_bytes *blocks = raw_blocks(&raw, &count);
	assert_int_equal(count, 2);
	assert_string_equal(blocks[0].media, "a/b");
	assert_string_equal(blocks[0].name, "first");
	assert_int_equal(blocks[0].len, 3);
	assert_memory_equal(blocks[0].data, "abc", 3);
	assert_string_equal(blocks[1].media, "c/d");
	assert_null(blocks[1].name);
	assert_int_equal(blocks[1].len, 0);
}

/* In pieces or at once: the same bytes, for each length of the size. */
static void a_block_that_grows_is_encoded_as_one_that_is_added(void **state)
{
	static const uint8_t bytes[70000] = {1, 2, 3};
	static const size_t sizes[] = {0, 1, 23, 24, 255, 256, 65535, 65536, sizeof bytes};
	struct buffer at_once = {0};
	raw_finish(&raw);
	raw_init(&raw, &host, 1 << 20);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t size = sizes[i], third = size / 3;
		const char *name = i % 2 == 0 ? "name" : NULL;
		raw_reset(&raw);
		assay_raw_add(&raw.handle, "a/b", name, bytes, size);
		assay_raw_add(&raw.handle, "c/d", "next", "abc", 3);
		buffer_reset(&at_once);
		buffer_append(&at_once, raw.encoded.data, raw.encoded.len);
		raw_reset(&raw);
		assert_int_equal(assay_raw_open(&raw.handle, "a/b", name), 0);
		for (size_t at = 0; at < size; at += third + 1) {
			size_t n = size - at < third + 1 ? size - at : third + 1;
			assert_int_equal(assay_raw_append(&raw.handle, bytes + at, n), 0);
		}
		assert_int_equal(assay_raw_close(&raw.handle), 0);
		assert_int_equal(assay_raw_add(&raw.handle, "c/d", "next", "abc", 3), 0);
		assert_int_equal(raw_complete(&raw), 0);
		assert_int_equal(raw.encoded.len, at_once.len);
		assert_memory_equal(raw.encoded.data, at_once.data, at_once.len);
		size_t count;
		const struct assay_bytes *blocks = raw_blocks(&raw, &count);
		assert_int_equal(count, 2);
		assert_int_equal(blocks[0].len, size);
		assert_memory_equal(blocks[0].data, bytes, size);
		assert_string_equal(blocks[0].media, "a/b");
		assert_memory_equal(blocks[1].data, "abc", 3);
	}
	buffer_finish(&at_once);
}

static void a_block_that_grows_keeps_to_the_rules(void **state)
{
	static const uint8_t bytes[1001];
	assert_int_equal(assay_raw_append(&raw.handle, bytes, 1), -EINVAL);
	raw_reset(&raw);
	assert_int_equal(assay_raw_close(&raw.handle), -EINVAL);
	raw_reset(&raw);
	assert_int_equal(assay_raw_open(&raw.handle, "a/b", NULL), 0);
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 1), -EINVAL);
	assert_string_equal(raw.why, "raw block 0 is still open");
	raw_reset(&raw);
	assert_int_equal(assay_raw_open(&raw.handle, "a/b", NULL), 0);
	assert_int_equal(raw_complete(&raw), -EINVAL);
	assert_string_equal(raw.why, "raw block 0 was not closed");
	raw_reset(&raw);
	assert_int_equal(assay_raw_open(&raw.handle, "a/b", NULL), 0);
	assert_int_equal(assay_raw_append(&raw.handle, bytes, 600), 0);
	assert_int_equal(assay_raw_append(&raw.handle, bytes, 401), -EMSGSIZE);
	assert_int_equal(assay_raw_append(&raw.handle, bytes, 1), -EMSGSIZE);
	assert_int_equal(assay_raw_close(&raw.handle), -EMSGSIZE);
	assert_int_equal(raw_complete(&raw), -EMSGSIZE);
}

static void raw_blocks_keep_to_the_driver_s_own_limit(void **state)
{
	static const uint8_t bytes[1001];
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 600), 0);
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 401), -EMSGSIZE);
	assert_string_equal(
		raw.why, "401 raw bytes after 600 are more than the driver's raw_max of 1000");
	raw_reset(&raw);
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 1000), 0);
	raw_reset(&raw);
	for (size_t i = 0; i < RAW_BLOCKS_MAX; i++)
		assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 1), 0);
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 1), -EMSGSIZE);
	assert_string_equal(raw.why, "a frame has at most 64 raw blocks");
}

/* The driver may look at no result: no later block makes the frame complete again. */
static void a_refused_block_refuses_all_after_it(void **state)
{
	static const uint8_t bytes[1001];
	const struct {
		const char *media, *name;
		const void *data;
		size_t len;
		int error;
	} wrong[] = {{"a/b", NULL, bytes, 1001, -EMSGSIZE}, {NULL, NULL, bytes, 1, -EINVAL},
		{"\xff", NULL, bytes, 1, -EINVAL}, {"a/b", "\xff", bytes, 1, -EINVAL},
		{"a/b", NULL, NULL, 1, -EINVAL}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		raw_reset(&raw);
		assert_int_equal(assay_raw_add(&raw.handle, wrong[i].media, wrong[i].name,
					 wrong[i].data, wrong[i].len),
			wrong[i].error);
		assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 1), wrong[i].error);
		assert_int_equal(raw.error, wrong[i].error);
	}
	raw_reset(&raw);
	assert_int_equal(assay_raw_add(&raw.handle, "a/b", NULL, bytes, 1), 0);
}

/* Names of peaks, two detectors, and a status word with the meaning of its bits. */
static void texts_channels_and_bits_pass_the_check(void **state)
{
	static const char *const peaks[] = {"CO2", "CH4"};
	static const char *const meanings[] = {"too hot", NULL, "lamp off"};
	static const double signal[] = {1, 2};
	static const uint8_t status[] = {4, 1};
	struct buffer message = {0};
	struct wire_frame out;
	struct assay_frame *f = &frame.handle;
	assay_frame_kind(f, ASSAY_CHROMATOGRAM);
	assay_add_linear_axis(f, "time", "s", 0, 1, 2);
	struct assay_variable v = {.name = "peak",
		.role = ASSAY_AUX,
		.dims = {"time"},
		.unit = "1",
		.type = ASSAY_TEXTS,
		.texts = peaks,
		.count = 2};
	assay_frame_add(f, &v);
	v = (struct assay_variable){.name = "signal",
		.role = ASSAY_DATA,
		.dims = {"time"},
		.unit = "V",
		.channel = "fid",
		.unc = {.kind = "expanded", .k = 2, .p = 0.95, .value = 0.1},
		.type = ASSAY_F64,
		.data = signal,
		.count = 2};
	assay_frame_add(f, &v);
	v.channel = "tcd";
	assay_frame_add(f, &v);
	v = (struct assay_variable){.name = "status",
		.role = ASSAY_FLAGS,
		.of = "signal",
		.channel = "tcd",
		.dims = {"time"},
		.unit = "1",
		.bits = meanings,
		.bit_count = 3,
		.type = ASSAY_U8,
		.data = status,
		.count = 2};
	assay_frame_add(f, &v);
	build(&message, UNIT_RAW_KEEP, &out);
#define HAS(bytes) assert_non_null(memmem(out.part.data, out.part.len, bytes, sizeof(bytes) - 1))
	HAS("\x64"
	    "data\x82\x63"
	    "CO2\x63"
	    "CH4");
	HAS("\x67"
	    "channel\x63"
	    "fid");
	HAS("\x64"
	    "bits\xa2\x00\x67too hot\x02\x68lamp off");
	HAS("\x61p\xfb\x3f\xee\x66\x66\x66\x66\x66\x66"); /* 0.95 */
	buffer_finish(&message);
}

static void hashed_blocks_have_no_data_and_pass_the_check(void **state)
{
	/* SHA-256 of "abc", FIPS 180-2 */
	static const uint8_t digest[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
	struct buffer message = {0};
	struct wire_frame out;
	add_spectrum(&frame.handle);
	assay_raw_add(&raw.handle, "application/x-test", "block", "abc", 3);
	build(&message, UNIT_RAW_HASH, &out);
	assert_non_null(memmem(out.part.data, out.part.len, digest, sizeof digest));
	assert_null(memmem(out.part.data, out.part.len,
		"\x64"
		"data\x43"
		"abc",
		9));
	buffer_finish(&message);
}

static void expect_fault(const struct assay_variable *v, const char *text)
{
	frame_reset(&frame);
	assay_frame_kind(&frame.handle, ASSAY_SCALARS);
	assay_add_float(&frame.handle, "good", ASSAY_DATA, 1, "V");
	assay_frame_add(&frame.handle, v);
	assay_add_float(&frame.handle, "more", ASSAY_DATA, 1, "V");
	struct iovec pieces[FRAME_PIECES];
	struct wire_frame head = {.utc = 1};
	assert_int_equal(frame_message(&frame, 0, &head, &(struct frame_step){0}, &raw,
				 UNIT_RAW_KEEP, pieces),
		-EINVAL);
	assert_string_equal(frame.why, text);
}

static void texts_channels_and_bits_keep_to_the_rules(void **state)
{
	static const char *const texts[] = {"a", "\xff"};
	static const uint8_t data[2];
	struct assay_variable v = {.name = "x",
		.role = ASSAY_DATA,
		.dims = {"x"},
		.unit = "1",
		.type = ASSAY_TEXTS,
		.texts = texts,
		.count = 2};
	expect_fault(&v, "variable 'x': a text that is not UTF-8");
	v.count = 0;
	expect_fault(&v, "variable 'x': texts without elements, or more than 65536");
	v.count = 1;
	v.dims[1] = "y";
	expect_fault(&v, "variable 'x': texts along more than one dimension");
	v.dims[0] = v.dims[1] = NULL;
	expect_fault(&v, "variable 'x': many values, but no dimension");
	v = (struct assay_variable){.name = "x",
		.role = ASSAY_DATA,
		.dims = {"x"},
		.unit = "1",
		.type = ASSAY_U8,
		.data = data,
		.count = 2,
		.bits = texts,
		.bit_count = 1};
	expect_fault(&v, "variable 'x': meanings of bits, but no flags, or more than 64");
	v.role = ASSAY_FLAGS;
	v.of = "good";
	v.bit_count = 65;
	expect_fault(&v, "variable 'x': meanings of bits, but no flags, or more than 64");
	v.bit_count = 2;
	expect_fault(&v, "variable 'x': a meaning of a bit that is not UTF-8, or too long");
}

static void the_first_fault_of_a_frame_sticks(void **state)
{
	static const int32_t data[6];
	struct assay_variable v = {.name = "x",
		.role = ASSAY_DATA,
		.unit = "V",
		.type = ASSAY_SCALAR_FLOAT,
		.real = __builtin_inf()};
	expect_fault(&v, "variable 'x': a number that is not finite");
	v.real = 1;
	v.name = "good";
	expect_fault(
		&v, "variable 'good': another one has the same name, analyte, basis and channel");
	v.name = "X";
	expect_fault(&v, "variable 1 has no proper name");
	v.name = "x";
	v.unit = NULL;
	expect_fault(&v, "variable 'x': no unit");
	v.unit = "V";
	v.role = ASSAY_FLAGS;
	expect_fault(&v, "variable 'x': `of` is for uncertainty and flags, and is needed there");
	v.role = ASSAY_DATA;
	v.type = ASSAY_I32;
	v.data = data;
	v.count = 6;
	expect_fault(&v, "variable 'x': many values, but no dimension");
	v.dims[0] = "a";
	v.dims[1] = "b";
	v.shape[0] = 4;
	v.shape[1] = 2;
	expect_fault(&v, "variable 'x': a shape that does not fit its number of elements");
	v.shape[0] = SIZE_MAX / 2 + 2;
	v.shape[1] = 2;
	expect_fault(&v, "variable 'x': a shape that is too large");
	v.dims[1] = NULL;
	v.count = 0;
	expect_fault(&v, "variable 'x': an array without elements");
	v.count = 6;
	v.label = "\xff";
	expect_fault(&v, "variable 'x': a text that is not UTF-8, or too long");
}

static void unknown_reasons_are_the_driver_s_fault(void **state)
{
	add_spectrum(&frame.handle);
	assay_frame_quality(&frame.handle, ASSAY_BAD, "because");
	assert_int_equal(frame.error, -EINVAL);
	assert_string_equal(frame.why, "'because' is not a reason of the list");
}

static void scratch_memory_is_zeroed_and_aligned(void **state)
{
	for (size_t i = 1; i < 40; i++) {
		uint8_t *at = assay_frame_scratch(&frame.handle, i);
		assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < i; k++)
			assert_int_equal(at[k], 0);
		memset(at, 0xff, i);
	}
	assert_null(assay_frame_scratch(&frame.handle, SIZE_MAX));
}

/* --- modules ---------------------------------------------------------------------------------- */

static int nothing(void)
{
	return 0;
}

static void tables_that_break_the_contract_are_named(void **state)
{
	struct assay_driver d = {
		ASSAY_DRIVER_HEAD,
		.name = "x",
		.version = "1",
		.summary = "s",
		.links = ASSAY_LINK_NONE,
		.settings = table,
		.identify = (int (*)(struct assay_instrument *, struct assay_identity *))(
			void (*)(void))nothing,
		.acquire = (int (*)(struct assay_instrument *, struct assay_raw *))(
			void (*)(void))nothing,
		.decode = (int (*)(const struct assay_decoding *, struct assay_frame *))(
			void (*)(void))nothing,
	};
	assert_null(module_complaint(&d, "x"));
	assert_string_equal(module_complaint(&d, "y"), "its name is not that of its file");
	d.decode = NULL;
	assert_string_equal(module_complaint(&d, "x"), "it lacks identify, acquire or decode");
}

#define T(test) cmocka_unit_test_setup(test, make_host)
#define F(test) cmocka_unit_test_setup_teardown(test, make_frame, drop_frame)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(numbers_are_read_whole_and_exactly),
		T(what_is_no_number_is_refused),
		T(the_locale_does_not_matter),
		T(integers_keep_to_64_bits),
		T(frames_are_due_at_whole_multiples),
		T(waking_a_little_early_is_not_due_twice),
		T(what_went_by_without_anything_to_make_is_not_missed),
		T(setting_the_clock_misses_nothing),
		T(what_is_missed_is_counted_from_a_frame_made_at_once),
		T(without_a_period_there_is_no_pace),
		T(settings_are_read_by_their_types),
		T(absent_settings_read_as_nothing),
		T(lists_and_tables_are_read_row_by_row),
		T(settings_outside_of_the_table_are_refused_by_name),
		T(a_required_column_that_lacks_is_named),
		T(asking_for_what_was_not_declared_ends_the_process),
		T(what_was_read_back_stands_in_for_what_was_sent),
		F(a_whole_frame_passes_the_core_s_check),
		F(a_frame_of_a_step_says_the_step_s_settings),
		F(raw_blocks_are_seen_as_they_were_added),
		F(a_block_that_grows_is_encoded_as_one_that_is_added),
		F(a_block_that_grows_keeps_to_the_rules),
		F(raw_blocks_keep_to_the_driver_s_own_limit),
		F(a_refused_block_refuses_all_after_it),
		F(hashed_blocks_have_no_data_and_pass_the_check),
		F(texts_channels_and_bits_pass_the_check),
		F(texts_channels_and_bits_keep_to_the_rules),
		F(the_first_fault_of_a_frame_sticks),
		F(unknown_reasons_are_the_driver_s_fault),
		F(scratch_memory_is_zeroed_and_aligned),
		T(tables_that_break_the_contract_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
