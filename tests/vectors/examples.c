/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "examples.h"
#include "parts.h"
#include "record/encode.h"
#include "entry.h"
#include "record/record.h"
#include "record/topic.h"

/* --- parts of all records --------------------------------------------------------------------- */

static const uint8_t id[16] = {0xa5, 0x5a, 1, 2, 3, 4, 0x40, 6, 0x80, 8, 9, 10, 11, 12, 13, 14};
static const uint8_t journal[16] = {0x1c, 1, 1, 1, 1, 1, 0x41, 1, 0x81, 1, 1, 1, 1, 1, 1, 1};
static const uint8_t run[16] = {0x2d, 2, 2, 2, 2, 2, 0x42, 2, 0x82, 2, 2, 2, 2, 2, 2, 2};
static const uint8_t other_run[16] = {0x3e, 3, 3, 3, 3, 3, 0x43, 3, 0x83, 3, 3, 3, 3, 3, 3, 3};
static const uint8_t hash[32] = {0xba, 0x78, 0x16, 0xbf, [31] = 0xad};
static const uint8_t other_hash[32] = {0xcb, 0x89, 0x27, 0xc0, [31] = 0xbe};

#define UTC UINT64_C(1795335330123456789)
/* Macros, for a constant of a struct is no constant expression in C. */
#define STAMP                                                                              \
	{                                                                                  \
		.utc = UTC, .mono = 86400000000001, .unc = 1500000, .sync = ASSAY_SYNC_NTP \
	}
#define XRF                                                                                       \
	{                                                                                         \
		.key = "xrf-1", .make = "Amptek", .model = "PX5", .serial = "2524", .fw = "6.09", \
		.asset = "CCL-0042", .source = ID_SOURCE_READ                                     \
	}
static const struct stamp stamp = STAMP;
static const struct record_base base = {.id = id, .t = STAMP, .inst = XRF};

void example_entry(struct buffer *entry, const char *topic, const struct buffer *record)
{
	entry_encode(entry, &(struct assay_entry_view){
				    .journal = journal,
				    .seq = 1042,
				    .prev = 1040,
				    .tc = UTC + 2000000,
				    .topic = {topic, strlen(topic)},
				    .body = {record->data, record->len},
			    });
	entry->failed = entry->failed || record->failed;
}

void example_frame(struct buffer *record, const struct buffer *part, size_t pairs)
{
	const struct frame_head head = {
		.base = base, .run = run, .ctx = hash, .n = 7, .q = {.flag = ASSAY_QUALITY_GOOD}};
	record_frame(record, &head, (struct assay_span){part->data, part->len}, pairs);
	record->failed = record->failed || part->failed;
}

void example_head(struct buffer *head)
{
	struct map map, last;
	map_open(&map, head);
	map_uint(&map, "v", 1);
	map_bytes(&map, "journal", journal, ASSAY_UUID_SIZE);
	map_uint(&map, "head", 1042);
	map_uint(&map, "tc", UTC);
	map_key(&map, "last");
	map_open(&last, head);
	map_uint(&last, EXAMPLE_DATA, 1042);
	map_uint(&last, EXAMPLE_STATE, 1041);
	map_close(&last);
	map_close(&map);
}

/* Finishes the record. */
static void put_record(struct buffer *entry, const char *topic, struct buffer *record)
{
	example_entry(entry, topic, record);
	buffer_finish(record);
}

static void put_frame(struct buffer *entry, struct buffer *part, size_t pairs)
{
	struct buffer record = {0};
	example_frame(&record, part, pairs);
	put_record(entry, EXAMPLE_DATA, &record);
	buffer_finish(part);
}

/* --- runs ----------------------------------------------------------------------------------- */

#define RUN_START                                                                                 \
	.base = base, .run = run, .number = "bench-3/xrf-1/20261122-007",                         \
	.technique = {"CHMO:0000307", "X-ray emission spectroscopy"}, .mode = RUN_MODE_ON_DEMAND, \
	.driver = {"amptek-dp5", "1.0", hash}, .core = {"assayd", "0.1.0", NULL}, .config = hash, \
	.sync = "always"

