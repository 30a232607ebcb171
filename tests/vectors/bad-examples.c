/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "examples.h"
#include "parts.h"
#include "record/record.h"

static const uint8_t bytes[32] = {1};

/* Takes the part or record and finishes it. */
static void put_frame(struct buffer *entry, struct buffer *part, size_t pairs)
{
	struct buffer record = {0};
	example_frame(&record, part, pairs);
	example_entry(entry, EXAMPLE_DATA, &record);
	buffer_finish(&record);
	buffer_finish(part);
}

static void put_record(struct buffer *entry, const char *topic, struct buffer *record)
{
	example_entry(entry, topic, record);
	buffer_finish(record);
}

/* A record that consists of these bytes. */
static void put_bytes(struct buffer *entry, const void *data, size_t len)
{
	struct buffer record = {0};
	encode_raw(&record, data, len);
	put_record(entry, EXAMPLE_DATA, &record);
}
#define PUT_BYTES(entry, literal) put_bytes(entry, literal, sizeof(literal) - 1)

/* A frame with one variable, a single float, of this name, role and unit. */
static void put_scalar(struct buffer *entry, const char *name, const char *role, const char *unit)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "scalar", 1);
	part_open_var(&var, &part, name, role, NULL, unit);
	map_f64(&var, "data", 1);
	map_close(&var);
	put_frame(entry, &part, 2);
}

/* A frame with counts on a typed axis of `n` elements. */
static void put_on_axis(
	struct buffer *entry, enum assay_element element, const void *axis, size_t n)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 1);
	part_typed(&part, "energy", "axis", "energy", "keV", element, axis, n);
	put_frame(entry, &part, 2);
}

/* A frame with one more pair after its only variable; the caller writes the value. */
static void begin_pair(struct buffer *part, const char *key)
{
	part_begin(part, "scalar", 1);
	part_number(part, "dead_time", "%", 1);
	encode_text(part, key);
}

static void huge_array(struct buffer *entry)
{
	PUT_BYTES(entry, "\x9b\0\0\0\0\x10\0\0\0");
}

static void huge_map(struct buffer *entry)
{
	PUT_BYTES(entry, "\xba\x10\0\0\0");
}

static void no_type(struct buffer *entry)
{
	PUT_BYTES(entry, "\xa1\x61v\x01");
}

static void unknown_type(struct buffer *entry)
{
	PUT_BYTES(entry, "\xa2\x64type\x65hello\x61v\x01");
}

static void later_version(struct buffer *entry)
{
	PUT_BYTES(entry, "\xa2\x64type\x64seal\x61v\x02");
}

static void trailing_bytes(struct buffer *entry)
{
	struct buffer record = {0};
	record_seal(&record, &(struct seal){1, bytes, "note", {{0}, 0}});
	encode_raw(&record, "\xf6", 1);
	put_record(entry, "a1/seal/-/ccl-tokyo/bench-3/-/", &record);
}

static void half_float(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "x-half");
	encode_raw(&part, "\xf9\x3c\x00", 3);
	put_frame(entry, &part, 3);
}

static void nan_outside_array(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "x-nan");
	encode_f64(&part, NAN);
	put_frame(entry, &part, 3);
}

static void duplicate_key(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "settings");
	encode_map(&part, 2);
	for (int i = 0; i < 2; i++) {
		encode_text(&part, "gain");
		encode_uint(&part, 1);
	}
	put_frame(entry, &part, 3);
}

static void deep_nesting(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "x-deep");
	for (int i = 0; i < 8; i++)
		encode_array(&part, 1);
	encode_raw(&part, "\xf6", 1);
	put_frame(entry, &part, 3);
}

static void keys_out_of_order(struct buffer *entry)
{
	struct buffer part = {0};
	encode_text(&part, "vars");
	encode_array(&part, 1);
	part_number(&part, "dead_time", "%", 1);
	encode_text(&part, "kind");
	encode_text(&part, "scalar");
	put_frame(entry, &part, 2);
}

static void key_after_extension(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "x-a");
	encode_raw(&part, "\xf6", 1);
	encode_text(&part, "settings");
	encode_map(&part, 0);
	put_frame(entry, &part, 4);
}

static void unknown_key(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "colour");
	encode_text(&part, "red");
	put_frame(entry, &part, 3);
}

