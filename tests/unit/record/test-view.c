/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "examples.h"
#include "record/encode.h"
#include "record/entry.h"

static struct buffer bytes;
static struct assay_entry_view entry;

static void read_example(const char *name)
{
	for (size_t i = 0; i < examples_count; i++) {
		if (strcmp(examples[i].name, name) != 0)
			continue;
		buffer_reset(&bytes);
		examples[i].build(&bytes);
		assert_int_equal(assay_entry_read(bytes.data, bytes.len, &entry), 0);
		return;
	}
	fail_msg("no example %s", name);
}

static int finish(void **state)
{
	buffer_finish(&bytes);
	return 0;
}

static struct assay_frame_view read_frame(const char *name)
{
	struct assay_frame_view frame;
	read_example(name);
	assert_int_equal(assay_frame_read(entry.body.data, entry.body.len, &frame), 0);
	return frame;
}

static struct assay_record_view read_record(const char *name)
{
	struct assay_record_view record;
	read_example(name);
	assert_int_equal(assay_record_read(entry.body.data, entry.body.len, &record), 0);
	return record;
}

#define assert_text(text, expected)                                                       \
	do {                                                                              \
		if (!assay_string_is(text, expected))                                     \
			fail_msg("%.*s, not %s", (int)(text).len, (text).data, expected); \
	} while (0)

static void an_entry_shows_its_place(void **state)
{
	read_example("seal");
	assert_int_equal(entry.seq, 1042);
	assert_int_equal(entry.prev, 1040);
	assert_int_equal(entry.journal[0], 0x1c);
	assert_text(entry.topic, "a1/seal/-/ccl-tokyo/bench-3/-/");
	assert_int_equal(assay_entry_read(bytes.data, bytes.len - 1, &entry), -EBADMSG);
	assert_null(entry.body.data);
}

static void a_run_start_shows_the_most_used_keys(void **state)
{
	struct assay_record_view r = read_record("run-start");
	assert_int_equal(r.type, ASSAY_RECORD_RUN_START);
	assert_text(r.number, "bench-3/xrf-1/20261122-007");
	assert_text(r.technique, "CHMO:0000307");
	assert_text(r.sample, "CCL-2026-00451");
	assert_text(r.person, "op-17");
	assert_text(r.method, "alloys");
	assert_text(r.mode, "on-demand");
	assert_text(r.sync, "always");
	assert_text(r.inst.serial, "2524");
	assert_text(r.inst.source, "read");
	assert_int_equal(r.run[0], 0x2d);
	assert_int_equal(r.config[0], 0xba);
	assert_int_equal(r.t.sync, ASSAY_SYNC_NTP);
	assert_int_equal(r.t.unc, 1500000);
	assert_true(r.settings.len > 0 && r.settings.data[0] == 0xa6);
	assert_null(r.ctx);
	assert_null(r.status.data);
	assert_false(r.sim);
	assert_true(read_record("run-start-simulated").sim);
}

static void other_records_show_their_keys(void **state)
{
	struct assay_record_view r = read_record("run-end-aborted");
	assert_text(r.status, "aborted");
	assert_text(r.why, "sample moved");
	assert_text(r.actor, "uid 1000 (keiko)");
	assert_int_equal(r.digest[31], 0xad);
	assert_text(read_record("state").state, "idle");
	assert_text(read_record("state-simulated").t.dev, "22/11/26 08:15");
	assert_text(read_record("audit").event, "configuration");
	assert_text(read_record("amend").reason, "barcode of the neighbour");
	assert_int_equal(read_record("seal").size, 1041);
	assert_int_equal(read_record("run-end-complete").frames, 8);
}

static void a_frame_shows_step_quality_and_place_in_the_run(void **state)
{
	struct assay_frame_view f = read_frame("frame-spectrum-linear");
	assert_int_equal(f.kind, ASSAY_KIND_SPECTRUM);
	assert_int_equal(f.record.n, 7);
	assert_int_equal(f.quality, ASSAY_QUALITY_GOOD);
	assert_int_equal(f.step, 1);
	assert_int_equal(f.steps, 2);
	assert_text(f.step_name, "Al 200 um, 40 kV");
	assert_true(f.partial);
	assert_int_equal(f.vars_count, 4);
	assert_non_null(f.raw.data);
	f = read_frame("frame-suspect");
	assert_int_equal(f.quality, ASSAY_QUALITY_SUSPECT);
	assert_int_equal(f.retries, 2);
	assert_int_equal(f.dropped, 17);
	assert_non_null(f.why.data);
	assert_true(f.record.sim);
}

static void variables_come_in_order_and_by_name(void **state)
{
	static const char *const names[] = {"energy", "counts", "live_time", "fast_count"};
	struct assay_frame_view f = read_frame("frame-spectrum-linear");
	struct assay_var_view var;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(assay_frame_next(&f, &var), 1);
			assert_text(var.name, names[i]);
		}
		assert_int_equal(assay_frame_next(&f, &var), 0);
		assay_frame_rewind(&f);
	}
	assert_int_equal(assay_frame_find(&f, "counts", &var), 0);
	assert_int_equal(var.role, ASSAY_ROLE_DATA);
	assert_int_equal(var.dims_count, 1);
	assert_text(var.dims[0], "energy");
	assert_text(var.unit, "{count}");
	assert_text(var.qty, "MS:1000131");
	assert_text(var.label, "Counts");
	assert_int_equal(assay_frame_find(&f, "nothing", &var), -ENOENT);
}