/* Of a driver without settings: an empty map is left out. */
static void minimal_run_start(struct buffer *entry)
{
	static const uint8_t nothing[] = {0xa0};
	struct buffer record = {0};
	record_run_start(
		&record, &(struct run_start){RUN_START, .sample = {.id = "none"},
				 .operator= {"none", 0}, .settings = {nothing, sizeof nothing}});
	put_record(entry, EXAMPLE_DATA, &record);
}

static void put_settings(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "channels", 2048);
	map_key(&map, "preset_time");
	encode_quantity(to, 60, "s");
	map_text(&map, "apodization", "Happ-Genzel");
	map_bool(&map, "pileup_rejection", true);
	map_f64(&map, "gain", 49.75);
	map_key(&map, "sim_ions");
	encode_array(to, 3);
	encode_uint(to, 91);
	encode_quantity(to, 105.1, "1");
	encode_text(to, "139");
	map_close(&map);
}

static void put_setup(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "tube_anode", "Rh");
	map_key(&map, "tube_voltage");
	encode_quantity(to, 40, "kV");
	map_close(&map);
}

static void put_env(struct buffer *to)
{
	struct map map, quantity, uncertainty;
	map_open(&map, to);
	map_key(&map, "room_temperature");
	map_open(&quantity, to);
	map_f64(&quantity, "v", 21.5);
	map_text(&quantity, "u", "Cel");
	map_key(&quantity, "unc");
	map_open(&uncertainty, to);
	map_text(&uncertainty, "kind", "expanded");
	map_f64(&uncertainty, "k", 2);
	map_f64(&uncertainty, "p", 0.95);
	map_text(&uncertainty, "src", "calibration");
	map_f64(&uncertainty, "value", 0.3);
	map_close(&uncertainty);
	map_close(&quantity);
	map_close(&map);
}

static void put_extra(struct buffer *to)
{
	encode_text(to, "x-lims");
	encode_map(to, 2);
	encode_text(to, "order");
	encode_uint(to, 4711);
	encode_text(to, "urgent");
	encode_raw(to, "\xf6", 1);
}

static struct assay_span span(const struct buffer *b)
{
	return (struct assay_span){b->data, b->len};
}

static void full_run_start(struct buffer *entry)
{
	struct buffer record = {0}, settings = {0}, setup = {0}, env = {0}, extra = {0};
	put_settings(&settings);
	put_setup(&setup);
	put_env(&env);
	put_extra(&extra);
	const struct run_ref refs[] = {
		{REF_BACKGROUND, other_run, other_hash}, {REF_QC, run, NULL}};
	const struct calibration cal[] = {{.id = "CAL-2026-04",
		.kind = {"CHMO:0000307", NULL},
		.from = UTC - 100,
		.to = UTC + 100,
		.sha256 = hash}};
	const struct inst_id parts[] = {
		{.key = "tube-1", .make = "Moxtek", .source = ID_SOURCE_DECLARED},
		{.key = "stage-1", .source = ID_SOURCE_NONE}};
	record_run_start(&record,
		&(struct run_start){RUN_START, .vendor_sw = {"DppMCA", "1.0.0.22", NULL},
			.sample = {"CCL-2026-00451", SAMPLE_REFERENCE_MATERIAL, ENTRY_SCANNED,
				"ccl", "bag 3", "tray A/1", 2, "b", "lot 5", "R-19", "7108.12",
				"jewellery, gold"},
			.operator= {"op-17", AUTH_CARD}, .method = {"alloys", "3", other_hash},
			.refs = refs, .refs_count = 2, .batch = {"B-9", 3, 12}, .cal = cal,
			.cal_count = 1, .parts = parts, .parts_count = 2,
			.settings = span(&settings), .setup = span(&setup), .env = span(&env),
			.extra = {span(&extra), 1}});
	put_record(entry, EXAMPLE_DATA, &record);
	buffer_finish(&settings);
	buffer_finish(&setup);
	buffer_finish(&env);
	buffer_finish(&extra);
}

