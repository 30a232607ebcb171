/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "srs-rga/replies.h"
#include "srs-rga/scan.h"
#include "srs-rga/status.h"

extern const struct assay_driver *const assay_driver;

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_TCP);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int decode(struct host *h, const char *replies, const void *scan, size_t len)
{
	struct assay_bytes raw[] = {
		{.media = RGA_MEDIA_REPLIES,
			.data = (const uint8_t *)replies,
			.len = strlen(replies)},
		{.media = RGA_MEDIA_SCAN, .data = scan, .len = len},
	};
	return host_decode_bytes(h, raw, 2, NULL, 0);
}

static void words_are_little_endian_twos_complement(void **state)
{
	static const uint8_t bytes[] = {0x39, 0x30, 0, 0, 0x06, 0xff, 0xff, 0xff, 0, 0xe1, 0xf5, 5,
		0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0x7f};
	assert_int_equal(rga_word(bytes, 0), 12345);
	assert_int_equal(rga_word(bytes, 1), -250);
	assert_int_equal(rga_word(bytes, 2), 100000000);
	assert_int_equal(rga_word(bytes, 3), INT32_MIN);
	assert_int_equal(rga_word(bytes, 4), INT32_MAX);
	(void)state;
}

static void replies_that_do_not_fit_together_are_rejected(void **state)
{
	struct host *h = *state;
	static const char *const wrong[] = {"", "AP? 11\n", "AP? 11\nMI? 1\nMF? 2\n",
		"AP? 12\nMI? 1\nMF? 2\nSA? 10\n", "AP? 11\nMI? 1.5\nMF? 2\nSA? 10\n",
		"AP? 11\nMI? 0\nMF? 1\nSA? 10\n", "AP? 11\nMI? 1\nMF? 2\nSA? 10\nHV? x\n",
		"AP? nan\nMI? 1\nMF? 2\nSA? 10\n", "AP? 11\nMI? 3\nMF? 2\nSA? 10\n",
		"HP? 301\nMI? 1\nMF? 301\n", "MR\n", "MR 5 4\n", "MR 5 5\n", "MR 5  6\n",
		"MR 5 x\n", "MR 301\n", "HP? 99999999999999999999\nMI? 1\nMF? 2\n"};
	static const uint8_t scan[1300];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(decode(h, wrong[i], scan, sizeof(scan)), -EBADMSG);
}

static void the_length_decides_about_the_frame(void **state)
{
	struct host *h = *state;
	static const char replies[] = "MI? 1\nMF? 3\nHP? 3\nTP1\nER? 0\n";
	static const uint8_t scan[64];
	assert_int_equal(decode(h, replies, scan, 11), -EBADMSG);
	assert_int_equal(decode(h, replies, scan, 12), 0);
	assert_int_equal(h->frame.flag, ASSAY_BAD);
	assert_null(host_find(h, "total_pressure_current"));
	assert_int_equal(decode(h, replies, scan, 16), 0);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	assert_non_null(host_find(h, "total_pressure_current"));
	assert_int_equal(decode(h, replies, scan, 17), 0);
	assert_int_equal(h->frame.flag, ASSAY_BAD);
	assert_int_equal(decode(h, "MR 4 9\n", scan, 8), 0);
	assert_int_equal(decode(h, "MR 4 9\n", scan, 9), -EBADMSG);
	assert_int_equal(decode(h, "MR 4 9\nTP1\n", scan, 8), -EBADMSG);
}

static void one_block_alone_is_no_frame(void **state)
{
	struct host *h = *state;
	struct assay_bytes raw = {.media = RGA_MEDIA_SCAN, .data = (const uint8_t *)"", .len = 0};
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), -EBADMSG);
	assert_int_equal(host_decode_bytes(h, NULL, 0, NULL, 0), -EBADMSG);
}

