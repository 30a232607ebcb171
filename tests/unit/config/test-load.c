/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "config/check.h"
#include "config/errors.h"
#include "config/load.h"
#include "config/reading.h"
#include "drivers.h"
#include "record/encode.h"
#include "record/read.h"
#include "wire/check.h"

#define LAB "laboratory: {site: lab, node: bench}\n"

static struct config *load(const char *text)
{
	struct config *config;
	struct config_errors errors;
	int r = load_text(text, strlen(text), &test_catalog, &config, &errors);
	if (r != 0)
		print_error("%u:%u: %s\n", errors.items[0].mark.line, errors.items[0].mark.column,
			errors.items[0].text);
	assert_int_equal(r, 0);
	config_errors_finish(&errors);
	return config;
}

/* One setting of an encoded map as CBOR. */
static struct assay_span setting(struct assay_span map, const char *name)
{
	struct reader r;
	struct assay_string key;
	struct assay_span value = {0};
	size_t pairs;
	read_init(&r, map.data, map.len);
	read_map(&r, &pairs);
	while (pairs-- > 0 && read_key(&r, &key) == 0) {
		struct assay_span raw;
		read_raw(&r, &raw);
		if (assay_string_is(key, name))
			value = raw;
	}
	assert_int_equal(read_finish(&r), 0);
	return value;
}

static void assert_setting(struct assay_span map, const char *name, const struct buffer *expected)
{
	struct assay_span found = setting(map, name);
	assert_false(expected->failed);
	assert_int_equal(found.len, expected->len);
	assert_memory_equal(found.data, expected->data, expected->len);
}

static void assert_quantity(struct assay_span map, const char *name, double value, const char *unit)
{
	struct buffer to = {0};
	encode_map(&to, 2);
	encode_text(&to, "v");
	encode_f64(&to, value);
	encode_text(&to, "u");
	encode_text(&to, unit);
	assert_setting(map, name, &to);
	buffer_finish(&to);
}

static void assert_int(struct assay_span map, const char *name, int64_t value)
{
	struct buffer to = {0};
	encode_int(&to, value);
	assert_setting(map, name, &to);
	buffer_finish(&to);
}

static void assert_text(struct assay_span map, const char *name, const char *value)
{
	struct buffer to = {0};
	encode_text(&to, value);
	assert_setting(map, name, &to);
	buffer_finish(&to);
}

static void what_is_not_said_has_its_default(void **state)
{
	struct config *c = load(LAB "instruments: {x: {driver: amptek-dp5, link: usb}}\n");
	assert_string_equal(c->site, "lab");
	assert_string_equal(c->node, "bench");
	assert_int_equal(c->require, 0);
	assert_string_equal(c->journal_path, "/var/lib/assayd");
	assert_true(c->sync_always);
	assert_true(c->reserve == UINT64_C(1) << 30);
	assert_true(c->segment_size == UINT64_C(64) << 20);
	assert_true(c->keep.age_ns == 0 && c->keep.size == 0);
	assert_string_equal(c->live, "ipc:///run/assayd/live");
	assert_string_equal(c->control, "ipc:///run/assayd/control");
	assert_true(config_sample_fits(c, "anything"));
	const struct config_instrument *x = config_find(c, "x");
	assert_non_null(x);
	assert_null(config_find(c, "y"));
	assert_int_equal(x->port.kind, ASSAY_LINK_USB);
	assert_int_equal(x->port.vid, 0x10c4);
	assert_int_equal(x->port.in, 0x81);
	assert_int_equal(x->port.open_ms, 5000);
	assert_string_equal(x->technique, "xrf");
	assert_int_equal(x->acquire.mode, CONFIG_ON_DEMAND);
	assert_int_equal(x->raw, UNIT_RAW_KEEP);
	assert_false(x->simulated);
	assert_false(x->identity.flag_otherwise);
	assert_int(x->settings, "channels", 1024);
	assert_quantity(x->settings, "preset_time", 60, "s");
	assert_text(x->settings, "peaking", "medium");
	assert_int_equal(setting(x->settings, "gain").len, 0);
	config_destroy(c);
}

