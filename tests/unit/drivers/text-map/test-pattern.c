/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "text-map/checksum.h"
#include "text-map/pattern.h"

#define LINE_MAX_BYTES 200

#define NUMBER "[-+]?[ \t]*([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?"
#define MARK   "[-_^?<>=.*]{2,}"

/* The same form twice: as a pattern, and as an extended regular expression with groups. */
static const struct {
	const char *pattern, *expression, *line;
	int groups[4]; /* of the parts, in order */
} forms[] = {
	{"S {status S|D} {mass number} {unit word}",
		"S[ \t]+(S|D)[ \t]+(" NUMBER "|" MARK "|#[^ \t]*)[ \t]+([^ \t]+)",
		"S D     -100.05 kg", {1, 2, 5}},
	{"{ph number}", "(" NUMBER "|" MARK "|#[^ \t]*)", "7.125", {1}},
	{"1.8.0({energy number}*{unit word})",
		"1\\.8\\.0\\((" NUMBER "|" MARK "|#[^ \t*]*)\\*([^ \t)]+)\\)",
		"1.8.0(007054.890*kWh)", {1, 4}},
	{"{mode integer 2}{status hex 2}{range R|O|U}{ph number 7}",
		"([-+]?[0-9]|[0-9]{2}|[ \t][0-9]|[0-9][ \t])([0-9A-Fa-f]{2}|[ "
		"\t][0-9A-Fa-f]|[0-9A-Fa-f][ \t])"
		"([ROU])([ \t]*(" NUMBER "|" MARK "|#[^ \t]*)[ \t]*)",
		"0110R+07.010", {1, 2, 3, 4}},
	{"?I,{model text},{fw text}", "\\?I,([^,]*),(.*)", "?I,pH,1.98", {1, 2}},
	{"\\x41\\{{a hex}\\}{blanks}={b integer}", "A\\{([0-9A-Fa-f]+)\\}[ \t]*=([-+]?[0-9]+)",
		"A{1f}  =-12", {1, 2}},
};

static bool is_safe(char c)
{
	return c != '\0' && c != '\r' && c != '\n';
}

