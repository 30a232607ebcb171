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

#include "host.h"
#include "profile.h"

extern const struct assay_driver *const assay_driver;

#define MCS    PROFILES "/sick-mcs100ft.yaml"
#define GASMET PROFILES "/gasmet-cx4000.yaml"

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_MODBUS_RTU);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

/* Register bytes of a reply, as the sheet prints them. */
static unsigned registers(const char *hex, uint16_t *out)
{
	uint8_t bytes[256];
	size_t n = host_hex(hex, bytes, sizeof(bytes));
	for (size_t i = 0; i < n / 2; i++)
		out[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	return (unsigned)(n / 2);
}

static void expect_registers(
	struct host *h, enum assay_modbus_table table, unsigned address, const char *hex)
{
	uint16_t values[125];
	unsigned n = registers(hex, values);
	host_expect_modbus(h, table, address, n, 0, values);
}

/* The flags 4000 to 4487 of the SCU in one request. */
static void expect_flags(struct host *h, const unsigned *set, size_t n)
{
	uint16_t bits[488] = {0};
	for (size_t i = 0; i < n; i++)
		bits[set[i] - 4000] = 1;
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, 0, bits);
}

static const unsigned measuring[] = {4003};

/* One poll, which can take several calls. */
static int poll(struct host *h)
{
	int r;
	h->raw.count = h->raw.total = 0;
	do
		r = h->driver->acquire(&h->ins, &h->raw.handle);
	while (r == -EAGAIN);
	return r;
}

static int configure(struct host *h)
{
	return h->driver->configure(&h->ins);
}

static double value(const struct host *h, const char *name, const char *analyte)
{
	const struct assay_variable *v = host_find_of(h, name, analyte);
	assert_non_null(v);
	return host_element(v, 0);
}

#define MCS_REPLY                                                                  \
	"00 00 41 48 00 00 00 00 00 00 40 50 00 00 42 34 00 00 42 F1 00 00 00 00 " \
	"00 00 42 0F 00 00 40 20 00 00 00 00 00 00 00 00 33 33 41 63 66 66 41 2E " \
	"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 4C CD 43 3B"
#define GASMET_REPLY                                                               \
	"00 00 42 0F 4C CD 43 3B 00 00 40 20 00 00 40 50 00 00 42 34 68 00 47 BF " \
	"00 00 41 48 00 00 3F 00 33 33 41 63"
#define GASMET_NORMAL                                                              \
	"00 00 00 00 00 00 40 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 " \
	"00 00 00 00"

/* --- the worked examples --- */

static void the_mcs100ft_example_is_two_requests_and_nine_values(void **state)
{
	struct host *h = *state;
	profile_load(h, MCS);
	assert_int_equal(configure(h), 0);
	expect_flags(h, measuring, 1);
	expect_registers(h, ASSAY_INPUT, 0x8a, MCS_REPLY);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_true(host_is_done(h));
	assert_string_equal(h->raw.blocks[1].name, "input 138+34");
	assert_string_equal(h->raw.blocks[1].media, "application/x-modbus-registers");
	assert_int_equal(h->raw.blocks[1].len, 68);
	assert_int_equal(h->raw.blocks[0].len, 61);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	assert_true(value(h, "concentration", "HCl") == 12.5);
	assert_int_equal(host_find_of(h, "concentration", "HCl")->type, ASSAY_SCALAR_F32);
	assert_true(value(h, "concentration", "NH3") == 3.25);
	assert_true(value(h, "concentration", "CO") == 45);
	assert_true(value(h, "concentration", "NO") == 120.5);
	assert_true(value(h, "concentration", "SO2") == 35.75);
	assert_true(value(h, "concentration", "NO2") == 2.5);
	assert_true(value(h, "mole_fraction", "H2O") == (double)14.2f);
	assert_true(value(h, "mole_fraction", "O2") == (double)10.9f);
	assert_true(value(h, "concentration", "NOx") == (double)187.3f);
	assert_true(value(h, "measuring", NULL) == 1 && value(h, "fault", NULL) == 0);
	assert_string_equal(host_find_of(h, "concentration", "HCl")->cas, "7647-01-0");
	assert_string_equal(host_find_of(h, "mole_fraction", "O2")->unit, "%");
	assert_null(host_find(h, "status_text"));
}

static void the_second_vector_is_read_with_an_offset_of_minus_one(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
	struct host *h = *state;
	host_set(h, "address_offset", "-1");
	host_set(h, "word_order", "cdab");
	for (int i = 0; i < 9; i++) {
		char address[8];
		struct host_settings *row = host_add_row(h, "points");
		snprintf(address, sizeof(address), "%d", 138 + 2 * i);
		host_settings_set(row, "name", names[i]);
		host_settings_set(row, "table", "input");
		host_settings_set(row, "address", address);
		host_settings_set(row, "type", "float32");
	}
	assert_int_equal(configure(h), 0);
	expect_registers(h, ASSAY_INPUT, 0x89,
		"00 00 40 C8 00 00 41 C8 00 00 42 C8 00 00 43 C8 00 00 44 C8 00 00 45 C8 "
		"00 00 46 C8 00 00 47 C8 00 00 48 C8");
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_true(host_is_done(h));
	assert_int_equal(host_decode(h), 0);
	double expected = 6.25;
	for (int i = 0; i < 9; i++, expected *= 4)
		assert_true(value(h, names[i], NULL) == expected);
}