static void simulated_run_start(struct buffer *entry)
{
	struct buffer record = {0};
	struct run_start start = {RUN_START, .sim = true, .operator= {"none", AUTH_NONE} };
	start.mode = RUN_MODE_CONTINUOUS;
	start.sync = "1s";
	start.sample = (struct sample){.id = "none", .type = SAMPLE_TRAINING};
	record_run_start(&record, &start);
	put_record(entry, "a1/sim-data/xrf/ccl-tokyo/bench-3/xrf-1/", &record);
}

static void complete_run_end(struct buffer *entry)
{
	struct buffer record = {0};
	struct quality q = {.flag = ASSAY_QUALITY_GOOD};
	struct quality_counts counts = {0};
	for (int i = 0; i < 7; i++)
		quality_count(&counts, &q);
	quality_lower(&q, ASSAY_QUALITY_GOOD, "late");
	quality_lower(&q, ASSAY_QUALITY_SUSPECT, "cal-expired");
	quality_count(&counts, &q);
	record_run_end(&record, &(struct run_end){.base = base,
					.run = run,
					.frames = 8,
					.status = RUN_STATUS_COMPLETE,
					.digest = hash,
					.quality = &counts});
	put_record(entry, EXAMPLE_DATA, &record);
}

static void aborted_run_end(struct buffer *entry)
{
	struct buffer record = {0};
	record_run_end(&record, &(struct run_end){.base = base,
					.run = run,
					.status = RUN_STATUS_ABORTED,
					.why = "sample moved",
					.actor = {"uid 1000 (keiko)", AUTH_OS, "control"},
					.digest = hash});
	put_record(entry, EXAMPLE_DATA, &record);
}

static void amendment(struct buffer *entry)
{
	struct buffer record = {0}, set = {0}, was = {0};
	struct map map;
	map_open(&map, &set);
	map_text(&map, "sample.id", "CCL-2026-00452");
	map_close(&map);
	map_open(&map, &was);
	map_text(&map, "sample.id", "CCL-2026-00451");
	map_close(&map);
	record_amend(&record, &(struct amend){.base = base,
				      .run = run,
				      .ctx = hash,
				      .actor = {"op-17", AUTH_KEY, "control"},
				      .reason = "barcode of the neighbour",
				      .set = span(&set),
				      .was = span(&was)});
	put_record(entry, EXAMPLE_DATA, &record);
	buffer_finish(&set);
	buffer_finish(&was);
}

/* --- instrument, laboratory ----------------------------------------------------------------- */

static void idle_state(struct buffer *entry)
{
	struct buffer record = {0}, values = {0};
	struct map map;
	map_open(&map, &values);
	map_key(&map, "progress");
	encode_quantity(&values, 12.5, "%");
	map_key(&map, "detector_temperature");
	encode_quantity(&values, 230, "K");
	map_close(&map);
	record_state(&record, &(struct dev_state){.base = base,
				      .state = DEVICE_STATE_IDLE,
				      .code = "0x00",
				      .text = "ready \"\xc2\xb5"
					      "XRF\"\n\x1b[31m \xc2\x9b",
				      .values = span(&values)});
	put_record(entry, EXAMPLE_STATE, &record);
	buffer_finish(&values);
}

static void first_state(struct buffer *entry)
{
	struct buffer record = {0};
	record_state(&record,
		&(struct dev_state){
			.base = {.id = id,
				.t = {.utc = UTC, .sync = ASSAY_SYNC_NONE, .dev = "22/11/26 08:15"},
				.inst = {.key = "xrf-1", .source = ID_SOURCE_NONE}},
			.sim = true,
			.state = DEVICE_STATE_CONNECTING});
	put_record(entry, "a1/sim-state/xrf/ccl-tokyo/bench-3/xrf-1/", &record);
}

static void configuration_audit(struct buffer *entry)
{
	struct buffer record = {0}, before = {0}, after = {0};
	encode_raw(&before, "\xf6", 1);
	encode_array(&after, 5);
	encode_text(&after, "laboratory:\n\tsite: ccl-tokyo\n");
	encode_bytes(&after, hash, sizeof hash);
	encode_uint(&after, UINT64_MAX);
	encode_int(&after, INT64_MIN);
	encode_bool(&after, false);
	record_audit(&record, &(struct audit){.id = id,
				      .t = stamp,
				      .event = "configuration",
				      .actor = {"uid 0 (root)", AUTH_OS, "signal"},
				      .before = span(&before),
				      .after = span(&after),
				      .reason = "new instrument"});
	put_record(entry, "a1/audit/-/ccl-tokyo/bench-3/-/", &record);
	buffer_finish(&before);
	buffer_finish(&after);
}