static void no_vars(struct buffer *entry)
{
	struct buffer part = {0};
	encode_text(&part, "kind");
	encode_text(&part, "scalar");
	put_frame(entry, &part, 1);
}

static void empty_vars(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "scalar", 0);
	put_frame(entry, &part, 2);
}

static void unknown_kind(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "scan", 1);
	part_number(&part, "dead_time", "%", 1);
	put_frame(entry, &part, 2);
}

static void spectrum_of_single_values(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 1);
	part_number(&part, "dead_time", "%", 1);
	put_frame(entry, &part, 2);
}

static void scalar_along_an_axis(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "scalar", 2);
	part_axis(&part, "energy", "keV", 0, 1, 2);
	part_typed(&part, "counts", "data", "energy", "{count}", ASSAY_ELEMENT_U8, "\1\2", 2);
	put_frame(entry, &part, 2);
}

static void unit_of_another_system(struct buffer *entry)
{
	put_scalar(entry, "intensity", "data", "Da");
}

static void cas_that_does_not_check(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var, analyte;
	part_begin(&part, "scalar", 1);
	part_open_var(&var, &part, "concentration", "data", NULL, "mg/m3");
	map_key(&var, "analyte");
	map_open(&analyte, &part);
	map_text(&analyte, "name", "CO");
	map_text(&analyte, "cas", "630-08-1");
	map_close(&analyte);
	map_f64(&var, "data", 1);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void unit_of_another_quantity(struct buffer *entry)
{
	put_scalar(entry, "partial_pressure", "data", "kg");
}

static void bad_name(struct buffer *entry)
{
	put_scalar(entry, "Dead-Time", "aux", "%");
}

static void unknown_role(struct buffer *entry)
{
	put_scalar(entry, "dead_time", "extra", "%");
}

static void uncertainty_of_nothing(struct buffer *entry)
{
	put_scalar(entry, "dead_time_unc", "uncertainty", "%");
}

static void of_unknown(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "scalar", 1);
	map_open(&var, &part);
	map_text(&var, "name", "dead_time_unc");
	map_text(&var, "role", "uncertainty");
	map_text(&var, "of", "dead_time");
	map_key(&var, "dims");
	encode_array(&part, 0);
	map_text(&var, "unit", "%");
	map_f64(&var, "data", 1);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void same_variable_twice(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "scalar", 2);
	part_number(&part, "dead_time", "%", 1);
	part_number(&part, "dead_time", "%", 2);
	put_frame(entry, &part, 2);
}

static void no_axis(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 1);
	part_typed(&part, "counts", "data", "energy", "{count}", ASSAY_ELEMENT_U8, "ab", 2);
	put_frame(entry, &part, 2);
}

static void length_differs_from_axis(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 2);
	part_axis(&part, "energy", "keV", 0, 1, 3);
	part_typed(&part, "counts", "data", "energy", "{count}", ASSAY_ELEMENT_U8, "ab", 2);
	put_frame(entry, &part, 2);
}

static void axis_of_another_name(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 1);
	part_open_var(&var, &part, "energy", "axis", "channel", "keV");
	map_key(&var, "data");
	encode_linear(&part, 0, 1, 3);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void axis_that_turns(struct buffer *entry)
{
	put_on_axis(entry, ASSAY_ELEMENT_I16, (const int16_t[]){3, 2, 2}, 3);
}

static void axis_with_nan(struct buffer *entry)
{
	put_on_axis(entry, ASSAY_ELEMENT_F32, (const float[]){1, NAN, 3}, 3);
}

static void axis_to_infinity(struct buffer *entry)
{
	put_on_axis(entry, ASSAY_ELEMENT_F64, (const double[]){1, 2, INFINITY}, 3);
}

static void axis_without_step(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 1);
	part_axis(&part, "energy", "keV", 0, 0, 2);
	put_frame(entry, &part, 2);
}

static void endless_axis(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 1);
	part_axis(&part, "energy", "keV", 0, 1, SIZE_MAX);
	put_frame(entry, &part, 2);
}

