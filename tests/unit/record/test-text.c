/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of others: ids with something that people do not see are rejected, and what is shown is printable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/text.h"

static const struct {
	const char *text, *fault; /* NULL: it is right */
} ids[] = {
	{"", NULL},
	{"LAB-2027-00451", NULL},
	{"Müller 山田", NULL},
	{"a/b \"c\" \\ =1+1", NULL},
	{"\xe8\xbe\xbb\xf3\xa0\x84\x80", NULL}, /* a name with the form of its character */
	{"LAB-1\r", "'LAB-1\\r' ends with a carriage return: set the scanner's suffix"},
	{"LAB-1\r\n", "'LAB-1\\r\\n' ends with a line feed: set the scanner's suffix"},
	{"LAB-1\t", "'LAB-1\\t' ends with a tab: set the scanner's suffix"},
	{"\x02LAB-1", "'\\x02LAB-1' begins with start of text (STX): set the scanner's prefix"},
	{"\x02LAB-1\x03",
		"'\\x02LAB-1\\x03' ends with end of text (ETX): set the scanner's suffix"},
	{"01\x1d"
	 "21",
		"'01\\x1d21' contains a group separator (GS): set the scanner so that it leaves it "
		"out"},
	{"\xc2\x85x",
		"'\\u0085x' begins with a control character (U+0085): set the scanner's prefix"},
	{"LAB-1 ", "'LAB-1 ' ends with a blank: leave it out"},
	{" LAB-1", "' LAB-1' begins with a blank: leave it out"},
	{"LAB-1\xc2\xa0", "'LAB-1\xc2\xa0' ends with a no-break space: leave it out"},
	{"LAB-1\xe3\x80\x80", "'LAB-1\xe3\x80\x80' ends with an ideographic space: leave it out"},
	{"LAB-1\xe2\x80\x8b",
		"'LAB-1\\u200b' ends with a zero width space: it comes with texts that were "
		"copied; type the text"},
	{"\xef\xbb\xbfLAB-1",
		"'\\ufeffLAB-1' begins with a byte order mark: it comes with texts that were "
		"copied; type the text"},
	{"a\xe2\x80\xae"
	 "b",
		"'a\\u202eb' contains an invisible character (U+202E): it comes with texts that "
		"were "
		"copied; type the text"},
	{" ", "' ' has no visible character"},
	{"\xc2\xa0\t", "'\xc2\xa0\\t' has no visible character"},
	{"\xe2\xa0\x80", "'\xe2\xa0\x80' has no visible character"},
	{"M\xfcller", "'M\\xfcller' is not UTF-8"},
	{"back\\slash", NULL},
};

static void ids_are_rejected_for_what_people_do_not_see(void **state)
{
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		char why[400] = "";
		int r = text_check_id(string_of(ids[i].text), why, sizeof why);
		assert_int_equal(r < 0, ids[i].fault != NULL);
		assert_string_equal(why, ids[i].fault != NULL ? ids[i].fault : "");
	}
}

static size_t put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	to[0] = (char)((0xf00u >> more) | (code >> (6 * more)));
	for (size_t i = 1; i <= more; i++)
		to[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

/* For every character: an id that is accepted is shown as it is, and none is accepted at an end only. */
static void what_is_accepted_is_what_is_shown(void **state)
{
	for (uint32_t code = 1; code <= 0x10ffff; code++) {
		char inner[8] = "A", end[8] = "A", why[400], shown[8];
		if (code >= 0xd800 && code < 0xe000)
			continue;
		size_t len = put_utf8(inner + 1, code);
		put_utf8(end + 1, code);
		inner[len + 1] = 'B';
		bool inner_is_right = text_check_id(string_of(inner), why, sizeof why) == 0;
		bool end_is_right = text_check_id(string_of(end), why, sizeof why) == 0;
		strcpy(shown, inner);
		text_make_printable(shown);
		assert_int_equal(inner_is_right, strcmp(shown, inner) == 0);
		assert_true(inner_is_right || !end_is_right);
	}
}

static const char *const pieces[] = {"a", "=", "\x1b[31m", "\xc2\x9b", "\xc2\xb5", "\xe2\x80\xae",
	"\xff", "\xe2\x82", "\n", "\r", "\x7f", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc0\x80",
	"\xe2\x80\x8b"};

static void what_is_printed_is_printable(void **state)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		char text[100] = "", again[100];
		for (int i = rand() % 12; i > 0; i--)
			strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)]);
		text_make_printable(text);
		assert_true(text_is_utf8(text, strlen(text)));
		for (const uint8_t *p = (const uint8_t *)text; *p != '\0'; p++)
			assert_true(*p >= 0x20 && *p != 0x7f && !(p[0] == 0xc2 && p[1] < 0xa0));
		assert_null(strstr(text, "\xe2\x80"));
		strcpy(again, text);
		text_make_printable(again);
		assert_string_equal(again, text);
	}
}

static void an_escaped_text_fits_its_place(void **state)
{
	char to[8];
	text_escape(to, sizeof to, string_of("abc\x1b\x1b"));
	assert_string_equal(to, "abc\\x1b");
	text_escape(to, sizeof to, string_of(""));
	assert_string_equal(to, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_rejected_for_what_people_do_not_see),
		cmocka_unit_test(what_is_accepted_is_what_is_shown),
		cmocka_unit_test(what_is_printed_is_printable),
		cmocka_unit_test(an_escaped_text_fits_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