static void what_may_go_is_said_by_age_and_size(void **state)
{
	struct config *c = load(LAB "journal: {keep: {age: 26 wk}, segment: 1 MiB}\n");
	assert_true(c->keep.age_ns == UINT64_C(26) * 7 * 86400 * 1000000000);
	assert_true(c->keep.size == 0);
	assert_true(c->segment_size == UINT64_C(1) << 20);
	struct config *same = load(LAB "journal: {segment: 1024 KiB, keep: {age: 182 d}}\n");
	assert_memory_equal(c->sha256, same->sha256, sizeof c->sha256);
	config_destroy(same);
	config_destroy(c);
	c = load(LAB "journal: {keep: {size: 200 GiB, age: 2 years}}\n");
	assert_true(c->keep.age_ns == UINT64_C(731) * 86400 * 1000000000 - 43200000000000);
	assert_true(c->keep.size == UINT64_C(200) << 30);
	config_destroy(c);
}

static void what_is_said_stands_over_defaults(void **state)
{
	struct config *c = load("laboratory:\n"
				"  site: lab\n"
				"  node: bench\n"
				"  require: [operator, sample]\n"
				"  sample_id: {pattern: '^A[0-9]+$', example: A1}\n"
				"journal: {path: /j, sync: 500 ms, reserve: 2 GiB, keep: forever}\n"
				"sockets: {dir: /s, live: 'ipc:///elsewhere'}\n"
				"instruments:\n"
				"  x:\n"
				"    driver: amptek-dp5\n"
				"    simulated: true\n"
				"    link: {type: usb, pid: 0x1, serial: S7, open_timeout: 2 s}\n"
				"    identity: {serial: 0042, asset: A-7, otherwise: flag}\n"
				"    acquire: {mode: continuous, every: 100 ms, new_run: 1h}\n"
				"    raw: hash\n"
				"    settings: {preset_time: 5 min, thermostat: -30 °C}\n"
				"    calibration: {id: C1, from: 2026-01-01, until: 2026-12-31,\n"
				"      energy: {zero: 0 keV, gain: 10 eV}}\n");
	assert_int_equal(c->require, CONFIG_REQUIRE_SAMPLE | CONFIG_REQUIRE_OPERATOR);
	assert_true(config_sample_fits(c, "A12"));
	assert_false(config_sample_fits(c, "B12"));
	assert_false(c->sync_always);
	assert_true(c->sync_ns == 500000000);
	assert_true(c->reserve == UINT64_C(2) << 30);
	assert_string_equal(c->live, "ipc:///elsewhere");
	assert_string_equal(c->replay, "ipc:///s/replay");
	const struct config_instrument *x = config_find(c, "x");
	assert_true(x->simulated);
	assert_int_equal(x->port.vid, 0x10c4);
	assert_int_equal(x->port.pid, 1);
	assert_int_equal(x->port.open_ms, 2000);
	assert_string_equal(x->port_name, "usb:10c4:0001:S7:*");
	assert_string_equal(x->identity.serial, "0042");
	assert_true(x->identity.flag_otherwise);
	assert_int_equal(x->acquire.mode, CONFIG_CONTINUOUS);
	assert_true(x->acquire.every_ns == 100000000);
	assert_true(x->acquire.new_run_ns == UINT64_C(3600) * 1000000000);
	assert_int_equal(x->raw, UNIT_RAW_HASH);
	assert_quantity(x->settings, "preset_time", 300, "s");
	assert_quantity(x->settings, "thermostat", 243.15, "K");
	assert_quantity(x->settings, "energy_gain", 0.01, "keV");
	assert_true(x->calibration.from == UINT64_C(1767225600) * 1000000000);
	assert_true(x->calibration.to == UINT64_C(1798761600) * 1000000000);
	config_destroy(c);
}