static void torn_element(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 1);
	part_open_var(&var, &part, "energy", "axis", "energy", "keV");
	map_key(&var, "data");
	encode_tag(&part, 85);
	encode_bytes(&part, bytes, 7);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void big_endian(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 1);
	part_open_var(&var, &part, "energy", "axis", "energy", "keV");
	map_key(&var, "data");
	encode_tag(&part, 81);
	encode_bytes(&part, bytes, 8);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void scalar_with_dims(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 2);
	part_axis(&part, "energy", "keV", 0, 1, 1);
	part_open_var(&var, &part, "counts", "data", "energy", "{count}");
	map_uint(&var, "data", 1);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void shape_differs_from_axes(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 3);
	part_axis(&part, "delay", "ms", 0, 1, 3);
	part_axis(&part, "wavelength", "nm", 0, 1, 2);
	map_open(&var, &part);
	map_text(&var, "name", "single_beam");
	map_text(&var, "role", "data");
	map_key(&var, "dims");
	part_texts(&part, (const char *const[]){"delay", "wavelength"}, 2);
	map_text(&var, "unit", "1");
	map_key(&var, "data");
	encode_nd(&part, (const size_t[]){2, 3}, 2, ASSAY_ELEMENT_U8, bytes, 6);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void array_without_dims(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "scalar", 1);
	part_typed(&part, "counts", "data", NULL, "{count}", ASSAY_ELEMENT_U8, "ab", 2);
	put_frame(entry, &part, 2);
}

/* An axis of 2 elements, and counts of these dims, with tag 40 or without. */
static void put_counts_over(
	struct buffer *entry, const char *const *dims, size_t count, bool has_tag)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 2);
	part_axis(&part, "energy", "keV", 0, 1, 2);
	map_open(&var, &part);
	map_text(&var, "name", "counts");
	map_text(&var, "role", "data");
	map_key(&var, "dims");
	part_texts(&part, dims, count);
	map_text(&var, "unit", "{count}");
	map_key(&var, "data");
	if (has_tag)
		encode_nd(&part, (const size_t[]){2}, 1, ASSAY_ELEMENT_U8, bytes, 2);
	else
		encode_typed(&part, ASSAY_ELEMENT_U8, bytes, 2);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void tag_40_for_one_dimension(struct buffer *entry)
{
	put_counts_over(entry, (const char *const[]){"energy"}, 1, true);
}

static void plain_array_for_two_dimensions(struct buffer *entry)
{
	put_counts_over(entry, (const char *const[]){"energy", "energy"}, 2, false);
}

static void axis_that_ends_at_infinity(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 1);
	part_axis(&part, "energy", "keV", 1e308, 1e308, 3);
	put_frame(entry, &part, 2);
}

/* An array of uncertainties over another axis than the values have. */
static void of_over_another_axis(struct buffer *entry)
{
	struct buffer part = {0};
	struct map var;
	part_begin(&part, "spectrum", 4);
	part_axis(&part, "energy", "keV", 0, 1, 2);
	part_axis(&part, "channel", "1", 0, 1, 2);
	part_typed(&part, "counts", "data", "energy", "{count}", ASSAY_ELEMENT_U8, "ab", 2);
	map_open(&var, &part);
	map_text(&var, "name", "counts_unc");
	map_text(&var, "role", "uncertainty");
	map_text(&var, "of", "counts");
	map_key(&var, "dims");
	part_texts(&part, (const char *const[]){"channel"}, 1);
	map_text(&var, "unit", "{count}");
	map_key(&var, "data");
	encode_typed(&part, ASSAY_ELEMENT_U8, bytes, 2);
	map_close(&var);
	put_frame(entry, &part, 2);
}

static void step_beyond_the_last(struct buffer *entry)
{
	struct buffer part = {0};
	encode_text(&part, "kind");
	encode_text(&part, "scalar");
	encode_text(&part, "step");
	encode_map(&part, 3);
	encode_text(&part, "i");
	encode_uint(&part, 3);
	encode_text(&part, "of");
	encode_uint(&part, 2);
	encode_text(&part, "name");
	encode_text(&part, "light");
	encode_text(&part, "vars");
	encode_array(&part, 1);
	part_number(&part, "dead_time", "%", 1);
	put_frame(entry, &part, 3);
}

static void raw_without_bytes(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "raw");
	encode_array(&part, 1);
	encode_map(&part, 2);
	encode_text(&part, "media");
	encode_text(&part, "text/plain");
	encode_text(&part, "size");
	encode_uint(&part, 3);
	put_frame(entry, &part, 3);
}