static void tree_seal(struct buffer *entry)
{
	struct buffer record = {0};
	record_seal(&record, &(struct seal){.size = 1041,
				     .root = hash,
				     .note = "assayd.ccl-tokyo/"
					     "bench-3\n1041\nungWv48B\n\n\xe2\x80\x94 key sig\n"});
	put_record(entry, "a1/seal/-/ccl-tokyo/bench-3/-/", &record);
}

/* --- frames --------------------------------------------------------------------------------- */

size_t example_large_part(struct buffer *part)
{
	static uint32_t counts[2048];
	static uint8_t bytes[2048 * 3 + 64];
	for (uint32_t i = 0; i < 2048; i++) {
		counts[i] = i * 2654435761u >> 14;
		memcpy(&bytes[3 * i], &counts[i], 3);
	}
	part_begin(part, "spectrum", 6);
	part_axis(part, "energy", "keV", 0.01, 0.0099, 2048);
	part_typed(part, "counts", "data", "energy", "{count}", ASSAY_ELEMENT_U32, counts, 2048);
	part_number(part, "live_time", "s", 59.25);
	part_number(part, "real_time", "s", 60.5);
	part_integer(part, "fast_count", 123456);
	part_number(part, "detector_temperature", "K", 230);
	encode_text(part, "raw");
	encode_array(part, 1);
	struct map block;
	map_open(&block, part);
	map_text(&block, "media", "application/x-amptek-fw6");
	map_uint(&block, "size", sizeof bytes);
	map_bytes(&block, "data", bytes, sizeof bytes);
	map_close(&block);
	return 3;
}

/* Counts on a linear axis; step, settings, raw blocks with a hash, with bytes, with both. */
static void xrf_spectrum(struct buffer *entry)
{
	struct buffer part = {0};
	struct map map, portion;
	const uint32_t counts[] = {0, 12, 4294967295u, 7};
	encode_text(&part, "kind");
	encode_text(&part, "spectrum");
	encode_text(&part, "step");
	map_open(&map, &part);
	map_uint(&map, "i", 1);
	map_uint(&map, "of", 2);
	map_text(&map, "name", "Al 200 um, 40 kV");
	map_close(&map);
	encode_text(&part, "partial");
	encode_bool(&part, true);
	encode_text(&part, "span");
	encode_uint(&part, 60500000000);
	encode_text(&part, "gaps");
	encode_array(&part, 2);
	map_open(&map, &part);
	map_uint(&map, "n", 3);
	map_close(&map);
	map_open(&map, &part);
	map_uint(&map, "at", 2);
	map_uint(&map, "n", 1);
	map_close(&map);
	encode_text(&part, "vars");
	encode_array(&part, 4);
	part_axis(&part, "energy", "keV", -0.02, 0.0101, 4);
	map_open(&map, &part);
	map_text(&map, "name", "counts");
	map_text(&map, "role", "data");
	map_key(&map, "dims");
	part_texts(&part, (const char *const[]){"energy"}, 1);
	map_text(&map, "unit", "{count}");
	map_key(&map, "qty");
	encode_map(&part, 2);
	encode_text(&part, "id");
	encode_text(&part, "MS:1000131");
	encode_text(&part, "name");
	encode_text(&part, "number of detector counts");
	map_text(&map, "label", "Counts");
	map_key(&map, "data");
	encode_typed(&part, ASSAY_ELEMENT_U32, counts, 4);
	map_close(&map);
	part_number(&part, "live_time", "s", 0.1);
	part_integer(&part, "fast_count", -1);
	encode_text(&part, "settings");
	put_settings(&part);
	encode_text(&part, "raw");
	encode_array(&part, 2);
	map_open(&map, &part);
	map_text(&map, "media", "application/x-amptek-fw6");
	map_uint(&map, "size", 5);
	map_bytes(&map, "sha256", hash, sizeof hash);
	map_bytes(&map, "data", "\xf5\xfa\x00\x81\xff", 5);
	map_text(&map, "name", "spectrum packet");
	map_key(&map, "part");
	map_open(&portion, &part);
	map_uint(&portion, "i", 1);
	map_uint(&portion, "of", 2);
	map_close(&portion);
	map_close(&map);
	map_open(&map, &part);
	map_text(&map, "media", "application/octet-stream");
	map_uint(&map, "size", 1000000);
	map_bytes(&map, "sha256", other_hash, sizeof other_hash);
	map_close(&map);
	encode_text(&part, "x-note");
	encode_text(&part, "beam was unstable");
	put_frame(entry, &part, 9);
}