static void a_table_is_a_list_of_rows_in_the_order_of_its_columns(void **state)
{
	struct config *c = load(LAB "instruments:\n"
				    "  m:\n"
				    "    driver: modbus-map\n"
				    "    technique: ftir\n"
				    "    link: {type: modbus-tcp, host: a}\n"
				    "    settings:\n"
				    "      registers:\n"
				    "        - {address: 0x10, name: co, unit: mg/m3}\n");
	const struct config_instrument *m = config_find(c, "m");
	assert_int_equal(m->unit_id, 1);
	assert_int_equal(m->port.number, 502);
	struct buffer to = {0};
	encode_array(&to, 1);
	encode_array(&to, 12);
	encode_text(&to, "name");
	encode_text(&to, "co");
	encode_text(&to, "address");
	encode_uint(&to, 16);
	encode_text(&to, "table");
	encode_text(&to, "holding");
	encode_text(&to, "type");
	encode_text(&to, "u16");
	encode_text(&to, "unit");
	encode_text(&to, "mg/m3");
	encode_text(&to, "scale");
	encode_map(&to, 2);
	encode_text(&to, "v");
	encode_f64(&to, 1);
	encode_text(&to, "u");
	encode_text(&to, "1");
	assert_setting(m->settings, "registers", &to);
	buffer_finish(&to);
	config_destroy(c);
}

static void modbus_instruments_share_a_port(void **state)
{
	struct config *c = load(
		LAB "instruments:\n"
		    "  a: {driver: modbus-map, technique: ftir, settings: {registers: [{name: x, "
		    "address: "
		    "1}]},\n"
		    "    link: {type: modbus-tcp, host: GW, unit_id: 1}}\n"
		    "  b: {driver: modbus-map, technique: ftir, settings: {registers: [{name: x, "
		    "address: "
		    "1}]},\n"
		    "    link: {type: modbus-tcp, host: gw, unit_id: 2, port: 502}}\n");
	assert_string_equal(c->instruments[0].port_name, c->instruments[1].port_name);
	assert_int_equal(c->instruments[1].unit_id, 2);
	config_destroy(c);
}

static void the_setup_keeps_quantities_numbers_and_texts_apart(void **state)
{
	struct config *c = load(
		LAB "instruments:\n"
		    "  x:\n"
		    "    driver: amptek-dp5\n"
		    "    link: usb\n"
		    "    setup: {tube_anode: Rh, filter: Al 200 um, tube_voltage: 40 kV,\n"
		    "      stage: 3, note: '3', purged: true, steps: [1 mm, 2 mm]}\n");
	struct assay_span setup = c->instruments[0].setup;
	assert_text(setup, "tube_anode", "Rh");
	assert_text(setup, "filter", "Al 200 um");
	assert_quantity(setup, "tube_voltage", 40, "kV");
	assert_int(setup, "stage", 3);
	assert_text(setup, "note", "3");
	assert_int_equal(setting(setup, "purged").data[0], 0xf5);
	assert_int_equal(setting(setup, "steps").data[0], 0x82);
	config_destroy(c);
}

static void equal_meaning_has_equal_bytes(void **state)
{
	struct config *a = load(
		LAB "instruments:\n"
		    "  x: {driver: amptek-dp5, link: usb,\n"
		    "    settings: {channels: 512, preset_time: 60 s}, setup: {b: 1, a: 2}}\n"
		    "  y: {driver: srs-rga, link: {port: /dev/a},\n"
		    "    settings: {mass_first: 1, mass_last: 2}}\n");
	struct config *b = load("# a comment\n"
				"instruments:\n"
				"    'y':\n"
				"        settings:\n"
				"            mass_last: 0x2\n"
				"            mass_first: 1\n"
				"            noise_floor: 4\n"
				"        link: {type: serial, baud: 28800, port: \"/dev/a\"}\n"
				"        driver: srs-rga\n"
				"    x:\n"
				"        setup: {a: 2, b: 1}\n"
				"        settings: {preset_time: 1 min, channels: 512}\n"
				"        link: {type: usb, vid: 4292}\n"
				"        driver: amptek-dp5\n"
				"journal: {sync: always}\n"
				"laboratory: {node: bench, site: lab}\n");
	const struct config_instrument *p = config_find(a, "x"), *q = config_find(b, "x");
	assert_int_equal(p->canonical.len, q->canonical.len);
	assert_memory_equal(p->canonical.data, q->canonical.data, p->canonical.len);
	assert_int_equal(a->canonical.len, b->canonical.len);
	assert_memory_equal(a->canonical.data, b->canonical.data, a->canonical.len);
	assert_memory_equal(a->sha256, b->sha256, sizeof a->sha256);
	config_destroy(a);
	config_destroy(b);
}