static void raw_of_another_size(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "raw");
	encode_array(&part, 1);
	encode_map(&part, 3);
	encode_text(&part, "media");
	encode_text(&part, "text/plain");
	encode_text(&part, "size");
	encode_uint(&part, 3);
	encode_text(&part, "data");
	encode_bytes(&part, "ab", 2);
	put_frame(entry, &part, 3);
}

static void setting_without_unit(struct buffer *entry)
{
	struct buffer part = {0};
	begin_pair(&part, "settings");
	encode_map(&part, 1);
	encode_text(&part, "gain");
	encode_map(&part, 1);
	encode_text(&part, "v");
	encode_uint(&part, 1);
	put_frame(entry, &part, 3);
}

#define STATE                                                        \
	.base = {.id = bytes,                                        \
		.t = {.utc = 1, .sync = ASSAY_SYNC_RTC},             \
		.inst = {.key = "xrf-1", .source = ID_SOURCE_READ}}, \
	.state = DEVICE_STATE_IDLE

static void state_on_data_topic(struct buffer *entry)
{
	struct buffer record = {0};
	record_state(&record, &(struct dev_state){STATE});
	put_record(entry, EXAMPLE_DATA, &record);
}

static void simulation_on_real_topic(struct buffer *entry)
{
	struct buffer record = {0};
	record_state(&record, &(struct dev_state){STATE, .sim = true});
	put_record(entry, EXAMPLE_STATE, &record);
}

static void topic_of_another_instrument(struct buffer *entry)
{
	struct buffer record = {0};
	record_state(&record, &(struct dev_state){STATE});
	put_record(entry, "a1/state/xrf/ccl-tokyo/bench-3/xrf-2/", &record);
}

static void topic_without_slash(struct buffer *entry)
{
	struct buffer record = {0};
	record_state(&record, &(struct dev_state){STATE});
	put_record(entry, "a1/state/xrf/ccl-tokyo/bench-3/xrf-1", &record);
}

static void empty_record(struct buffer *entry)
{
	PUT_BYTES(entry, "");
}

#define WHOLE_BASE                                       \
	.base = {.id = bytes,                            \
		.t = {.utc = 1, .sync = ASSAY_SYNC_RTC}, \
		.inst = {.key = "xrf-1",                 \
			.make = "a",                     \
			.model = "b",                    \
			.serial = "none",                \
			.source = ID_SOURCE_DECLARED}}

/* A frame of one variable with this quality. */
static void put_quality(struct buffer *entry, const struct quality *quality)
{
	struct buffer record = {0}, part = {0};
	struct frame_head head = {WHOLE_BASE, .run = bytes, .ctx = bytes, .q = *quality};
	part_begin(&part, "scalar", 1);
	part_number(&part, "dead_time", "%", 1);
	record_frame(&record, &head, (struct assay_span){part.data, part.len}, 2);
	put_record(entry, EXAMPLE_DATA, &record);
	buffer_finish(&part);
}

static void invented_reason(struct buffer *entry)
{
	put_quality(entry,
		&(struct quality){.flag = ASSAY_QUALITY_SUSPECT, .why = {"tired"}, .why_count = 1});
}

static void invented_flag(struct buffer *entry)
{
	put_quality(entry, &(struct quality){.flag = (enum assay_quality_flag)5});
}

#define RUN_START                                                                               \
	WHOLE_BASE, .run = bytes, .number = "bench-3/xrf-1/20261122-007",                       \
		    .technique = {"CHMO:0000307", NULL}, .mode = RUN_MODE_REPEAT,               \
		    .driver = {"a", "1", NULL}, .core = {"assayd", "1", NULL}, .config = bytes, \
		    .sync = "always", .operator=                                                \
	{                                                                                       \
		"none", 0                                                                       \
	}

static void run_without_sample(struct buffer *entry)
{
	struct buffer record = {0};
	record_run_start(&record, &(struct run_start){RUN_START, .sample = {.id = ""}});
	put_record(entry, EXAMPLE_DATA, &record);
}

static void run_without_serial(struct buffer *entry)
{
	struct buffer record = {0};
	struct run_start start = {RUN_START, .sample = {.id = "none"}};
	start.base.inst.serial = NULL;
	record_run_start(&record, &start);
	put_record(entry, EXAMPLE_DATA, &record);
}