/* A typed, descending axis; NaN in data; uncertainty and flags of a variable. */
static void ftir_spectrum(struct buffer *entry)
{
	struct buffer part = {0};
	struct map map;
	const float wavenumber[] = {4000.5f, 3998.6f, 3996.7f};
	const float absorbance[] = {0.1f, NAN, -0.002f};
	part_begin(&part, "spectrum", 4);
	part_typed(&part, "wavenumber", "axis", "wavenumber", "cm-1", ASSAY_ELEMENT_F32, wavenumber,
		3);
	part_typed(&part, "absorbance", "data", "wavenumber", "{absorbance}", ASSAY_ELEMENT_F32,
		absorbance, 3);
	map_open(&map, &part);
	map_text(&map, "name", "absorbance_unc");
	map_text(&map, "role", "uncertainty");
	map_text(&map, "of", "absorbance");
	map_key(&map, "dims");
	part_texts(&part, (const char *const[]){"wavenumber"}, 1);
	map_text(&map, "unit", "{absorbance}");
	map_key(&map, "unc");
	encode_map(&part, 2);
	encode_text(&part, "kind");
	encode_text(&part, "standard");
	encode_text(&part, "src");
	encode_text(&part, "method");
	map_key(&map, "data");
	encode_typed(&part, ASSAY_ELEMENT_F32, (const float[]){0.001f, INFINITY, 0.001f}, 3);
	map_close(&map);
	map_open(&map, &part);
	map_text(&map, "name", "absorbance_flags");
	map_text(&map, "role", "flags");
	map_text(&map, "of", "absorbance");
	map_key(&map, "dims");
	part_texts(&part, (const char *const[]){"wavenumber"}, 1);
	map_text(&map, "unit", "1");
	map_key(&map, "bits");
	encode_map(&part, 2);
	encode_uint(&part, 0);
	encode_text(&part, "saturated");
	encode_uint(&part, 1);
	encode_text(&part, "interpolated");
	map_key(&map, "data");
	encode_typed(&part, ASSAY_ELEMENT_U8, "\0\1\2", 3);
	map_close(&map);
	put_frame(entry, &part, 2);
}

static void interferogram(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "interferogram", 2);
	part_axis(&part, "path_difference", "cm", 0, 0.0000632991, 5);
	part_typed(&part, "interferogram", "data", "path_difference", "1", ASSAY_ELEMENT_I32,
		(const int32_t[]){-8388608, 0, 8388607, -1, 1}, 5);
	put_frame(entry, &part, 2);
}

static void chromatogram(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "chromatogram", 2);
	part_typed(&part, "time", "axis", "time", "s", ASSAY_ELEMENT_F64,
		(const double[]){0, 0.1, 0.30000000000000004, 1e10}, 4);
	part_typed(&part, "signal", "data", "time", "V", ASSAY_ELEMENT_F64,
		(const double[]){1e-9, -2.5e-300, 1.7976931348623157e308, 5e-324}, 4);
	put_frame(entry, &part, 2);
}