/* If the pattern matches the line, so does the expression, with the same parts. */
static size_t compare(size_t form, const regex_t *expression, const char *line, size_t len)
{
	struct parts parts = {0};
	regmatch_t groups[8];
	char copy[2 * LINE_MAX_BYTES + 2];
	if (memchr(line, '\0', len) != NULL ||
		!pattern_match(forms[form].pattern, "", line, len, &parts)) {
		assert_int_equal(parts.count, 0);
		return 0;
	}
	memcpy(copy, line, len);
	copy[len] = '\0';
	if (regexec(expression, copy, 8, groups, 0) != 0 || groups[0].rm_so != 0 ||
		(size_t)groups[0].rm_eo != len)
		fail_msg("'%s' matches '%s'", forms[form].pattern, copy);
	for (size_t i = 0; i < parts.count; i++) {
		const struct part *part = &parts.list[i];
		int g = forms[form].groups[i];
		const char *text = copy + groups[g].rm_so;
		size_t n = (size_t)(groups[g].rm_eo - groups[g].rm_so);
		bool is_field = part->kind <= PART_HEX; /* with blanks, if it has a width */
		for (; is_field && n > 0 && (*text == ' ' || *text == '\t'); text++)
			n--;
		while (is_field && n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
			n--;
		if (part->len != n || memcmp(part->text, text, n) != 0)
			fail_msg("'%s': part %zu of '%s' is '%.*s'", forms[form].pattern, i, copy,
				(int)part->len, part->text);
	}
	return 1;
}

static void a_damaged_line_gives_the_values_of_the_whole_line_or_none(void **state)
{
	char line[2 * LINE_MAX_BYTES];
	size_t matches = 0;
	for (size_t f = 0; f < sizeof(forms) / sizeof(*forms); f++) {
		char whole[400];
		regex_t expression;
		const char *good = forms[f].line;
		size_t len = strlen(good);
		snprintf(whole, sizeof(whole), "^%s$", forms[f].expression);
		assert_int_equal(regcomp(&expression, whole, REG_EXTENDED), 0);
		assert_int_equal(compare(f, &expression, good, len), 1);
		for (size_t at = 0; at <= len; at++) {
			compare(f, &expression, good + at, len - at);
			compare(f, &expression, good, at);
			for (int c = 1; c < 127; c++) {
				if (!is_safe((char)c))
					continue;
				memcpy(line, good, len);
				line[at] = (char)c; /* another, or one more at the end */
				matches += compare(f, &expression, line, at < len ? len : len + 1);
				memcpy(line, good, at);
				line[at] = (char)c; /* inserted */
				memcpy(line + at + 1, good + at, len - at);
				matches += compare(f, &expression, line, len + 1);
			}
			for (size_t from = 0; from <= len; from++) { /* cut out or doubled */
				memcpy(line, good, at);
				memcpy(line + at, good + from, len - from);
				matches += compare(f, &expression, line, at + len - from);
			}
		}
		regfree(&expression);
	}
	assert_true(matches > 1000);
}

static void expect_parts(const char *pattern, const char *line, const char *expected)
{
	struct parts parts = {0};
	char found[400] = "";
	bool is_match = pattern_match(pattern, "07", line, strlen(line), &parts);
	for (size_t i = 0; i < parts.count; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.*s%s[%.*s]",
			(int)parts.list[i].name_len, parts.list[i].name,
			parts.list[i].is_mark ? "!" : "", (int)parts.list[i].len,
			parts.list[i].text);
	assert_string_equal(is_match ? found : "none", expected);
}

static void each_kind_takes_what_is_its_own(void **state)
{
	static const struct {
		const char *pattern, *line, *expected;
	} cases[] = {
		{"{a number}", "1.5", "a[1.5]"},
		{"{a number}{u word}", "-1.5e3eV", "a[-1.5e3]u[eV]"},
		{"{a number} g", "+   12.5  g", "a[+   12.5]"},
		{"{a number}", "1,5", "none"},
		{"{a number}", "0x10", "none"},
		{"{a number}", "nan", "none"},
		{"{a number}", "1.5 ", "none"},
		{"{a number}", "-----", "a![-----]"},
		{"{a number} g", "--.-- g", "a![--.--]"},
		{"{a number} g", "#12.5 g", "a![#12.5]"},
		{"{a number}*{u word}", "#12.5*g", "a![#12.5]u[g]"},
		{"{a number}", "-", "none"},
		{"{a integer}", "12.5", "none"},
		{"{a integer}{b number}", "12.5", "a[12]b[.5]"},
		{"{a hex}", "DeadBeef", "a[DeadBeef]"},
		{"{a hex}", "11112222333344445", "none"},
		{"{a number 7}{b number 5}", "  -1.5 22.50", "a[-1.5]b[22.50]"},
		{"{a number 7}{b number 5}", "  -1.5 22.5", "none"},
		{"{a text}", "", "a[]"},
		{"{a word}", "", "none"},
		{"{a text}, {b word}", "x y, z", "a[x y]b[z]"},
		{"{text}: {a text}", "Sensor type: N2.0", "a[N2.0]"},
		{"{a A|AB|ABC}C", "ABC", "none"},
		{"{a A|AB}C", "ABC", "a[AB]"},
		{"{a |-}1", "1", "a[]"},
		{"{a =????}", "????", "a[????]"},
		{"{a numbers}", "1 2.5, -3;4", "a[1 2.5, -3;4]"},
		{"{a numbers}{blanks}", "1 2 ", "a[1 2]"},
		{"{a numbers}", "1 2 x", "none"},
		{"{a float32be 1}{b integer}",
			"\x41\x20\x30\x40"
			"5",
			"a[\x41\x20\x30\x40]b[5]"},
		{"{address}:{a integer}", "07:1", "a[1]"},
		{"{address}:{a integer}", "08:1", "none"},
		{"a b", "a\t b", ""},
		{"a\\ b", "a  b", "none"},
		{"{a text}", "x\ry", "a[x\ry]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_parts(cases[i].pattern, cases[i].line, cases[i].expected);
}

static void a_name_that_comes_twice_is_reported(void **state)
{
	struct parts parts = {0};
	assert_true(pattern_match("{a integer}", "", "1", 1, &parts));
	assert_false(parts.is_double);
	assert_false(pattern_match("{a integer}", "", "2", 1, &parts));
	assert_true(parts.is_double);
	assert_int_equal(parts.count, 1);
	assert_int_equal(*parts_find(&parts, "a")->text, '1');
}

static void a_wrong_pattern_is_found_at_its_character(void **state)
{
	static const struct {
		const char *pattern, *fault; /* NULL: it is right */
	} cases[] = {
		{"S {a number} {unit word}", NULL},
		{"{a text 3}{b text}", NULL},
		{"{a word}{blanks}{b word}", NULL},
		{"{}", "character 1,"},
		{"ab{a}", "character 3,"},
		{"{a b c 4}", "character 1,"},
		{"{a number 0}", "character 1,"},
		{"{A number}", "character 1,"},
		{"{a number", "character 1,"},
		{"a}", "character 2,"},
		{"a\\q", "character 2,"},
		{"\\x4", "character 1,"},
		{"{a text}{b text}", "character 9,"},
		{"{a word}{b number}", "character 9,"},
		{"{a float32le}", "character 1,"},
		{"{a numbers 3}", "character 1,"},
		{"{a blanks}", "character 1,"},
		{"x{address}", "character 2,"},
		{"{a numbr}", "expected number, integer"},
	};
	char why[400];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *fault = pattern_fault(cases[i].pattern, NULL, why, sizeof(why));
		assert_int_equal(fault == NULL, cases[i].fault == NULL);
		if (fault != NULL && strstr(fault, cases[i].fault) == NULL)
			fail_msg("'%s': %s", cases[i].pattern, fault);
	}
	assert_null(pattern_fault("x{address}", "K0", why, sizeof(why)));
}

/* "123456789", as published for each; IEC 62056-21: exclusive or. */
static void checksums_have_their_published_check_values(void **state)
{
	static const struct {
		const char *name, *written;
	} cases[] = {{"sum8", "DD"}, {"neg8", "23"}, {"xor8", "31"}, {"sum16", "01DD"},
		{"crc16-modbus", "4B37"}, {"crc16-ccitt", "29B1"}, {"crc16-xmodem", "31C3"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned kind = 0;
		while (strcmp(checksum_names[kind], cases[i].name) != 0)
			kind++;
		assert_int_equal(checksum_width(kind, CHECKSUM_HEX), strlen(cases[i].written));
		assert_true(checksum_fits(kind, CHECKSUM_HEX, "123456789", 9, cases[i].written));
		assert_false(checksum_fits(kind, CHECKSUM_HEX, "123456788", 9, cases[i].written));
	}
	assert_true(checksum_fits(5, CHECKSUM_LOW_FIRST, "123456789", 9, "\x37\x4B"));
	assert_true(checksum_fits(5, CHECKSUM_BYTES, "123456789", 9, "\x4B\x37"));
	assert_true(checksum_fits(3, CHECKSUM_BYTES, "123456789", 9, "\x31"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_damaged_line_gives_the_values_of_the_whole_line_or_none),
		cmocka_unit_test(each_kind_takes_what_is_its_own),
		cmocka_unit_test(a_name_that_comes_twice_is_reported),
		cmocka_unit_test(a_wrong_pattern_is_found_at_its_character),
		cmocka_unit_test(checksums_have_their_published_check_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