static void run_of_another_number(struct buffer *entry)
{
	struct buffer record = {0};
	struct run_start start = {RUN_START, .sample = {.id = "none"}};
	start.number = "bench-3/xrf-1/2026-11-22/7";
	record_run_start(&record, &start);
	put_record(entry, EXAMPLE_DATA, &record);
}

/* A run-end whose quality is {"flags": {FLAG: 1}, "why": {REASON: 1}}. */
static void put_counts(struct buffer *entry, const char *flag, const char *reason)
{
	struct buffer record = {0}, quality = {0};
	encode_text(&quality, "quality");
	encode_map(&quality, 2);
	encode_text(&quality, "flags");
	encode_map(&quality, 1);
	encode_text(&quality, flag);
	encode_uint(&quality, 1);
	encode_text(&quality, "why");
	encode_map(&quality, 1);
	encode_text(&quality, reason);
	encode_uint(&quality, 1);
	record_run_end(&record, &(struct run_end){WHOLE_BASE, .run = bytes, .frames = 1,
					.status = RUN_STATUS_COMPLETE, .digest = bytes,
					.extra = {{quality.data, quality.len}, 1}});
	put_record(entry, EXAMPLE_DATA, &record);
	buffer_finish(&quality);
}

static void counts_of_an_invented_flag(struct buffer *entry)
{
	put_counts(entry, "fine", "late");
}

static void counts_of_an_invented_reason(struct buffer *entry)
{
	put_counts(entry, "good", "tired");
}