static void put_gas(struct buffer *to, const char *name, const char *role, const char *of,
	const char *gas, const char *cas, const char *basis, double value)
{
	struct map map, analyte;
	map_open(&map, to);
	map_text(&map, "name", name);
	map_text(&map, "role", role);
	map_text(&map, "of", of);
	map_key(&map, "dims");
	encode_array(to, 0);
	map_text(&map, "unit", "mg/m3");
	map_key(&map, "analyte");
	map_open(&analyte, to);
	map_text(&analyte, "name", gas);
	map_text(&analyte, "cas", cas);
	map_close(&analyte);
	map_text(&map, "basis", basis);
	map_f64(&map, "data", value);
	map_close(&map);
}

/* Variables of one name for several analytes and bases; single values of every form. */
static void gas_scalars(struct buffer *entry)
{
	struct buffer part = {0};
	struct map map;
	part_begin(&part, "scalar", 8);
	put_gas(&part, "concentration", "data", NULL, "HCl", "7647-01-0", "wet", 4.25);
	put_gas(&part, "concentration", "data", NULL, "HCl", "7647-01-0", "dry, 11 % O2", 5.5);
	put_gas(&part, "concentration", "data", NULL, "CO", NULL, "wet", 31);
	put_gas(&part, "concentration_unc", "uncertainty", "concentration", "CO", NULL, "wet", 0.5);
	part_open_var(&map, &part, "status_word", "flags", NULL, "1");
	map_uint(&map, "data", UINT64_MAX);
	map_close(&map);
	part_open_var(&map, &part, "status_text", "aux", NULL, "1");
	map_text(&map, "data", "measuring \xe2\x80\x93 ok");
	map_close(&map);
	part_open_var(&map, &part, "offset", "aux", NULL, "1");
	map_key(&map, "data");
	encode_int(map.to, INT64_MIN);
	map_close(&map);
	part_open_var(&map, &part, "cell_pressure", "aux", NULL, "hPa");
	map_key(&map, "data");
	encode_f32(&part, 1013.25f);
	map_close(&map);
	put_frame(entry, &part, 2);
}

/* A named axis; numbers and texts along it. */
static void element_table(struct buffer *entry)
{
	struct buffer part = {0};
	struct map map;
	part_begin(&part, "table", 3);
	part_open_var(&map, &part, "element", "axis", "element", "1");
	map_key(&map, "data");
	part_texts(&part, (const char *const[]){"Au", "Ag", "Cu"}, 3);
	map_close(&map);
	part_typed(&part, "mass_fraction", "data", "element", "%", ASSAY_ELEMENT_F64,
		(const double[]){75, 15.5, 9.5}, 3);
	part_open_var(&map, &part, "line", "aux", "element", "1");
	map_key(&map, "data");
	part_texts(&part, (const char *const[]){"La", "Ka", ""}, 3);
	map_close(&map);
	put_frame(entry, &part, 2);
}

/* Two and three dimensions, in tag 40. */
static void time_resolved(struct buffer *entry)
{
	struct buffer part = {0};
	struct map map;
	const uint16_t values[] = {1, 2, 3, 4, 5, 65535};
	part_begin(&part, "spectrum", 5);
	part_axis(&part, "delay", "ms", 0, 0.5, 2);
	part_axis(&part, "wavelength", "nm", 900, 3.5, 3);
	part_typed(&part, "pixel", "axis", "pixel", "1", ASSAY_ELEMENT_U8, "\7", 1);
	map_open(&map, &part);
	map_text(&map, "name", "single_beam");
	map_text(&map, "role", "data");
	map_key(&map, "dims");
	part_texts(&part, (const char *const[]){"delay", "wavelength"}, 2);
	map_text(&map, "unit", "1");
	map_key(&map, "data");
	encode_nd(&part, (const size_t[]){2, 3}, 2, ASSAY_ELEMENT_U16, values, 6);
	map_close(&map);
	map_open(&map, &part);
	map_text(&map, "name", "image");
	map_text(&map, "role", "data");
	map_key(&map, "dims");
	part_texts(&part, (const char *const[]){"wavelength", "pixel", "delay"}, 3);
	map_text(&map, "unit", "1");
	map_key(&map, "data");
	encode_nd(&part, (const size_t[]){3, 1, 2}, 3, ASSAY_ELEMENT_U16, values, 6);
	map_close(&map);
	put_frame(entry, &part, 2);
}