static void every_form_gives_its_numbers(void **state)
{
	struct assay_frame_view f = read_frame("frame-spectrum-linear");
	struct assay_var_view var;
	uint64_t u;
	bool negative;
	assert_int_equal(assay_frame_find(&f, "energy", &var), 0);
	assert_int_equal(var.form, ASSAY_FORM_LINEAR);
	assert_int_equal(var.count, 4);
	assert_true(assay_var_number(&var, 3) == -0.02 + 3 * 0.0101);
	assert_false(assay_var_integer(&var, 0, &u, &negative));
	assert_int_equal(assay_frame_find(&f, "counts", &var), 0);
	assert_int_equal(var.form, ASSAY_FORM_ARRAY);
	assert_true(assay_var_number(&var, 2) == 4294967295.0);
	assert_int_equal(assay_frame_find(&f, "live_time", &var), 0);
	assert_true(assay_var_number(&var, 0) == 0.1);
	assert_int_equal(assay_frame_find(&f, "fast_count", &var), 0);
	assert_true(assay_var_integer(&var, 0, &u, &negative));
	assert_true(negative && u == 1);
	f = read_frame("frame-scalar");
	assert_int_equal(assay_frame_find(&f, "status_word", &var), 0);
	assert_int_equal(var.form, ASSAY_FORM_UINT);
	assert_true(assay_var_integer(&var, 0, &u, &negative) && u == UINT64_MAX && !negative);
	assert_int_equal(assay_frame_find(&f, "cell_pressure", &var), 0);
	assert_int_equal(var.element, ASSAY_ELEMENT_F32);
	assert_int_equal(assay_frame_find(&f, "status_text", &var), 0);
	assert_text(assay_var_text(&var, 0), "measuring \xe2\x80\x93 ok");
	assert_true(isnan(assay_var_number(&var, 0)));
	assert_int_equal(assay_frame_find(&f, "concentration_unc", &var), 0);
	assert_text(var.of, "concentration");
	assert_text(var.analyte, "CO");
	assert_text(var.basis, "wet");
	assert_null(var.cas.data);
}

static void every_element_type_gives_its_numbers(void **state)
{
	static const double first[] = {0, 258, 16909060, 9007199254740992.0, -128, -32768,
		-2147483648.0, -9223372036854775808.0, 3.4028234663852886e38, -INFINITY};
	static const double second[] = {255, 65535, 4294967295.0, 18446744073709551615.0, 127,
		32767, 2147483647, -1, 1.401298464324817e-45, 0.1};
	struct assay_frame_view f = read_frame("frame-elements");
	struct assay_var_view var;
	assert_int_equal(assay_frame_next(&f, &var), 1);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(assay_frame_next(&f, &var), 1);
		assert_int_equal(var.element, ASSAY_ELEMENT_U8 + i);
		const char *name = assay_element_name(var.element);
		assert_memory_equal(name, var.name.data + 2, strlen(name));
		assert_true(assay_var_number(&var, 0) == first[i]);
		assert_true(assay_var_number(&var, 1) == second[i]);
	}
}

static void arrays_keep_their_dimensions_and_texts(void **state)
{
	struct assay_frame_view f = read_frame("frame-spectrum-nd");
	struct assay_var_view var;
	assert_int_equal(assay_frame_find(&f, "image", &var), 0);
	assert_int_equal(var.form, ASSAY_FORM_ND);
	assert_int_equal(var.dims_count, 3);
	assert_int_equal(var.shape[0], 3);
	assert_int_equal(var.shape[1], 1);
	assert_int_equal(var.shape[2], 2);
	assert_int_equal(var.count, 6);
	assert_true(assay_var_number(&var, 5) == 65535);
	f = read_frame("frame-table");
	assert_int_equal(assay_frame_find(&f, "element", &var), 0);
	assert_int_equal(var.form, ASSAY_FORM_TEXTS);
	assert_int_equal(var.count, 3);
	assert_text(assay_var_text(&var, 2), "Cu");
}

static void keys_of_the_future_are_passed_over(void **state)
{
	struct assay_record_view r;
	struct buffer b = {0};
	struct map map;
	map_open(&map, &b);
	map_text(&map, "type", "seal");
	map_uint(&map, "v", 1);
	map_text(&map, "tree", "new");
	map_uint(&map, "size", 5);
	map_close(&map);
	assert_int_equal(assay_record_read(b.data, b.len, &r), 0);
	assert_int_equal(r.size, 5);
	buffer_finish(&b);
}

static void unknown_records_are_not_broken_records(void **state)
{
	struct assay_record_view r;
	struct assay_frame_view f;
	assert_int_equal(assay_record_read("\xa1\x64type\x63new", 10, &r), -EOPNOTSUPP);
	assert_int_equal(assay_record_read("\xa2\x64type\x64seal\x61v\x02", 14, &r), -EOPNOTSUPP);
	assert_int_equal(assay_record_read("\xa1\x64type\x63", 7, &r), -EBADMSG);
	read_example("seal");
	assert_int_equal(assay_frame_read(entry.body.data, entry.body.len, &f), -EINVAL);
	assert_null(f.vars.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_shows_its_place),
		cmocka_unit_test(a_run_start_shows_the_most_used_keys),
		cmocka_unit_test(other_records_show_their_keys),
		cmocka_unit_test(a_frame_shows_step_quality_and_place_in_the_run),
		cmocka_unit_test(variables_come_in_order_and_by_name),
		cmocka_unit_test(every_form_gives_its_numbers),
		cmocka_unit_test(every_element_type_gives_its_numbers),
		cmocka_unit_test(arrays_keep_their_dimensions_and_texts),
		cmocka_unit_test(keys_of_the_future_are_passed_over),
		cmocka_unit_test(unknown_records_are_not_broken_records),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