static void other_meaning_has_other_bytes(void **state)
{
	static const char *const texts[] = {
		"x: {driver: amptek-dp5, link: usb}",
		"x: {driver: amptek-dp5, link: usb, simulated: true}",
		"x: {driver: amptek-dp5, link: usb, raw: off}",
		"x: {driver: amptek-dp5, link: usb, settings: {channels: 512}}",
		"x: {driver: amptek-dp5, link: usb, setup: {a: 1}}",
		"x: {driver: amptek-dp5, link: usb, setup: {a: '1'}}",
		"x: {driver: amptek-dp5, link: usb, identity: {serial: 1}}",
		"x: {driver: amptek-dp5, link: usb, identity: {otherwise: flag}}",
		"x: {driver: amptek-dp5, link: usb, calibration: {id: a}}",
		"x: {driver: amptek-dp5, link: usb, acquire: {every: 1s}}",
		"x: {driver: amptek-dp5, link: {type: usb, path: 1-2}}",
		"z: {driver: amptek-dp5, link: usb}",
	};
	uint8_t hashes[sizeof texts / sizeof texts[0]][32];
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char text[400];
		snprintf(text, sizeof text, LAB "instruments: {%s}\n", texts[i]);
		struct config *c = load(text);
		memcpy(hashes[i], c->sha256, 32);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(hashes[i], hashes[j], 32);
		config_destroy(c);
	}
}

/* audit record, after, instruments, instrument, settings, list, row, quantity: 8 deep at most */
static void the_canonical_form_fits_an_audit_record(void **state)
{
	struct config *c = load(LAB "instruments:\n"
				    "  m: {driver: modbus-map, technique: ftir,\n"
				    "    link: {type: modbus-tcp, host: a},\n"
				    "    settings: {registers: [{name: x, address: 1}]}}\n"
				    "methods:\n"
				    "  t: {version: 1, driver: modbus-map,\n"
				    "    settings: {registers: [{name: x, address: 1}]}}\n");
	struct buffer to = {0};
	struct reader r;
	encode_map(&to, 1);
	encode_text(&to, "after");
	encode_raw(&to, c->canonical.data, c->canonical.len);
	read_init(&r, to.data, to.len);
	assert_int_equal(read_skip(&r), 0);
	assert_int_equal(read_finish(&r), 0);
	buffer_reset(&to);
	encode_map(&to, 1);
	encode_text(&to, "after");
	encode_raw(&to, c->methods[0].canonical.data, c->methods[0].canonical.len);
	read_init(&r, to.data, to.len);
	assert_int_equal(read_skip(&r), 0);
	assert_int_equal(read_finish(&r), 0);
	buffer_finish(&to);
	config_destroy(c);
}

#define METHOD_FILE                                                                              \
	LAB "instruments:\n"                                                                     \
	    "  x: {driver: amptek-dp5, link: usb, settings: {channels: 512}}\n"                  \
	    "  r: {driver: srs-rga, link: {port: /dev/a}, settings: {mass_first: 1, mass_last: " \
	    "2}}\n"                                                                              \
	    "methods:\n"                                                                         \
	    "  soil:\n"                                                                          \
	    "    version: 3\n"                                                                   \
	    "    driver: amptek-dp5\n"                                                           \
	    "    setup: {atmosphere: helium}\n"                                                  \
	    "    settings: {preset_time: 30 s, gain: 2}\n"                                       \
	    "    steps:\n"                                                                       \
	    "      - {name: light, settings: {gain: 4}}\n"                                       \
	    "      - name: heavy\n"