static void status_bits_become_quality(void **state)
{
	static const struct {
		const char *replies, *text;
		enum assay_quality flag;
		const char *reason;
	} cases[] = {
		{"ER? 1\nEC? 64\n", "communication: parameters contradict each other",
			ASSAY_SUSPECT, "device-warning"},
		{"ER? 2\nEF? 64\n", "filament: cannot reach the emission", ASSAY_BAD, "interlock"},
		{"ER? 2\nEF? 1\n", "filament: one filament left", ASSAY_UNCHECKED,
			"device-warning"},
		{"ER? 2\nEF? 0\n", "filament", ASSAY_SUSPECT, "device-warning"},
		{"ER? 8\nEM? 128\nHV? 0\n", "electron multiplier: not fitted", ASSAY_UNCHECKED,
			NULL},
		{"ER? 8\nEM? 128\nHV? 1400\n", "electron multiplier: not fitted", ASSAY_SUSPECT,
			"device-warning"},
		{"ER? 16\nEQ? 16\n", "quadrupole: current limited", ASSAY_BAD, "device-error"},
		{"ER? 32\nED? 192\n", "electrometer: DETECT fails at +5 nA, ADC test failed",
			ASSAY_BAD, "device-error"},
		{"ER? 64\nEP? 64\n", "24 V supply: below 22 V", ASSAY_BAD, "device-error"},
		{"ER? 66\nEF? 36\nEP? 128\n",
			"filament: bit 2 of EF, pressure too high; 24 V supply: above 26 V",
			ASSAY_BAD, "interlock"},
	};
	struct host *h = *state;
	static const uint8_t scan[8];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char replies[128] = "MI? 7\nMF? 7\nHP? 1\n";
		strncat(replies, cases[i].replies, 64);
		assert_int_equal(decode(h, replies, scan, sizeof(scan)), 0);
		assert_string_equal(host_find(h, "status_text")->text, cases[i].text);
		assert_int_equal(h->frame.flag, cases[i].flag);
		assert_true(cases[i].reason == NULL ? h->frame.reason_count == 0
						    : host_has_reason(h, cases[i].reason));
	}
}

static void a_status_text_is_cut_at_the_end_of_its_buffer(void **state)
{
	struct rga_status all = {.status = 255, .detail = {255, 255, 255, 255, 255, 255}};
	char text[600];
	for (size_t size = 1; size < sizeof(text); size += 7) {
		memset(text, 'x', sizeof(text));
		rga_status_text(&all, text, size);
		assert_non_null(memchr(text, '\0', size));
		assert_int_equal(text[size], 'x');
	}
	(void)state;
}

static void identities_of_any_length_are_read(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	unsigned max;
	assert_int_equal(rga_identity_read(h->ins.host, "SRSRGA300VER1.10SN9", &id, &max), 0);
	assert_int_equal(max, 300);
	assert_string_equal(id.model, "RGA300");
	assert_string_equal(id.fw, "1.10");
	assert_int_equal(rga_identity_read(h->ins.host, "SRSRGA???VER0.24SN12226", &id, &max), 0);
	assert_int_equal(max, 0);
	static const char *const wrong[] = {"", "SRSRGA", "SRSRGAVER1SN1", "SRSRGA200SN1VER1",
		"SRSRGA200VER0.24", "XRSRGA200VER0.24SN1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(rga_identity_read(h->ins.host, wrong[i], &id, &max), -EBADMSG);
}

static void the_last_reply_to_a_command_counts(void **state)
{
	static const char text[] = "MI? 1\nMI?\nTP1\nMI? 22\nMIX? 3";
	size_t size;
	const char *reply = rga_replies_find(text, strlen(text), "MI?", &size);
	assert_memory_equal(reply, "22", size);
	assert_int_equal(size, 2);
	assert_non_null(rga_replies_find(text, strlen(text), "TP1", &size));
	assert_null(rga_replies_find(text, strlen(text), "TP", &size));
	assert_memory_equal(rga_replies_find(text, strlen(text), "MIX?", &size), "3", 1);
	(void)state;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(words_are_little_endian_twos_complement),
		T(replies_that_do_not_fit_together_are_rejected),
		T(the_length_decides_about_the_frame),
		T(one_block_alone_is_no_frame),
		T(status_bits_become_quality),
		T(a_status_text_is_cut_at_the_end_of_its_buffer),
		T(identities_of_any_length_are_read),
		T(the_last_reply_to_a_command_counts),
	};
	return cmocka_run_group_tests_name("srs-rga-decode", tests, NULL, NULL);
}
