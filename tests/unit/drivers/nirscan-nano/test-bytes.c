/* SPDX-License-Identifier: Apache-2.0 */
/* Packets, frames and serialised structures, by the printed examples. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "nirscan-nano/command.h"
#include "nirscan-nano/packet.h"
#include "nirscan-nano/scan.h"
#include "nirscan-nano/tpl.h"

static const uint8_t zero[1];

/* --- over USB --------------------------------------------------------------------------------- */

static void reports_have_the_printed_bytes(void **state)
{
	static const struct {
		enum nano_command which;
		size_t args;
		const char *hex;
	} cases[] = {
		{NANO_SCAN, 1, "40 00 03 00 18 02 00"},
		{NANO_SCAN_DONE, 0, "C0 00 02 00 19 02"},
		{NANO_FILE_SIZE, 1, "C0 00 03 00 2D 00 00"},
		{NANO_FILE_DATA, 0, "C0 00 02 00 2E 00"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct command *c = command_find(cases[i].which);
		uint8_t expected[64] = {0}, out[64];
		host_hex(cases[i].hex, expected, sizeof(expected));
		packet_to_report(&(struct packet){.flags = c->is_write ? 0x40 : 0xC0,
					 .opcode = c->opcode,
					 .data = zero,
					 .len = cases[i].args},
			out);
		assert_memory_equal(out, expected, 64);
	}
}

static void replies_in_reports_end_at_their_length(void **state)
{
	static const struct {
		const char *hex;
		int flags;
		size_t len;
	} cases[] = {
		{"40 00 00 00", 0x40, 0},
		{"C0 00 01 00 01", 0xC0, 1},
		{"C0 00 04 00 EE 0E 00 00", 0xC0, 4},
		{"D0 00 00 00", 0xD0, 0},
		{"E0 00 00 00", 0xE0, 0},
		{"C0 00 3C 00", 0xC0, 60},
		{"C0 00 3D 00", 0xC0, 61},
		{"C0 00 00 02 74 70 6C 00 A0 00 00 00 53 28 75 63", 0xC0, 512},
	};
	struct packet p;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t bytes[576] = {0};
		host_hex(cases[i].hex, bytes, sizeof(bytes));
		for (size_t have = 64; have <= 576; have += 64) {
			ssize_t r = packet_from_reports(bytes, have, &p);
			assert_int_equal(
				r, have < 4 + cases[i].len ? 0 : (ssize_t)(4 + cases[i].len));
		}
		assert_int_equal(p.flags, cases[i].flags);
		assert_int_equal(p.len, cases[i].len);
		assert_ptr_equal(p.data, bytes + 4);
	}
	uint8_t report[64] = {0xC0, 0, 1, 2}; /* 513 bytes */
	assert_int_equal(packet_from_reports(report, 64, &p), -EBADMSG);
	memcpy(report, (uint8_t[]){0xC1, 0, 1, 0}, 4); /* another destination */
	assert_int_equal(packet_from_reports(report, 64, &p), -EBADMSG);
	assert_int_equal(packet_from_reports(report, 3, &p), -EBADMSG);
}

/* --- over the UART ---------------------------------------------------------------------------- */

