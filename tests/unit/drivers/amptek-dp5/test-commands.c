/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and devices: each cell of the driver's table, refusals, and what is put back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amptek-dp5/command.h"
#include "strict.h"

/* The values of Amptek's files, as far as they matter; every other command gets 1. */
static const char *value_for(const char *name)
{
	static const char *const known[][2] = {{"CLCK", "AUTO"}, {"TPEA", "2.400"}, {"PURE", "ON"},
		{"MCAS", "NORM"}, {"MCAC", "256"}, {"AINP", "POS"}, {"GATE", "OFF"},
		{"CON2", "AUXOUT2"}, {"PRET", "OFF"}, {"PRER", "OFF"}, {"PREL", "OFF"},
		{"PREC", "OFF"}, {"HVSE", "-110"}, {"MCST", "0.00"}, {"RESC", "YES"},
		{"MCAE", "ON"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i][0], name) == 0)
			return known[i][1];
	return "1";
}

static const char *whole_text(void)
{
	static char text[2048];
	text[0] = '\0';
	for (size_t i = 0; strict_names[i] != NULL; i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "%s=%s;\n", strict_names[i],
			value_for(strict_names[i]));
	}
	return text;
}

static bool is_sent(const struct strict *s, const char *name)
{
	char start[8];
	snprintf(start, sizeof(start), ";%s=", name);
	return strncmp(s->received, start + 1, 5) == 0 || strstr(s->received, start) != NULL;
}

static const char *left_out(const struct host *h)
{
	const struct assay_variable *v = host_report(h, "left_out");
	return v != NULL ? v->text : "";
}

static void every_cell_is_that_of_the_sources(void **state)
{
	for (unsigned device = 0; device < STRICT_DEVICES; device++) {
		struct commands asked = {0};
		size_t queried = 0;
		commands_query(&asked, device);
		for (size_t i = 0; strict_names[i] != NULL; i++) {
			const char *name = strict_names[i];
			char with[16], without[16];
			int expected = strict_has(device, name);
			snprintf(with, sizeof(with), "%s=1;", name);
			snprintf(without, sizeof(without),
				"%s=?"
				"?;",
				name);
			if (command_is_for(name, device, with) != (expected != 0) ||
				command_is_for(name, device, without) != (expected > 0))
				fail_msg("%s on device %u", name, device);
			if (command_decides(name) != strict_decides(name))
				fail_msg("%s decides?", name);
			queried += commands_find(&asked, name) != NULL;
		}
		assert_int_equal(queried, asked.count);
	}
}

static void a_text_with_every_command_measures_on_every_device(void **state)
{
	for (unsigned k = 0; k < 2 * STRICT_DEVICES; k++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
		static struct strict s;
		strict_attach(h, &s, k / 2, k % 2);
		host_set(h, "configuration", whole_text());
		assert_int_equal(h->driver->configure(&h->ins), 0);
		assert_int_equal(s.refusals, 0);
		for (size_t i = 0; strict_names[i] != NULL; i++) {
			const char *name = strict_names[i];
			int has = strict_has(s.device, name);
			bool ours = strcmp(name, "RESC") == 0 || strcmp(name, "MCAE") == 0;
			bool sent = is_sent(&s, name), preset = strncmp(name, "PRE", 3) == 0;
			bool wanted = !ours && (has > 0 || (has < 0 && s.has_disputed));
			if (sent != (wanted && !preset))
				fail_msg("%s on device %u: sent %d", name, s.device, sent);
			if ((strstr(left_out(h), name) != NULL) == wanted)
				fail_msg("%s on device %u: \"%s\"", name, s.device, left_out(h));
		}
		host_destroy(h);
	}
}

static void assert_kept(const struct strict *s, const char *before)
{
	for (const char *c = before; *c != '\0'; c = strchr(c, ';') + 1) {
		char command[32];
		snprintf(command, sizeof(command), "%.*s;", (int)strcspn(c, ";"), c);
		if (strstr(s->values, command) == NULL)
			fail_msg("%s refused, and %s is lost", s->refuse, command);
	}
}

/* One command is refused, in a text with all of them. */
static void refuse_one(unsigned device, const char *name)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	static struct strict s;
	char before[sizeof(s.values)], reason[64];
	strict_attach(h, &s, device, true);
	snprintf(s.refuse, sizeof(s.refuse), "%s=%s;", name, value_for(name));
	snprintf(
		reason, sizeof(reason), "%s=%s (refused by the instrument)", name, value_for(name));
	host_set(h, "configuration", whole_text());
	memcpy(before, s.values, sizeof(before));
	int r = h->driver->configure(&h->ins);
	if (strict_decides(name)) {
		assert_int_equal(r, -EPROTO);
		assert_non_null(strstr(h->explained, s.refuse));
		assert_non_null(strstr(h->explained, "before it was put back"));
		assert_kept(&s, before);
	} else {
		assert_int_equal(r, 0);
		assert_non_null(strstr(left_out(h), reason));
		/* The next time nothing is sent, and the record names it again. */
		unsigned packets = s.packets;
		host_reset(h);
		assert_int_equal(h->driver->configure(&h->ins), 0);
		assert_int_equal(s.packets, packets);
		assert_non_null(strstr(left_out(h), reason));
	}
	host_destroy(h);
}

static void a_refusal_ends_the_run_only_if_the_command_decides(void **state)
{
	for (unsigned device = 0; device < STRICT_DEVICES; device++)
		for (size_t i = 0; strict_names[i] != NULL; i++) {
			const char *name = strict_names[i];
			/* Never sent, or not sent because they read back so. */
			if (strict_has(device, name) == 0 || strcmp(name, "RESC") == 0 ||
				strcmp(name, "MCAE") == 0 || strncmp(name, "PRE", 3) == 0)
				continue;
			refuse_one(device, name);
		}
}