static void a_steps_settings_lie_over_its_methods_and_the_instruments(void **state)
{
	struct config *c = load(METHOD_FILE);
	const struct config_method *m = config_find_method(c, "soil");
	const struct config_instrument *x = config_find(c, "x");
	assert_string_equal(m->version, "3");
	assert_int_equal(m->step_count, 2);
	assert_string_equal(m->steps[1].name, "heavy");
	assert_int_equal(setting(m->steps[0].settings, "channels").len, 0);
	struct buffer to = {0};
	char *why;
	const struct assay_span nothing = {0};
	assert_int_equal(config_merge(x->driver, x->settings, m->steps[0].settings, &to, &why), 0);
	struct assay_span merged = {to.data, to.len};
	assert_int(merged, "channels", 512);
	assert_quantity(merged, "preset_time", 30, "s");
	assert_quantity(merged, "gain", 4, "1");
	buffer_reset(&to);
	assert_int_equal(config_merge(x->driver, x->settings, nothing, &to, &why), 0);
	assert_int_equal(to.len, x->settings.len);
	assert_memory_equal(to.data, x->settings.data, to.len);
	buffer_finish(&to);
	config_destroy(c);
}

static void a_step_of_another_driver_is_refused(void **state)
{
	struct config *c = load(METHOD_FILE);
	const struct config_method *m = config_find_method(c, "soil");
	struct buffer to = {0};
	char *why;
	const struct config_instrument *r = config_find(c, "r");
	assert_int_equal(
		config_merge(r->driver, r->settings, m->steps[0].settings, &to, &why), -EINVAL);
	assert_string_equal(why, "unknown setting 'preset_time' of driver srs-rga");
	assert_int_equal(to.len, 0);
	free(why);
	config_destroy(c);
}

static void one_setting_is_read_from_a_command_line(void **state)
{
	const struct catalog_driver *amptek = catalog_find(&test_catalog, "amptek-dp5");
	struct buffer to = {0};
	char *why;
	assert_int_equal(config_parse_setting(amptek, "preset_time", "2 min", &to, &why), 0);
	assert_quantity((struct assay_span){to.data, to.len}, "preset_time", 120, "s");
	buffer_reset(&to);
	assert_int_equal(config_parse_setting(amptek, "energy_gain", "20 eV", &to, &why), 0);
	assert_quantity((struct assay_span){to.data, to.len}, "energy_gain", 0.02, "keV");
	buffer_reset(&to);
	const struct catalog_driver *rga = catalog_find(&test_catalog, "srs-rga");
	assert_int_equal(config_parse_setting(rga, "sim_ions", "[18, 28]", &to, &why), 0);
	assert_int_equal(setting((struct assay_span){to.data, to.len}, "sim_ions").data[0], 0x82);
	static const struct {
		const char *name, *text, *phrase;
	} wrong[] = {
		{"preset_tim", "1 s", "did you mean 'preset_time'?"},
		{"preset_time", "1", "its unit is missing"},
		{"channels", "1", "expected 256 to 8192"},
		{"channels", "", "found nothing"},
		{"channels", "{", "a closing bracket is missing"},
		{"channels", "[512", "not closed"},
		{"channels", "*a", "an alias"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		buffer_reset(&to);
		assert_int_equal(
			config_parse_setting(amptek, wrong[i].name, wrong[i].text, &to, &why),
			-EINVAL);
		if (strstr(why, wrong[i].phrase) == NULL)
			fail_msg("'%s' lacks '%s'", why, wrong[i].phrase);
		assert_int_equal(to.len, 0);
		free(why);
	}
	buffer_finish(&to);
}

static void a_missing_file_is_an_error_at_its_beginning(void **state)
{
	struct config *config;
	struct config_errors errors;
	assert_int_equal(
		config_load("/nonexistent/a.yaml", &test_catalog, &config, &errors), -EINVAL);
	assert_null(config);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.items[0].mark.file, "/nonexistent/a.yaml");
	assert_int_equal(errors.items[0].mark.line, 1);
	assert_non_null(strstr(errors.items[0].text, "No such file"));
	config_errors_finish(&errors);
	assert_int_equal(config_load("/dev/null", &test_catalog, &config, &errors), -EINVAL);
	assert_non_null(strstr(errors.items[0].text, "it is not a regular file"));
	config_errors_finish(&errors);
	assert_int_equal(config_load("/", &test_catalog, &config, &errors), -EINVAL);
	config_errors_finish(&errors);
}