static void element_types(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 11);
	part_axis(&part, "channel", "1", 0, 1, 2);
	part_typed(&part, "a_u8", "data", "channel", "1", ASSAY_ELEMENT_U8, "\0\xff", 2);
	part_typed(&part, "a_u16", "data", "channel", "1", ASSAY_ELEMENT_U16,
		(const uint16_t[]){258, UINT16_MAX}, 2);
	part_typed(&part, "a_u32", "data", "channel", "1", ASSAY_ELEMENT_U32,
		(const uint32_t[]){16909060, UINT32_MAX}, 2);
	part_typed(&part, "a_u64", "data", "channel", "1", ASSAY_ELEMENT_U64,
		(const uint64_t[]){UINT64_C(1) << 53, UINT64_MAX}, 2);
	part_typed(&part, "a_i8", "data", "channel", "1", ASSAY_ELEMENT_I8,
		(const int8_t[]){INT8_MIN, INT8_MAX}, 2);
	part_typed(&part, "a_i16", "data", "channel", "1", ASSAY_ELEMENT_I16,
		(const int16_t[]){INT16_MIN, INT16_MAX}, 2);
	part_typed(&part, "a_i32", "data", "channel", "1", ASSAY_ELEMENT_I32,
		(const int32_t[]){INT32_MIN, INT32_MAX}, 2);
	part_typed(&part, "a_i64", "data", "channel", "1", ASSAY_ELEMENT_I64,
		(const int64_t[]){INT64_MIN, -1}, 2);
	part_typed(&part, "a_f32", "data", "channel", "1", ASSAY_ELEMENT_F32,
		(const float[]){3.4028235e38f, 1e-45f}, 2);
	part_typed(&part, "a_f64", "data", "channel", "1", ASSAY_ELEMENT_F64,
		(const double[]){-INFINITY, 0.1}, 2);
	put_frame(entry, &part, 2);
}

/* No peak was above the threshold. */
static void empty_spectrum(struct buffer *entry)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 2);
	part_typed(&part, "mz", "axis", "mz", "1", ASSAY_ELEMENT_F64, "", 0);
	part_typed(&part, "intensity", "data", "mz", "1", ASSAY_ELEMENT_U32, "", 0);
	put_frame(entry, &part, 2);
}

static void poor_frame(struct buffer *entry)
{
	struct buffer part = {0}, record = {0};
	struct frame_head head = {.base = base, .run = run, .ctx = hash, .n = 0, .sim = true};
	head.q = (struct quality){.flag = ASSAY_QUALITY_SUSPECT, .retries = 2, .dropped = 17};
	quality_lower(&head.q, ASSAY_QUALITY_SUSPECT, "saturated");
	quality_lower(&head.q, ASSAY_QUALITY_UNCHECKED, "driver-overrun");
	part_begin(&part, "scalar", 1);
	part_number(&part, "dead_time", "%", 99.5);
	record_frame(&record, &head, span(&part), 2);
	put_record(entry, "a1/sim-data/xrf/ccl-tokyo/bench-3/xrf-1/", &record);
	buffer_finish(&part);
}

const struct example examples[] = {
	{"run-start", full_run_start},
	{"run-start-minimal", minimal_run_start},
	{"run-start-simulated", simulated_run_start},
	{"run-end-complete", complete_run_end},
	{"run-end-aborted", aborted_run_end},
	{"amend", amendment},
	{"state", idle_state},
	{"state-simulated", first_state},
	{"audit", configuration_audit},
	{"seal", tree_seal},
	{"frame-spectrum-linear", xrf_spectrum},
	{"frame-spectrum-typed", ftir_spectrum},
	{"frame-spectrum-nd", time_resolved},
	{"frame-spectrum-empty", empty_spectrum},
	{"frame-interferogram", interferogram},
	{"frame-chromatogram", chromatogram},
	{"frame-scalar", gas_scalars},
	{"frame-table", element_table},
	{"frame-elements", element_types},
	{"frame-suspect", poor_frame},
};
const size_t examples_count = sizeof examples / sizeof examples[0];