const struct bad_example bad_examples[] = {
	{"array-of-2-28", huge_array, "an integer or length that is not in its shortest form"},
	{"map-of-2-28", huge_map, "a map of 268435456, but 0 bytes follow"},
	{"record-empty", empty_record, "the end, where an item was expected"},
	{"record-without-type", no_type, "a map whose first key is not \"type\""},
	{"record-of-unknown-type", unknown_type,
		"type: \"hello\" where a record's type was expected"},
	{"record-of-later-version", later_version, "v: version 2 where 1 was expected"},
	{"record-with-trailing-bytes", trailing_bytes, "1 bytes after the end"},
	{"float-of-16-bits", half_float, "x-half: a half float; floats have 32 or 64 bits"},
	{"float-nan-outside-array", nan_outside_array, "x-nan: NaN or infinity outside an array"},
	{"nesting-of-9", deep_nesting, "x-deep: nesting deeper than 8"},
	{"key-twice", duplicate_key, "settings: a key that this map already has"},
	{"key-out-of-order", keys_out_of_order, "no key \"kind\", which is required here"},
	{"key-after-extension", key_after_extension,
		"key \"settings\" after a key that comes later"},
	{"key-unknown", unknown_key, "key \"colour\", which the format does not have here"},
	{"vars-missing", no_vars, "no key \"vars\", which is required here"},
	{"vars-empty", empty_vars, "vars: 0 variables where 1 to 256 were expected"},
	{"var-twice", same_variable_twice,
		"vars[1].name: a variable with the name, analyte, basis and channel of "
		"vars[0]"},
	{"kind-unknown", unknown_kind,
		"kind: \"scan\" where one of spectrum, interferogram, chromatogram, scalar, table "
		"was expected"},
	{"kind-spectrum-of-single-values", spectrum_of_single_values,
		"kind: \"spectrum\", which requires a variable of role data along an axis"},
	{"kind-scalar-along-axis", scalar_along_an_axis,
		"kind: \"scalar\" where \"counts\", data along an axis, is there"},
	{"unit-not-of-list", unit_of_another_system,
		"vars[0].unit: \"Da\" where a unit of the list was expected; did you mean \"u\"?"},
	{"cas-with-wrong-check-digit", cas_that_does_not_check,
		"vars[0].analyte.cas: \"630-08-1\" where a CAS number with its check digit was "
		"expected"},
	{"unit-of-another-kind", unit_of_another_quantity,
		"vars[0].unit: \"kg\" of \"partial_pressure\" where Pa, or a unit of the same "
		"kind, "
		"was expected"},
	{"name-not-allowed", bad_name,
		"vars[0].name: \"Dead-Time\" where a name [a-z][a-z0-9_]{0,31} was expected"},
	{"role-unknown", unknown_role,
		"vars[0].role: \"extra\" where one of data, axis, aux, uncertainty, flags was "
		"expected"},
	{"of-missing", uncertainty_of_nothing,
		"vars[0]: no key \"of\", which an uncertainty requires"},
	{"of-unknown", of_unknown,
		"vars[0].of: \"dead_time\", which is no variable of this frame with this analyte, "
		"basis and channel"},
	{"axis-missing", no_axis,
		"vars[0].dims: 0 axis variables \"energy\" where one was expected"},
	{"axis-of-another-length", length_differs_from_axis,
		"vars[1].dims: 2 elements along \"energy\", whose axis has 3"},
	{"axis-of-another-name", axis_of_another_name,
		"vars[0]: dims of an axis that are not its own name alone"},
	{"axis-not-monotonic", axis_that_turns,
		"vars[0].data: an axis that does not strictly ascend or descend at element 2"},
	{"axis-with-nan", axis_with_nan, "vars[0].data: NaN or infinity in an axis"},
	{"axis-with-infinity", axis_to_infinity, "vars[0].data: NaN or infinity in an axis"},
	{"axis-with-step-0", axis_without_step, "vars[0].data: an axis with step 0"},
	{"axis-endless", endless_axis,
		"vars[0].data: 18446744073709551615 points, more than a record could hold"},
	{"array-with-torn-element", torn_element,
		"vars[0].data: 7 bytes in an array whose elements have 4"},
	{"array-big-endian", big_endian, "vars[0].data: tag 81, which this format does not have"},
	{"array-of-other-shape", shape_differs_from_axes,
		"vars[2].dims: 2 elements along \"delay\", whose axis has 3"},
	{"scalar-with-dims", scalar_with_dims,
		"vars[1].data: a single value where dims announces an array"},
	{"array-without-dims", array_without_dims,
		"vars[0].data: an array where dims, being empty, announces a single value"},
	{"array-with-tag-40-for-one-dimension", tag_40_for_one_dimension,
		"vars[1].data: tag 40 where a plain array was expected for one dimension"},
	{"array-plain-for-two-dimensions", plain_array_for_two_dimensions,
		"vars[1].data: a plain array where tag 40 was expected for several dimensions"},
	{"axis-ends-at-infinity", axis_that_ends_at_infinity,
		"vars[0].data: an axis that ends at infinity"},
	{"of-over-another-axis", of_over_another_axis,
		"vars[3].of: other dims than those of \"counts\""},
	{"step-beyond-the-last", step_beyond_the_last, "step: number 3 of 2"},
	{"raw-without-bytes", raw_without_bytes,
		"raw[0]: neither \"sha256\" nor \"data\"; one is required"},
	{"raw-of-another-size", raw_of_another_size, "raw[0]: 2 bytes of data where size says 3"},
	{"quantity-without-unit", setting_without_unit,
		"settings.gain: no key \"u\", which is required here"},
	{"serial-missing", run_without_serial, "inst: no key \"serial\", which is required here"},
	{"quality-reason-unknown", invented_reason,
		"q.why[0]: \"tired\" where a reason of the list, or x-... was expected"},
	{"quality-flag-unknown", invented_flag,
		"q.flag: flag 5 where 1, 2, 3, 4 or 9 was expected"},
	{"quality-counts-of-unknown-flag", counts_of_an_invented_flag,
		"quality.flags: key \"fine\" where good, unchecked, suspect, bad or missing was "
		"expected"},
	{"quality-counts-of-unknown-reason", counts_of_an_invented_reason,
		"quality.why: key \"tired\" where a reason of the list, or x-... was expected"},
	{"sample-empty", run_without_sample,
		"sample.id: \"\" where a text that is not empty was expected"},
	{"run-number-malformed", run_of_another_number,
		"number: \"bench-3/xrf-1/2026-11-22/7\" where <node>/<instrument>/<yyyymmdd>-<nnn> "
		"was expected"},
	{"topic-of-another-kind", state_on_data_topic,
		"topic: a kind of topic on which this record does not go"},
	{"topic-not-simulated", simulation_on_real_topic,
		"topic: a kind of topic on which this record does not go"},
	{"topic-of-another-instrument", topic_of_another_instrument,
		"topic: another instrument than the record's inst.key"},
	{"topic-without-final-slash", topic_without_slash,
		"topic: not a1/<kind>/<technique>/<site>/<node>/<instrument>/"},
};
const size_t bad_examples_count = sizeof bad_examples / sizeof bad_examples[0];