static void frames_have_the_printed_bytes(void **state)
{
	static const struct {
		int flags, opcode;
		size_t args;
		const char *request;
		int reply_flags;
		size_t reply_len;
		const char *reply;
	} cases[] = {
		{0xC0, 0x0403, 0, "41 42 43 44 C9 00 00 00 C0 00 02 00 03 04 44 43 42 41", 0xC0, 4,
			"41 42 43 44 CE 00 00 00 C0 00 06 00 03 04 01 00 00 00 44 43 42 41"},
		{0x40, 0x0218, 1, "41 42 43 44 5D 00 00 00 40 00 03 00 18 02 00 44 43 42 41", 0x40,
			0, "41 42 43 44 5C 00 00 00 40 00 02 00 18 02 44 43 42 41"},
		{0xC0, 0x0499, 0, "41 42 43 44 5F 01 00 00 C0 00 02 00 99 04 44 43 42 41", 0xD0, 0,
			"41 42 43 44 6F 01 00 00 D0 00 02 00 99 04 44 43 42 41"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t expected[64], out[64];
		struct packet p = {.flags = (uint8_t)cases[i].flags,
			.opcode = (uint16_t)cases[i].opcode,
			.data = zero,
			.len = cases[i].args};
		size_t len = host_hex(cases[i].request, expected, sizeof(expected));
		assert_int_equal(packet_to_frame(&p, out), len);
		assert_memory_equal(out, expected, len);
		len = host_hex(cases[i].reply, expected, sizeof(expected));
		for (size_t have = 0; have < len; have++)
			assert_int_equal(packet_from_frame(expected, have, &p), 0);
		assert_int_equal(packet_from_frame(expected, len, &p), len);
		assert_int_equal(p.flags, cases[i].reply_flags);
		assert_int_equal(p.opcode, cases[i].opcode);
		assert_int_equal(p.len, cases[i].reply_len);
		/* No single wrong bit passes, of the first 8 bytes or the others. */
		for (size_t bit = 0; bit < 8 * len; bit++) {
			expected[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(packet_from_frame(expected, len, &p) <= 0);
			expected[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void the_reply_to_a_gap_is_no_reply(void **state)
{
	uint8_t bytes[22];
	struct packet p;
	host_hex("41 42 43 44 10 00 00 00 10 00 00 00 44 43 42 41", bytes, sizeof(bytes));
	assert_int_equal(packet_from_frame(bytes, 16, &p), -EBADMSG);
	/* Nor is one to another destination, with a right checksum. */
	host_hex("41 42 43 44 CF 00 00 00 C1 00 06 00 03 04 01 00 00 00 44 43 42 41", bytes,
		sizeof(bytes));
	assert_int_equal(packet_from_frame(bytes, sizeof(bytes), &p), -EBADMSG);
}

/* A frame of file data that a user of a unit has published the start of. */
static void a_chunk_has_510_bytes(void **state)
{
	uint8_t frame[528] = {0};
	struct packet p;
	host_hex("41 42 43 44 DB 66 00 00 C0 00 00 02 2E 00", frame, sizeof(frame));
	memcpy(frame + 524, "DCBA", 4);
	uint32_t rest = 0x66DB - 0xC0 - 0x02 -
			0x2E; /* the sum of the data, which is not published */
	for (size_t i = 14; rest > 0; i++) {
		frame[i] = (uint8_t)(rest < 255 ? rest : 255);
		rest -= frame[i];
	}
	assert_int_equal(packet_from_frame(frame, sizeof(frame), &p), 528);
	assert_int_equal(p.len, 510);
	assert_int_equal(p.opcode, 0x002E);
}

static void a_frame_is_searched(void **state)
{
	static const struct {
		const char *text;
		size_t skip;
	} cases[] = {{"", 0}, {"ABCD", 0}, {"A", 0}, {"AB", 0}, {"xABC", 1}, {"AABCD", 1},
		{"ABABCD", 2}, {"ABCxABCD", 4}, {"xyz", 3}, {"ABCE", 4}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(packet_skip((const uint8_t *)cases[i].text, strlen(cases[i].text)),
			cases[i].skip);
}

/* --- structures ------------------------------------------------------------------------------- */

static void structures_have_the_sizes_of_the_capture(void **state)
{
	struct bench_scan s = bench_capture();
	uint8_t file[BENCH_FILE];
	struct tpl t;
	const char *why;
	bench_file(&s, file);
	assert_int_equal(tpl_open(file, sizeof(file), &t, &why), 0xA0);
	assert_string_equal(t.format, "S(uc#cccccccjjvvu$(f#f#)c#vccc)");
	assert_int_equal(t.lengths[0], 20);
	assert_int_equal(t.lengths[3], 8);
}

/* Format, lengths and one value too few, too many: each is found by the sum. */
static void a_structure_that_contradicts_itself_is_rejected(void **state)
{
	static const struct {
		const char *format;
		int arrays, lengths[9], bytes;
		bool is_right;
	} cases[] = {
		{"S(cjviuf)", 0, {0}, 1 + 2 + 2 + 4 + 4 + 8, true},
		{"S(cjviuf)", 0, {0}, 20, false},
		{"S(cjviuf)", 0, {0}, 22, false},
		{"i#", 1, {3}, 12, true},
		{"i#", 1, {0}, 0, true},
		{"i#", 1, {-1}, 4, false},
		{"S(cv)#", 1, {5}, 15, true},
		{"S(cv)#", 1, {-1}, 15, false},
		{"S(cv)#c", 1, {5}, 16, false},
		{"S(c$(f#f#)v)", 2, {3, 1}, 1 + 32 + 2, true},
		{"S(c", 0, {0}, 1, false},
		{"S)c(", 0, {0}, 1, false},
		{"S(#c)", 1, {1}, 1, false},
		{"S#", 1, {1}, 1, false},
		{"#", 1, {1}, 1, false},
		{"S(s)", 0, {0}, 1, false},
		{"A(c)", 0, {0}, 1, false},
		{"", 0, {0}, 0, true},
		{"c#c#c#c#c#c#c#c#", 8, {1, 1, 1, 1, 1, 1, 1, 1}, 8, true},
		{"c#c#c#c#c#c#c#c#c#", 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 9, false},
		/* 2^36 bytes, 2^28 times: 2^64, which is 0. */
		{"S(f#f#f#)#", 4, {-1, -1, 2, 1 << 28}, 0, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t bytes[128] = "tpl";
		const char *why;
		struct tpl t;
		size_t at = 8 + strlen(cases[i].format) + 1;
		memcpy(bytes + 8, cases[i].format, at - 8);
		for (int k = 0; k < cases[i].arrays; k++, at += 4)
			for (int byte = 0; byte < 4; byte++)
				bytes[at + (size_t)byte] =
					(uint8_t)((uint32_t)cases[i].lengths[k] >> 8 * byte);
		at += (size_t)cases[i].bytes;
		bytes[4] = (uint8_t)at;
		ssize_t r = tpl_open(bytes, sizeof(bytes), &t, &why);
		if (r != (cases[i].is_right ? (ssize_t)at : -EBADMSG))
			fail_msg("%s: %zd", cases[i].format, r);
		for (size_t len = 0; len < at; len++)
			assert_int_equal(tpl_open(bytes, len, &t, &why), -EBADMSG);
		bytes[3] = 1; /* big-endian */
		assert_int_equal(tpl_open(bytes, sizeof(bytes), &t, &why), -EBADMSG);
	}
}

static void a_file_with_impossible_counts_is_rejected(void **state)
{
	static const struct {
		int coefficients, sections, places, samples;
		bool is_right;
	} cases[] = {{3, 1, 5, 237, true}, {2, 1, 5, 237, false}, {4, 1, 5, 237, false},
		{3, 0, 5, 237, false}, {3, 6, 5, 237, false}, {3, 3, 2, 237, false},
		{3, 2, 2, 237, true}, {3, 1, 5, 0, false}, {3, 1, 5, 238, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bench_scan s = bench_capture();
		uint8_t file[BENCH_FILE];
		struct scan scan;
		const char *why;
		s.coefficients = cases[i].coefficients;
		s.section_count = cases[i].sections;
		s.section_places = cases[i].places;
		s.samples = cases[i].samples;
		bench_file(&s, file);
		if (scan_open(file, sizeof(file), &scan, &why) !=
			(cases[i].is_right ? 0 : -EBADMSG))
			fail_msg("case %zu: %s", i, why);
	}
}

/* Each file cut at each place is rejected, and each wrong byte is survived. */
static void a_file_is_whole_or_rejected(void **state)
{
	for (int type = 0; type <= 2; type += 2) {
		struct bench_scan s = bench_capture();
		uint8_t file[BENCH_FILE];
		struct scan scan;
		const char *why;
		s.type = type;
		size_t len = bench_file(&s, file);
		assert_int_equal(scan_open(file, sizeof(file), &scan, &why), 0);
		assert_int_equal(scan.sample_count, 237);
		assert_string_equal(scan.serial, "6100039");
		assert_string_equal(scan.configuration.name, "Column 1");
		assert_int_equal(scan.configuration.repeats, 6);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(scan_open(file, cut, &scan, &why), -EBADMSG);
		for (size_t at = 0; at < len; at++) {
			uint8_t byte = file[at];
			file[at] ^= 0xFF;
			if (scan_open(file, sizeof(file), &scan, &why) == 0)
				assert_true(scan.samples + 4 * scan.sample_count <= file + len);
			file[at] = byte;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_have_the_printed_bytes),
		cmocka_unit_test(replies_in_reports_end_at_their_length),
		cmocka_unit_test(frames_have_the_printed_bytes),
		cmocka_unit_test(the_reply_to_a_gap_is_no_reply),
		cmocka_unit_test(a_chunk_has_510_bytes),
		cmocka_unit_test(a_frame_is_searched),
		cmocka_unit_test(structures_have_the_sizes_of_the_capture),
		cmocka_unit_test(a_structure_that_contradicts_itself_is_rejected),
		cmocka_unit_test(a_file_with_impossible_counts_is_rejected),
		cmocka_unit_test(a_file_is_whole_or_rejected),
	};
	return cmocka_run_group_tests_name("nirscan-nano-bytes", tests, NULL, NULL);
}