static void the_cx4000_example_is_read_as_the_plant_reads_it(void **state)
{
	struct host *h = *state;
	profile_load(h, GASMET);
	assert_int_equal(configure(h), 0);
	expect_registers(h, ASSAY_HOLDING, 0, GASMET_REPLY);
	expect_registers(h, ASSAY_HOLDING, 18, GASMET_NORMAL);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_true(host_is_done(h));
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	assert_true(value(h, "concentration", "SO2") == 35.75);
	assert_true(value(h, "concentration", "NOx") == (double)187.3f);
	assert_true(value(h, "concentration", "NO2") == 2.5);
	assert_true(value(h, "concentration", "NH3") == 3.25);
	assert_true(value(h, "concentration", "CO") == 45);
	assert_true(value(h, "concentration", "CO2") == 98000);
	assert_true(value(h, "concentration", "HCl") == 12.5);
	assert_true(value(h, "concentration", "HF") == 0.5);
	assert_true(value(h, "mole_fraction", "H2O") == (double)14.2f);
	assert_true(value(h, "operating_state", NULL) == 4);
}

/* --- status --- */

static void scu_flags_become_quality(void **state)
{
	static const struct {
		unsigned set[3];
		size_t n;
		enum assay_quality flag;
		const char *reason, *text;
	} cases[] = {
		{{4003}, 1, ASSAY_GOOD, NULL, NULL},
		{{0}, 0, ASSAY_SUSPECT, "not-ready", "not in normal measuring"},
		{{4000, 4003}, 2, ASSAY_BAD, "device-error", "fault"},
		{{4006}, 1, ASSAY_SUSPECT, "not-ready", "not in normal measuring, calibrating"},
		{{4003, 4485}, 2, ASSAY_SUSPECT, "not-ready", "zero or blow-back"},
		{{4003, 4487}, 2, ASSAY_SUSPECT, "maintenance", "maintenance"},
	};
	struct host *h = *state;
	profile_load(h, MCS);
	assert_int_equal(configure(h), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		expect_flags(h, cases[i].set, cases[i].n);
		expect_registers(h, ASSAY_INPUT, 138, MCS_REPLY);
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(h->frame.flag, cases[i].flag);
		assert_true(cases[i].reason == NULL || host_has_reason(h, cases[i].reason));
		const struct assay_variable *text = host_find(h, "status_text");
		assert_true((text != NULL) == (cases[i].text != NULL));
		if (text != NULL)
			assert_string_equal(text->text, cases[i].text);
		assert_true(value(h, "concentration", "HCl") == 12.5);
	}
}

static void calcmet_states_become_quality(void **state)
{
	static const struct {
		const char *hex, *text;
		enum assay_quality flag;
	} cases[] = {
		{"00 00 00 00 00 00 00 00", "zero or blow-back", ASSAY_SUSPECT},
		{"00 00 00 00 00 00 3F 80", "calibration phase 1", ASSAY_SUSPECT},
		{"00 00 00 00 00 00 40 00", "calibration phase 2", ASSAY_SUSPECT},
		{"00 00 00 00 00 00 40 40", "calibration phase 3", ASSAY_SUSPECT},
		{"00 00 00 00 00 00 40 A0", NULL, ASSAY_SUSPECT},
		{"00 00 3F 80 00 00 40 80", "fault", ASSAY_BAD},
	};
	struct host *h = *state;
	profile_load(h, GASMET);
	assert_int_equal(configure(h), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint16_t status[14] = {0};
		registers(cases[i].hex, status);
		expect_registers(h, ASSAY_HOLDING, 0, GASMET_REPLY);
		host_expect_modbus(h, ASSAY_HOLDING, 18, 14, 0, status);
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(h->frame.flag, cases[i].flag);
		const struct assay_variable *text = host_find(h, "status_text");
		assert_true((text != NULL) == (cases[i].text != NULL));
		if (text != NULL)
			assert_string_equal(text->text, cases[i].text);
	}
}