static void several_refusals_are_found_one_after_another(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	static struct strict s;
	strict_attach(h, &s, 3, false);
	snprintf(s.refuse, sizeof(s.refuse), "MCST=0.00;SCOG=9;");
	host_set(h, "configuration", "SCOG=9;MCST=0.00;VOLU=ON;THSL=2.5;");
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_string_equal(left_out(h),
		"VOLU=ON (not on this device), MCST=0.00 (refused by the instrument), "
		"SCOG=9 (refused by the instrument)");
	assert_non_null(strstr(s.values, "THSL=2.5;"));
	assert_non_null(strstr(h->logged, "refused \"MCST=0.00;\": the value is not allowed"));
	host_destroy(h);
}

static void counter_windows_are_left_out_together(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	static struct strict s;
	strict_attach(h, &s, 1, false);
	snprintf(s.refuse, sizeof(s.refuse), "SCAH=9999;");
	host_set(h, "configuration", "SCAI=1;SCAL=1;SCAH=9999;SCAI=2;SCAL=5;THSL=2.5;");
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_non_null(strstr(left_out(h), "SCAI=1 (refused by the instrument)"));
	assert_non_null(strstr(left_out(h), "SCAL=5 (refused by the instrument)"));
	assert_non_null(strstr(s.values, "THSL=2.5;"));
	host_destroy(h);
}

static void an_acknowledged_setting_without_effect_is_refused_and_put_back(void **state)
{
	static const char *const texts[][2] = {
		{"GATE=HIGH;MCAC=512;", "GATE"}, {"PURE=ON;MCAC=512;", "PURE"}};
	for (size_t i = 0; i < 2; i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
		static struct strict s;
		strict_attach(h, &s, 5, false);
		strict_set(&s, texts[i][1], "OFF");
		snprintf(s.ignore, sizeof(s.ignore), "%s", texts[i][1]);
		host_set(h, "configuration", texts[i][0]);
		assert_int_equal(h->driver->configure(&h->ins), -EPROTO);
		assert_non_null(strstr(h->explained, "reads back OFF"));
		assert_non_null(strstr(s.values, "MCAC=7;"));
		host_destroy(h);
	}
}

static void a_preset_time_is_accumulation_time_where_the_device_has_it(void **state)
{
	for (unsigned k = 0; k < 2 * STRICT_DEVICES; k++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
		static struct strict s;
		strict_attach(h, &s, k / 2, k % 2);
		bool is_real = s.device == 3 && !s.has_disputed;
		host_set(h, "preset_time", "60");
		assert_int_equal(h->driver->configure(&h->ins), 0);
		assert_string_equal(s.received, is_real ? "PRER=60;" : "PRET=60;");
		assert_true(host_report(h, "preset_time")->real == 60);
		host_reset(h);
		strict_attach(h, &s, k / 2, k % 2);
		snprintf(s.refuse, sizeof(s.refuse), "PRET=60;PRER=60;");
		assert_int_equal(h->driver->configure(&h->ins), -EPROTO);
		host_destroy(h);
	}
}

static void a_reset_that_fails_is_undone(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	static struct strict s;
	strict_attach(h, &s, 1, false);
	strict_set(&s, "HVSE", "-130");
	strict_set(&s, "TECS", "225");
	snprintf(s.refuse, sizeof(s.refuse), "TPEA=99;");
	host_set(h, "reset", "true");
	host_set(h, "peaking_time", "99");
	host_set(h, "detector_bias", "-110");
	host_set(h, "cooler_temperature", "220");
	assert_int_equal(h->driver->configure(&h->ins), -EPROTO);
	assert_non_null(strstr(s.received, "RESC=Y;"));
	assert_non_null(strstr(s.values, "HVSE=-130;"));
	assert_non_null(strstr(s.values, "TECS=225;"));
	assert_non_null(strstr(s.values, "MCAC=7;"));
	assert_string_equal(h->explained,
		"peaking_time: the instrument refused \"TPEA=99;\": the value is not allowed (code "
		"05); the configuration before it was put back");
	host_destroy(h);
}

static void a_gate_that_the_device_lacks_is_rejected(void **state)
{
	static const struct {
		unsigned device;
		const char *text, *word;
	} cases[] = {
		{1, "GATE=HIGH;", "the PX5 has no GATE, so GATE=HIGH would not gate"},
		{0, "CON2=GATEH;", "the DP5 has no CON2"},
	};
	for (size_t i = 0; i < 2; i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
		static struct strict s;
		strict_attach(h, &s, cases[i].device, true);
		host_set(h, "configuration", cases[i].text);
		assert_int_equal(h->driver->configure(&h->ins), -EINVAL);
		assert_non_null(strstr(h->explained, cases[i].word));
		assert_int_equal(s.packets, 0);
		host_destroy(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_that_of_the_sources),
		cmocka_unit_test(a_text_with_every_command_measures_on_every_device),
		cmocka_unit_test(a_refusal_ends_the_run_only_if_the_command_decides),
		cmocka_unit_test(several_refusals_are_found_one_after_another),
		cmocka_unit_test(counter_windows_are_left_out_together),
		cmocka_unit_test(an_acknowledged_setting_without_effect_is_refused_and_put_back),
		cmocka_unit_test(a_preset_time_is_accumulation_time_where_the_device_has_it),
		cmocka_unit_test(a_reset_that_fails_is_undone),
		cmocka_unit_test(a_gate_that_the_device_lacks_is_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
