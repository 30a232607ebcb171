/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles against dialogues.  Replies and their meanings are of the sources that each profile
 * names; where a manual prints an example, it is this one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "modbus-map/profile.h"

extern const struct assay_driver *const assay_driver;

static struct host *load(const char *name)
{
	char path[300];
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	snprintf(path, sizeof(path), "%s/%s.yaml", PROFILES, name);
	profile_load(h, path);
	host_check(h);
	assert_string_equal(h->found, "");
	return h;
}

static void expect(struct host *h, const char *request, const char *reply)
{
	host_expect_text(h, request);
	host_answer_text(h, reply);
}

static int acquire(struct host *h)
{
	h->raw.count = 0;
	return h->driver->acquire(&h->ins, &h->raw.handle);
}

static void frame(struct host *h, enum assay_quality flag)
{
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, flag);
	assert_true(host_is_done(h));
}

static struct assay_identity identify(struct host *h)
{
	struct assay_identity id = {0};
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	return id;
}

static void mt_sics(void **state)
{
	struct host *h = load("mt-sics");
	expect(h, "I2\r\n", "I2 A \"XP205 220.00900 g\"\r\n");
	expect(h, "I4\r\n", "I4 A \"B021002593\"\r\n");
	struct assay_identity id = identify(h);
	assert_string_equal(id.model, "XP205 220.00900 g");
	assert_string_equal(id.serial, "B021002593");
	expect(h, "SI\r\n", "S S     100.00 g\r\n");
	frame(h, ASSAY_GOOD);
	assert_true(host_find(h, "mass")->real == 100.0);
	assert_string_equal(host_find(h, "mass")->unit, "g");
	expect(h, "SI\r\n", "S D      -0.05 mg\r\n");
	frame(h, ASSAY_SUSPECT);
	assert_true(host_find(h, "mass")->real == -0.05);
	assert_string_equal(host_find(h, "mass")->unit, "mg");
	static const char *const none[] = {"S I\r\n", "S +\r\n", "S -\r\n"};
	for (size_t i = 0; i < 3; i++) {
		expect(h, "SI\r\n", none[i]);
		frame(h, ASSAY_MISSING);
		assert_true(host_has_reason(h, i == 0 ? "not-ready" : "out-of-range"));
		assert_null(host_find(h, "mass"));
	}
	static const char *const errors[] = {"ES\r\n", "ET\r\n", "EL\r\n"};
	for (size_t i = 0; i < 3; i++) {
		expect(h, "SI\r\n", errors[i]);
		assert_int_equal(acquire(h), -EPROTO);
	}
	expect(h, "SI\r\n", "S S     100.00 ozt\r\n");
	assert_int_equal(acquire(h), -EBADMSG);
	host_destroy(h);
}

/* Comments not counted. */
static void mt_sics_has_at_most_15_lines(void **state)
{
	char line[300];
	int lines = 0;
	FILE *file = fopen(PROFILES "/mt-sics.yaml", "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		lines += line[0] != '#';
	fclose(file);
	assert_in_range(lines, 1, 15);
}

static void ezo_ph(void **state)
{
	struct host *h = load("ezo-ph");
	assert_true(identify(h).declared);
	host_answer_text(h, "60\r9.560\r"); /* the end of a line comes first */
	frame(h, ASSAY_UNCHECKED);
	assert_true(host_find(h, "ph")->real == 9.56);
	assert_string_equal(host_find(h, "ph")->unit, "[pH]");
	host_answer_text(h, "*OV\r");
	frame(h, ASSAY_MISSING);
	assert_true(host_has_reason(h, "device-error"));
	host_answer_text(h, "*OX\r");
	assert_int_equal(acquire(h), -EBADMSG);
	assert_int_equal(h->writes, 0);
	host_destroy(h);
}

/* A read-out as IEC 62056-21 describes it; BCC: exclusive or, here computed by the test. */
static void iec_62056_21(void **state)
{
	struct host *h = load("iec-62056-21");
	char block[300] = "\x02"
			  "F.F(00000000)\r\nC.1(12345678)\r\n1.8.0(007054.890*kWh)\r\n"
			  "1.8.1(000000.000*kWh)\r\n2.8.0(000001.5*kWh)\r\n!\r\n\x03";
	size_t len = strlen(block);
	for (size_t i = 1; i < len; i++)
		block[len] ^= block[i];
	assert_true(identify(h).declared);
	for (int damage = 0; damage < 2; damage++) {
		expect(h, "/?!\r\n", "/ISk5ME172-0000\r\n");
		host_expect_text(h, "\x06"
				    "000\r\n");
		block[5] ^= (char)damage;
		host_answer_split(h, block, len + 1, 11);
		if (damage) {
			assert_int_equal(acquire(h), -EBADMSG);
			assert_non_null(strstr(h->explained, "wrong checksum"));
			continue;
		}
		frame(h, ASSAY_GOOD);
		assert_true(host_find(h, "active_energy_import")->real == 7054.89);
		assert_string_equal(host_find(h, "active_energy_import")->unit, "kW.h");
		assert_int_equal(host_find(h, "error_code")->integer, 0);
	}
	host_destroy(h);
}

static void ak_analyser(void **state)
{
	struct host *h = load("ak-analyser");
	static const struct {
		const char *reply;
		int result;
		enum assay_quality flag;
	} cases[] = {
		{"\x02 AKON 0 12.5\x03", ASSAY_FRAME, ASSAY_GOOD},
		{"\x02 AKON 0 12.5 1511865967\x03", ASSAY_FRAME, ASSAY_GOOD},
		{"\x02 AKON 3 12.5\x03", ASSAY_FRAME, ASSAY_SUSPECT},
		{"\x02 AKON 0 #12.5\x03", ASSAY_FRAME, ASSAY_MISSING},
		{"\x02 AKON 0 BS\x03", ASSAY_FRAME, ASSAY_MISSING},
		{"\x02 AKON 0 OF\x03", -EPROTO, 0},
		{"\x02 ???? 0\x03", -EPROTO, 0},
		{"\x02 AKON 0 12,5\x03", -EBADMSG, 0},
		{"\x02 ASTZ 0\x03", -EBADMSG, 0},
		{" AKON 0 12.5\x03", -EBADMSG, 0},
	};
	assert_true(identify(h).declared);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		expect(h, "\x02 AKON K0\x03", cases[i].reply);
		assert_int_equal(acquire(h), cases[i].result);
		if (cases[i].result < 0)
			continue;
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(h->frame.flag, cases[i].flag);
		if (cases[i].flag != ASSAY_MISSING)
			assert_true(host_find(h, "mole_fraction")->real == 12.5);
		else
			assert_null(host_find(h, "mole_fraction"));
	}
	host_destroy(h);
}