static void a_values_own_flags_point_at_that_value(void **state)
{
	struct host *h = *state;
	uint16_t bits[197] = {0};
	profile_load(h, MCS);
	host_set(h, "options", "value_status");
	host_set(h, "basis", "wet");
	bits[864 - 828] = bits[867 - 828] = bits[829 - 828] = 1;
	host_expect_modbus(h, ASSAY_DISCRETE, 828, 197, 0, bits);
	assert_int_equal(configure(h), 0);
	expect_flags(h, measuring, 1);
	expect_registers(h, ASSAY_INPUT, 138, MCS_REPLY);
	host_expect_modbus(h, ASSAY_DISCRETE, 828, 197, 0, bits);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_true(host_is_done(h));
	assert_int_equal(host_decode(h), 0);
	const struct assay_variable *flags = host_find_of(h, "value_status", "CO");
	assert_int_equal(flags->role, ASSAY_FLAGS);
	assert_int_equal(flags->integer, 1 | 8);
	assert_string_equal(flags->of, "concentration");
	assert_string_equal(flags->basis, "wet");
	assert_int_equal(host_find_of(h, "value_status", "HCl")->integer, 2);
	assert_int_equal(host_find_of(h, "value_status", "SO2")->integer, 0);
	assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
	assert_string_equal(host_find(h, "status_text")->text,
		"HCl maintenance request, CO failure, CO uncertain");
}

/* --- failures --- */

static void optional_areas_that_are_not_there_are_left_out(void **state)
{
	struct host *h = *state;
	profile_load(h, MCS);
	host_set(h, "options", "zero");
	host_set(h, "options", "ranges");
	host_expect_modbus(h, ASSAY_INPUT, 0x4f6, 26, ASSAY_MODBUS_EXCEPTION - 2, NULL);
	expect_registers(h, ASSAY_INPUT, 0x2a6,
		"00 00 00 00 00 00 3F 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		"00 00 00 00 00 00");
	assert_int_equal(configure(h), 0);
	assert_non_null(strstr(h->logged, "optional input 1270+26"));
	expect_flags(h, measuring, 1);
	expect_registers(h, ASSAY_INPUT, 138, MCS_REPLY);
	host_expect_modbus(h, ASSAY_INPUT, 0x2a6, 30, ASSAY_MODBUS_EXCEPTION - 4, NULL);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_true(host_is_done(h));
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
	assert_null(host_find(h, "measuring_range"));
	assert_string_equal(host_find(h, "missing")->text,
		"zero_time, zero_1 HCl, zero_2 HCl, zero_1 CO, zero_2 CO, zero_1 SO2, zero_2 SO2");
}

static void one_block_that_fails_does_not_lose_the_others(void **state)
{
	static const struct {
		int result;
		const char *reason;
		unsigned retried;
	} cases[] = {{ASSAY_MODBUS_EXCEPTION - 4, "device-warning", 0}, {-ETIMEDOUT, "timeout", 1},
		{-EBADMSG, "malformed", 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
		profile_load(h, GASMET);
		assert_int_equal(configure(h), 0);
		expect_registers(h, ASSAY_HOLDING, 0, GASMET_REPLY);
		for (unsigned n = 0; n <= cases[i].retried; n++)
			host_expect_modbus(h, ASSAY_HOLDING, 18, 14, cases[i].result, NULL);
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_true(host_is_done(h));
		assert_int_equal(h->retried, cases[i].retried);
		assert_int_equal(host_decode(h), 0);
		assert_true(value(h, "concentration", "SO2") == 35.75);
		assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
		assert_true(host_has_reason(h, cases[i].reason));
		assert_string_equal(host_find(h, "missing")->text,
			"fault, operating_state, alarm_1, alarm_2, alarm_3, alarm_4, alarm_5");
		host_destroy(h);
	}
	(void)state;
}

static void a_frame_without_any_value_is_missing(void **state)
{
	struct host *h = *state;
	profile_load(h, GASMET);
	assert_int_equal(configure(h), 0);
	for (int i = 0; i <= 5; i++)
		host_expect_modbus(h, ASSAY_HOLDING, 0, 18, ASSAY_MODBUS_EXCEPTION - 6, NULL);
	expect_registers(h, ASSAY_HOLDING, 18, GASMET_NORMAL);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_MISSING);
}

static void a_dead_instrument_is_an_error_at_its_first_request(void **state)
{
	struct host *h = *state;
	profile_load(h, MCS);
	assert_int_equal(configure(h), 0);
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, -ETIMEDOUT, NULL);
	assert_int_equal(poll(h), -ETIMEDOUT);
	assert_true(host_is_done(h));
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, ASSAY_MODBUS_EXCEPTION - 4, NULL);
	host_expect_modbus(h, ASSAY_INPUT, 138, 34, ASSAY_MODBUS_EXCEPTION - 8, NULL);
	assert_int_equal(poll(h), -EPROTO);
	assert_string_equal(h->explained, "none of 2 requests got registers; the last, input "
					  "138+34: exception 8 (memory parity error)");
	assert_true(host_is_done(h));
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, -ECANCELED, NULL);
	assert_int_equal(poll(h), -ECANCELED);
}