static void a_file_full_of_errors_is_not_read_for_ever(void **state)
{
	struct buffer text = {0};
	struct config *config;
	struct config_errors errors;
	buffer_append(&text, LAB, strlen(LAB));
	buffer_append(&text, "instruments:\n", 13);
	for (int i = 0; i < 1000; i++) {
		char line[40];
		int n = snprintf(line, sizeof line, "  i%d: {driver: x}\n", i);
		buffer_append(&text, line, (size_t)n);
	}
	int r = load_text((const char *)text.data, text.len, &test_catalog, &config, &errors);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(errors.count, ERRORS_MAX);
	assert_true(errors.incomplete);
	assert_int_equal(errors.items[0].mark.line, 3);
	config_errors_finish(&errors);
	buffer_finish(&text);
}

/* The driver's process may send anything. */
static void an_answer_with_more_than_findings_is_refused(void **state)
{
	static const struct {
		size_t lists, findings, more;
		int r;
	} cases[] = {{1, 0, 0, 0}, {1, CHECK_FINDINGS_MAX, 0, 0},
		{1, CHECK_FINDINGS_MAX + 1, 0, -EBADMSG}, {0, 0, 0, -EBADMSG}, {2, 0, 0, -EBADMSG},
		{1, 0, 1, -EBADMSG}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config config = {0};
		struct arena arena = {0};
		struct config_errors errors = {0};
		struct buffer answer = {0};
		struct catalog_driver driver = {.name = "map", .has_check = true};
		struct catalog catalog = {.worker = "assay-worker"};
		struct load reading = {
			.arena = &arena, .errors = &errors, .catalog = &catalog, .config = &config};
		check_add(&reading, &(struct check_item){.driver = &driver, .of = "gas-1"});
		encode_array(&answer, cases[i].lists);
		for (size_t k = 0; k < cases[i].lists; k++)
			encode_array(&answer, k == 0 ? cases[i].findings : 0);
		for (size_t k = 0; k < cases[i].findings; k++) {
			struct map map;
			map_open(&map, &answer);
			map_uint(&map, "level", ASSAY_LOG_WARN);
			map_text(&map, "setting", "");
			map_text(&map, "text", "a finding");
			map_close(&map);
		}
		buffer_append(&answer, "", cases[i].more);
		int r = check_take_answer(
			&reading, &driver, (struct assay_span){answer.data, answer.len});
		assert_int_equal(r, cases[i].r);
		config_errors_finish(&config.warnings);
		config_errors_finish(&errors);
		buffer_finish(&answer);
		arena_finish(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(what_may_go_is_said_by_age_and_size),
		cmocka_unit_test(what_is_said_stands_over_defaults),
		cmocka_unit_test(a_table_is_a_list_of_rows_in_the_order_of_its_columns),
		cmocka_unit_test(modbus_instruments_share_a_port),
		cmocka_unit_test(the_setup_keeps_quantities_numbers_and_texts_apart),
		cmocka_unit_test(equal_meaning_has_equal_bytes),
		cmocka_unit_test(other_meaning_has_other_bytes),
		cmocka_unit_test(the_canonical_form_fits_an_audit_record),
		cmocka_unit_test(a_steps_settings_lie_over_its_methods_and_the_instruments),
		cmocka_unit_test(a_step_of_another_driver_is_refused),
		cmocka_unit_test(one_setting_is_read_from_a_command_line),
		cmocka_unit_test(a_missing_file_is_an_error_at_its_beginning),
		cmocka_unit_test(an_answer_with_more_than_findings_is_refused),
		cmocka_unit_test(a_file_full_of_errors_is_not_read_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