static void gasera_one(void **state)
{
	struct host *h = load("gasera-one");
	assert_true(identify(h).declared);
	expect(h, "\x02 ASTS K0\x03", "\x02 ASTS 0 5\x03");
	expect(h, "\x02 ACON K0\x03",
		"\x02 ACON 0 1511865967 74-82-8 0.919439 1511865967 124-38-9 435.765\x03");
	frame(h, ASSAY_GOOD);
	assert_true(host_find_of(h, "mole_fraction", "CH4")->real == 0.919439);
	assert_true(host_find_of(h, "mole_fraction", "CO2")->real == 435.765);
	expect(h, "\x02 ASTS K0\x03", "\x02 ASTS 1 4\x03");
	expect(h, "\x02 ACON K0\x03", "\x02 ACON 1\x03");
	frame(h, ASSAY_MISSING);
	assert_true(host_has_reason(h, "device-error"));
	expect(h, "\x02 ASTS K0\x03", "\x02 ASTS 0 2\x03");
	expect(h, "\x02 ACON K0\x03", "\x02 ACON 0 NA\x03");
	frame(h, ASSAY_MISSING);
	assert_string_equal(host_find(h, "status_text")->text, "not measuring, no result yet");
	host_destroy(h);
}

static void nirone(void **state)
{
	struct host *h = load("nirone");
	uint8_t floats[512] = {0};
	expect(h, "h0\r", "Sensor type: N1.7\r\n");
	expect(h, "h2\r", "Serial number: 1234\r\n");
	expect(h, "i\r", "Firmware: 1.12\r\n");
	for (int i = 0; i < 128; i++) {
		char ask[30];
		snprintf(ask, sizeof(ask), "W%d,%.1f\r", i, 1550 + 3.0 * i);
		expect(h, ask, "Wavelength: set\r\n");
	}
	struct assay_identity id = identify(h);
	assert_string_equal(id.model, "N1.7");
	assert_string_equal(id.serial, "1234");
	assert_string_equal(id.fw, "1.12");
	memcpy(floats + 4 * 127, "\x00\x00\xC0\x3F", 4); /* 1.5, low byte first */
	expect(h, "XM\r", "Measurement ready\r");
	host_answer_text(h, "\n"); /* on its own: it must not become the first byte of the array */
	host_expect_text(h, "Xm0,128\r");
	host_answer_split(h, floats, sizeof(floats), 100);
	frame(h, ASSAY_UNCHECKED);
	assert_int_equal(h->frame.kind, ASSAY_SPECTRUM);
	assert_true(host_element(host_find(h, "single_beam"), 127) == 1.5);
	assert_true(host_element(host_find(h, "single_beam"), 0) == 0);
	assert_true(host_element(host_find(h, "wavelength"), 127) == 1931);
	host_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mt_sics),
		cmocka_unit_test(mt_sics_has_at_most_15_lines),
		cmocka_unit_test(ezo_ph),
		cmocka_unit_test(iec_62056_21),
		cmocka_unit_test(ak_analyser),
		cmocka_unit_test(gasera_one),
		cmocka_unit_test(nirone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