static void a_register_that_holds_no_number_is_missing_and_named(void **state)
{
	struct host *h = *state;
	uint16_t values[18];
	profile_load(h, GASMET);
	assert_int_equal(configure(h), 0);
	registers(GASMET_REPLY, values);
	values[8] = 0;
	values[9] = 0x7fc0;
	host_expect_modbus(h, ASSAY_HOLDING, 0, 18, 0, values);
	expect_registers(h, ASSAY_HOLDING, 18, GASMET_NORMAL);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_null(host_find_of(h, "concentration", "CO"));
	assert_string_equal(host_find(h, "missing")->text, "concentration CO");
	assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(h, "out-of-range"));
}

static void blocks_that_contradict_their_names_are_rejected(void **state)
{
	static const uint8_t data[300];
	static const struct assay_bytes wrong[] = {
		{"application/x-modbus-registers", "input 138+34", data, 67},
		{"application/x-modbus-registers", "input 138+34", data, 69},
		{"application/x-modbus-registers", "discrete 0+9", data, 1},
		{"application/x-modbus-registers", NULL, data, 68},
		{"application/x-modbus-registers", "input 138", data, 68},
		{"text/plain", "input 138+34", data, 68},
	};
	struct host *h = *state;
	profile_load(h, MCS);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(host_decode_bytes(h, &wrong[i], 1, NULL, 0), -EBADMSG);
	struct assay_bytes part = {"application/x-modbus-registers", "input 138+5", data, 10};
	assert_int_equal(host_decode_bytes(h, &part, 1, NULL, 0), 0);
	assert_true(value(h, "concentration", "HCl") == 0);
	assert_null(host_find_of(h, "concentration", "CO"));
	assert_true(host_has_reason(h, "truncated"));
}

/* --- settings of one's own --- */

static struct host_settings *add(struct host *h, const char *to, const char *name,
	const char *table, const char *address, const char *type)
{
	struct host_settings *row = host_add_row(h, to);
	host_settings_set(row, "name", name);
	host_settings_set(row, "table", table);
	host_settings_set(row, "address", address);
	if (type != NULL)
		host_settings_set(row, "type", type);
	return row;
}

static void numbers_stay_as_they_are_unless_scaled_and_then_it_is_listed(void **state)
{
	struct host *h = *state;
	static const uint16_t values[] = {0xff38, 250, 7};
	add(h, "points", "a", "holding", "0", "int16");
	struct host_settings *b = add(h, "points", "b", "holding", "1", "uint16");
	host_settings_set(b, "scale", "0.1");
	host_settings_set(b, "offset", "-40");
	add(h, "status", "word", "holding", "2", NULL);
	assert_int_equal(configure(h), 0);
	host_expect_modbus(h, ASSAY_HOLDING, 0, 3, 0, values);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(host_find(h, "a")->type, ASSAY_SCALAR_INT);
	assert_int_equal(host_find(h, "a")->integer, -200);
	assert_int_equal(host_find(h, "b")->type, ASSAY_SCALAR_FLOAT);
	assert_true(host_find(h, "b")->real == 250 * 0.1 - 40);
	assert_int_equal(h->frame.setting_count, 1);
	assert_string_equal(h->frame.settings[0].said, "scaling_2");
	assert_string_equal(h->frame.settings[0].v.text, "b = number * 0.1 + -40");
}

static void a_bit_of_a_register_can_be_a_status(void **state)
{
	struct host *h = *state;
	static const uint16_t values[] = {0x0402};
	add(h, "points", "a", "holding", "0", "uint16");
	struct host_settings *row = add(h, "status", "lamp", "holding", "0", "uint16");
	host_settings_set(row, "bit", "10");
	host_settings_set(row, "quality", "bad");
	host_settings_set(row, "reason", "device-error");
	host_settings_set(add(h, "status", "valve", "holding", "0", "uint16"), "bit", "2");
	assert_int_equal(configure(h), 0);
	host_expect_modbus(h, ASSAY_HOLDING, 0, 1, 0, values);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(host_find(h, "lamp")->integer, 1);
	assert_int_equal(host_find(h, "valve")->integer, 0);
	assert_int_equal(h->frame.flag, ASSAY_BAD);
}

static void an_adjusted_point_carries_its_unit_basis_and_uncertainty(void **state)
{
	struct host *h = *state;
	profile_load(h, GASMET);
	struct host_settings *row = host_add_row(h, "adjust");
	host_settings_set(row, "name", "concentration");
	host_settings_set(row, "analyte", "CO2");
	host_settings_set(row, "unit", "%");
	host_settings_set(row, "basis", "dry");
	host_settings_set(row, "unc", "0.4");
	host_settings_set(row, "unc_kind", "expanded");
	host_settings_set(row, "unc_k", "2");
	assert_int_equal(configure(h), 0);
	expect_registers(h, ASSAY_HOLDING, 0, GASMET_REPLY);
	expect_registers(h, ASSAY_HOLDING, 18, GASMET_NORMAL);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	const struct assay_variable *v = host_find_of(h, "concentration", "CO2");
	assert_string_equal(v->unit, "%");
	assert_string_equal(v->basis, "dry");
	assert_string_equal(v->unc.kind, "expanded");
	assert_string_equal(v->unc.src, "method");
	assert_true(v->unc.k == 2 && v->unc.value == 0.4);
	assert_string_equal(host_find_of(h, "concentration", "CO")->unit, "mg/m3");
	assert_null(host_find_of(h, "concentration", "CO")->unc.kind);
}

static void an_uncertainty_register_follows_its_value(void **state)
{
	struct host *h = *state;
	uint16_t values[] = {5, 1};
	host_set(h, "basis", "wet");
	struct host_settings *row = add(h, "points", "concentration", "input", "0", "uint16");
	host_settings_set(row, "analyte", "HCl");
	row = add(h, "points", "uncertainty", "input", "1", "uint16");
	host_settings_set(row, "analyte", "HCl");
	host_settings_set(row, "role", "uncertainty");
	host_settings_set(row, "of", "concentration");
	row = host_add_row(h, "adjust");
	host_settings_set(row, "name", "concentration");
	host_settings_set(row, "analyte", "HCl");
	host_settings_set(row, "basis", "dry");
	assert_int_equal(configure(h), 0);
	host_expect_modbus(h, ASSAY_INPUT, 0, 2, 0, values);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	const struct assay_variable *u = host_find(h, "uncertainty");
	assert_string_equal(u->of, "concentration");
	assert_string_equal(u->basis, "dry");
}

static void readings_and_a_stop_end_the_measurement(void **state)
{
	struct host *h = *state;
	uint16_t value_1 = 1;
	add(h, "points", "a", "input", "0", "uint16");
	host_set(h, "readings", "2");
	assert_int_equal(configure(h), 0);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(h->driver->start(&h->ins), 0);
		host_expect_modbus(h, ASSAY_INPUT, 0, 1, 0, &value_1);
		host_expect_modbus(h, ASSAY_INPUT, 0, 1, 0, &value_1);
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(poll(h), ASSAY_LAST);
	}
	h->stopping = true;
	assert_int_equal(poll(h), ASSAY_DONE);
}

/* --- devices that refuse requests --- */

/* A device with a limit, and with holes in its map; counts the requests. */
struct device {
	unsigned most, hole; /* registers of one request; an address without a register */
	int busy, busy_exception;
	int failure; /* of requests that include the hole; 0: exception 2 */
	unsigned requests, refused;
};

static int answer(struct host *h, enum assay_modbus_table table, unsigned address, unsigned count,
	uint16_t *out)
{
	struct device *d = h->device_data;
	d->requests++;
	if (d->busy > 0 && d->busy--)
		return ASSAY_MODBUS_EXCEPTION - d->busy_exception;
	int failure = d->failure != 0 ? d->failure : ASSAY_MODBUS_EXCEPTION - 2;
	int r = count > d->most                                   ? ASSAY_MODBUS_EXCEPTION - 3
		: d->hole >= address && d->hole < address + count ? failure
								  : 0;
	d->refused += r < 0;
	for (unsigned i = 0; r == 0 && i < count; i++)
		out[i] = (uint16_t)(address + i);
	return r;
}

static struct host *with_device(struct device *d, unsigned points, unsigned step)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	h->modbus = answer;
	h->device_data = d;
	for (unsigned i = 0; i < points; i++) {
		char name[16], address[16];
		snprintf(name, sizeof(name), "p%u", i);
		snprintf(address, sizeof(address), "%u", i * step);
		add(h, "points", name, "holding", address, "uint16");
	}
	return h;
}

/* Brings it up and polls it twice; all points but that of the hole have their values. */
static void expect_all_but_the_hole(struct device *d, unsigned points, unsigned step)
{
	struct host *h = with_device(d, points, step);
	struct assay_identity id = {0};
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_int_equal(configure(h), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	for (int i = 0; i < 2; i++) {
		d->refused = 0;
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(host_decode(h), 0);
		for (unsigned p = 0; p < points; p++) {
			char name[16];
			snprintf(name, sizeof(name), "p%u", p);
			const struct assay_variable *v = host_find(h, name);
			assert_true((v == NULL) == (p * step == d->hole));
			if (v != NULL)
				assert_int_equal(v->integer, p * step);
		}
	}
	bool has_hole = d->hole < points * step && d->hole % step == 0;
	assert_int_equal(d->refused, has_hole); /* learned in the first poll */
	host_destroy(h);
}

static void a_joined_request_that_is_refused_is_split(void **state)
{
	static const struct {
		struct device device;
		unsigned points, step;
	} cases[] = {
		{{.most = 125, .hole = 9999}, 40, 1},
		{{.most = 125, .hole = 1}, 10, 2}, /* a gap that is not there */
		{{.most = 125, .hole = 4}, 10, 2}, /* a point that is not there */
		{{.most = 125, .hole = 17}, 40, 1},
		{{.most = 32, .hole = 9999}, 60, 1}, /* fewer registers per request */
		{{.most = 1, .hole = 3}, 8, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct device device = cases[i].device;
		expect_all_but_the_hole(&device, cases[i].points, cases[i].step);
	}
	(void)state;
}

static void a_split_is_logged_with_the_settings_that_concern_it(void **state)
{
	struct device device = {.most = 125, .hole = 1};
	struct host *h = with_device(&device, 3, 2);
	assert_int_equal(configure(h), 0);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_non_null(strstr(h->logged, "holding 0+5: exception 2 (no such address)"));
	assert_non_null(strstr(h->logged, "3 requests"));
	assert_non_null(strstr(h->logged, "max_gap"));
	host_destroy(h);
	(void)state;
}

static void the_links_limit_of_registers_is_kept(void **state)
{
	struct device device = {.most = 16, .hole = 9999};
	struct host *h = with_device(&device, 60, 1);
	h->modbus_registers = 16;
	assert_int_equal(configure(h), 0);
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(device.refused, 0);
	assert_int_equal(device.requests, 4);
	host_destroy(h);
	(void)state;
}

static void a_busy_device_is_asked_again_within_the_poll(void **state)
{
	static const int exceptions[] = {5, 6, 10, 11};
	for (size_t i = 0; i < 4; i++) {
		struct device device = {.most = 125, .hole = 9999};
		struct host *h = with_device(&device, 4, 1);
		assert_int_equal(configure(h), 0);
		device.busy = 3;
		device.busy_exception = exceptions[i];
		uint64_t start = h->now;
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(h->retried, 3);
		assert_int_equal(h->now - start, 100 + 200 + 400); /* ms, outside of the slot */
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(h->frame.flag, ASSAY_GOOD);
		device.busy = 100;
		assert_int_equal(poll(h), -EPROTO);
		char number[24];
		snprintf(number, sizeof(number), "exception %d (", exceptions[i]);
		assert_non_null(strstr(h->explained, number));
		host_destroy(h);
	}
	(void)state;
}

static unsigned count_lines(const struct host *h, const char *text)
{
	unsigned n = 0;
	for (const char *at = h->logged; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/*
 * One of several blocks fails for good: one log line, one request per poll from then on and no
 * wait, and the poll in which it succeeds again has its value, a log line, and its repetitions.
 */
static void a_block_that_fails_for_good_is_logged_and_costs_one_request(void **state)
{
	static const struct {
		int failure;
		unsigned polls; /* until it is logged */
	} cases[] = {{ASSAY_MODBUS_EXCEPTION - 2, 1}, {ASSAY_MODBUS_EXCEPTION - 4, 1},
		{ASSAY_MODBUS_EXCEPTION - 5, 1}, {ASSAY_MODBUS_EXCEPTION - 6, 1},
		{ASSAY_MODBUS_EXCEPTION - 10, 1}, {ASSAY_MODBUS_EXCEPTION - 11, 1}, {-EBADMSG, 3},
		{-ETIMEDOUT, 3}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (unsigned hole = 500; hole < 2000; hole += 500) {
			struct device device = {.most = 125, .hole = 9999};
			struct host *h = with_device(&device, 4, 500);
			assert_int_equal(configure(h), 0);
			assert_int_equal(poll(h), ASSAY_FRAME);
			device.hole = hole;
			device.failure = cases[i].failure;
			for (unsigned p = 1; p <= 10; p++) {
				bool was_logged = p > cases[i].polls;
				uint64_t start = h->now;
				device.requests = 0;
				assert_int_equal(poll(h), ASSAY_FRAME);
				assert_int_equal(
					count_lines(h, "cannot be read"), p >= cases[i].polls);
				if (was_logged) {
					assert_int_equal(device.requests, 4);
					assert_int_equal(h->now, start);
				}
			}
			device.hole = 9999;
			for (int p = 0; p < 3; p++)
				assert_int_equal(poll(h), ASSAY_FRAME);
			assert_int_equal(host_decode(h), 0);
			assert_int_equal(h->frame.flag, ASSAY_GOOD);
			assert_int_equal(count_lines(h, "can be read again"), 1);
			device.busy = 2;
			device.busy_exception = 6;
			assert_int_equal(poll(h), ASSAY_FRAME);
			assert_int_equal(host_decode(h), 0);
			assert_null(host_find(h, "missing"));
			assert_int_equal(count_lines(h, "cannot be read"), 1);
			host_destroy(h);
		}
	(void)state;
}

/* A lost reply now and then is no state of the block. */
static void replies_that_are_lost_now_and_then_are_not_logged(void **state)
{
	struct device device = {.most = 125, .hole = 9999, .failure = -EBADMSG};
	struct host *h = with_device(&device, 4, 500);
	assert_int_equal(configure(h), 0);
	for (unsigned p = 0; p < 60; p++) {
		device.hole = p % 3 > 0 ? 1000 : 9999;
		assert_int_equal(poll(h), ASSAY_FRAME);
	}
	assert_string_equal(h->logged, "");
	host_destroy(h);
	(void)state;
}

static void a_map_that_is_wrong_altogether_names_the_settings_to_check(void **state)
{
	struct device device = {.most = 0};
	struct host *h = with_device(&device, 100, 1);
	struct assay_identity id = {0};
	assert_int_equal(h->driver->identify(&h->ins, &id), -EPROTO);
	assert_non_null(strstr(h->explained, "exception 3 (not so many values)"));
	assert_non_null(strstr(h->explained, "address_offset"));
	assert_non_null(strstr(h->explained, "40001"));
	assert_true(device.requests < 200);
	host_destroy(h);
	(void)state;
}

/* --- long lists --- */

/* The items of a list, which must be those in order, and the number of others that it names. */
static size_t count_items(const char *list, const char *prefix)
{
	size_t count = 0, more = 0;
	char item[128];
	for (const char *at = list;; at += 2) {
		size_t n = strcspn(at, ",");
		snprintf(item, sizeof(item), "%s%zu", prefix, count);
		if (sscanf(at, "and %zu more", &more) == 1)
			return assert_true(at[n] == '\0'), count + more;
		assert_true(n == strlen(item) && memcmp(at, item, n) == 0);
		count++;
		at += n;
		if (*at == '\0')
			return count;
	}
}

static void no_missing_value_and_no_text_is_left_out_unnamed(void **state)
{
	static const unsigned counts[] = {1, 20, 40, 150, 200};
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct device device = {.most = 125, .hole = 9999};
		struct host *h = with_device(&device, 0, 0);
		for (unsigned p = 0; p < counts[i]; p++) {
			char address[16], name[48], text[80];
			snprintf(address, sizeof(address), "%u", p + 1);
			snprintf(name, sizeof(name), "a_name_that_is_rather_long_%u", p);
			struct host_settings *row = add(
				h, "points", name, "holding", address, NULL);
			host_settings_set(row, "max", "0");
			snprintf(text, sizeof(text), "%.50s%u",
				"a text that a manual has for the bit of a register", p);
			row = add(h, "status", "st", "input", "9", NULL);
			host_settings_set(row, "text", text);
		}
		assert_int_equal(configure(h), 0);
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(host_decode(h), 0);
		const char *missing = host_find(h, "missing")->text;
		const char *texts = host_find(h, "status_text")->text;
		assert_true(strlen(missing) <= 4096 && strlen(texts) <= 4096);
		assert_int_equal(count_items(missing, "a_name_that_is_rather_long_"), counts[i]);
		assert_int_equal(
			count_items(texts, "a text that a manual has for the bit of a register"),
			counts[i]);
		assert_int_equal(strstr(missing, "more") != NULL, counts[i] > 125);
		host_destroy(h);
	}
	(void)state;
}

/* --- identity --- */

static void without_identity_registers_it_is_declared_if_any_area_replies(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	profile_load(h, MCS);
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, ASSAY_MODBUS_EXCEPTION - 4, NULL);
	expect_registers(h, ASSAY_INPUT, 138, MCS_REPLY);
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_true(id.declared);
	assert_true(host_is_done(h));
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, ASSAY_MODBUS_EXCEPTION - 4, NULL);
	host_expect_modbus(h, ASSAY_INPUT, 138, 34, ASSAY_MODBUS_EXCEPTION - 11, NULL);
	assert_int_equal(h->driver->identify(&h->ins, &id), -EPROTO);
	assert_non_null(strstr(h->explained, "exception 11 (the unit behind the gateway"));
	host_expect_modbus(h, ASSAY_DISCRETE, 4000, 488, -ETIMEDOUT, NULL);
	assert_int_equal(h->driver->identify(&h->ins, &id), -ETIMEDOUT);
	assert_true(host_is_done(h));
}

static void identity_registers_are_read(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	static const uint16_t one = 1, serial[] = {0x0001, 0xe240},
			      model[] = {0x4142, 0x4320, 0x2000};
	add(h, "points", "a", "input", "0", "uint16");
	struct host_settings *row = host_add_row(h, "identity");
	host_settings_set(row, "field", "serial");
	host_settings_set(row, "table", "holding");
	host_settings_set(row, "address", "100");
	host_settings_set(row, "type", "uint32");
	row = host_add_row(h, "identity");
	host_settings_set(row, "field", "model");
	host_settings_set(row, "table", "input");
	host_settings_set(row, "address", "200");
	host_settings_set(row, "registers", "3");
	host_expect_modbus(h, ASSAY_HOLDING, 100, 2, 0, serial);
	host_expect_modbus(h, ASSAY_INPUT, 200, 3, 0, model);
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_true(host_is_done(h));
	assert_false(id.declared);
	assert_string_equal(id.serial, "123456");
	assert_string_equal(id.model, "ABC");
	/* Its map is looked at afterwards: a unit without the registers has an identity all the same. */
	host_expect_modbus(h, ASSAY_INPUT, 0, 1, 0, &one);
	assert_int_equal(h->driver->configure(&h->ins), 0);
	host_expect_modbus(h, ASSAY_INPUT, 0, 1, ASSAY_MODBUS_EXCEPTION - 2, NULL);
	assert_int_equal(h->driver->configure(&h->ins), -EPROTO);
	assert_non_null(strstr(h->explained, "refuses all requests of the map"));
	host_expect_modbus(h, ASSAY_HOLDING, 100, 2, ASSAY_MODBUS_EXCEPTION - 2, NULL);
	assert_int_equal(h->driver->identify(&h->ins, &id), -EPROTO);
	assert_string_equal(
		h->explained, "identity: serial cannot be read: exception 2 (no such address)");
}

/* What identity registers of a type give; "": nothing is known, "none": it has none. */
static void registers_that_were_never_written_are_no_identity(void **state)
{
	static const struct {
		const char *field, *type, *hex, *text;
	} cases[] = {
		{"serial", "uint16", "FF FF", "none"},
		{"serial", "uint16", "7F FF", "32767"},
		{"serial", "uint32", "FF FF FF FF", "none"},
		{"serial", "uint32", "FF FF FF FE", "4294967294"},
		{"serial", "uint64", "FF FF FF FF FF FF FF FF", "none"},
		{"serial", "uint64", "00 00 00 00 FF FF FF FF", "4294967295"},
		{"fw", "uint16", "FF FF", ""},
		{"serial", "text", "FF FF FF FF", "none"},
		{"serial", "text", "00 00 00 00", "none"},
		{"serial", "text", "20 20 20 20", "none"},
		{"serial", "text", "34 37 31 31", "4711"},
		{"serial", "text", "30 34 37 FF", "047"},
		{"model", "text", "58 35 FF FF", "X5"},
		{"model", "text", "FF FF FF FF", ""},
		{"make", "text", "41 07 42 00", "A?B"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
		struct assay_identity id = {0};
		add(h, "points", "a", "input", "0", "uint16");
		struct host_settings *row = host_add_row(h, "identity");
		host_settings_set(row, "field", cases[i].field);
		host_settings_set(row, "table", "holding");
		host_settings_set(row, "address", "100");
		host_settings_set(row, "type", cases[i].type);
		host_settings_set(row, "registers", "2");
		expect_registers(h, ASSAY_HOLDING, 100, cases[i].hex);
		assert_int_equal(h->driver->identify(&h->ins, &id), 0);
		assert_true(host_is_done(h));
		const char *found = strcmp(cases[i].field, "serial") == 0  ? id.serial
				    : strcmp(cases[i].field, "model") == 0 ? id.model
				    : strcmp(cases[i].field, "make") == 0  ? id.make
									   : id.fw;
		assert_string_equal(found, cases[i].text);
		host_destroy(h);
	}
	(void)state;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_mcs100ft_example_is_two_requests_and_nine_values),
		T(the_second_vector_is_read_with_an_offset_of_minus_one),
		T(the_cx4000_example_is_read_as_the_plant_reads_it),
		T(scu_flags_become_quality),
		T(calcmet_states_become_quality),
		T(a_values_own_flags_point_at_that_value),
		T(optional_areas_that_are_not_there_are_left_out),
		T(one_block_that_fails_does_not_lose_the_others),
		T(a_frame_without_any_value_is_missing),
		T(a_dead_instrument_is_an_error_at_its_first_request),
		T(a_register_that_holds_no_number_is_missing_and_named),
		T(blocks_that_contradict_their_names_are_rejected),
		T(numbers_stay_as_they_are_unless_scaled_and_then_it_is_listed),
		T(a_bit_of_a_register_can_be_a_status),
		T(an_adjusted_point_carries_its_unit_basis_and_uncertainty),
		T(an_uncertainty_register_follows_its_value),
		T(readings_and_a_stop_end_the_measurement),
		T(a_joined_request_that_is_refused_is_split),
		T(a_split_is_logged_with_the_settings_that_concern_it),
		T(the_links_limit_of_registers_is_kept),
		T(a_busy_device_is_asked_again_within_the_poll),
		T(a_block_that_fails_for_good_is_logged_and_costs_one_request),
		T(replies_that_are_lost_now_and_then_are_not_logged),
		T(a_map_that_is_wrong_altogether_names_the_settings_to_check),
		T(no_missing_value_and_no_text_is_left_out_unnamed),
		T(without_identity_registers_it_is_declared_if_any_area_replies),
		T(identity_registers_are_read),
		T(registers_that_were_never_written_are_no_identity),
	};
	return cmocka_run_group_tests_name("modbus-map", tests, NULL, NULL);
}
