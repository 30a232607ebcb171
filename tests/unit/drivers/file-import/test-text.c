/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "file-import/text.h"

static void expect(enum text_encoding encoding, const char *bytes, size_t len, const char *text)
{
	char to[64];
	text_set(to, encoding, (const uint8_t *)bytes, len);
	assert_string_equal(to, text);
}
#define EXPECT(encoding, bytes, text) expect((encoding), (bytes), sizeof(bytes) - 1, (text))

#define NONE "\xef\xbf\xbd"

static void test_characters(void **state)
{
	(void)state;
	EXPECT(TEXT_LATIN_1, "M\xfcller \xb5g", "Müller µg");
	EXPECT(TEXT_CP1252, "\x80 \x93x\x94 \x81", "€ “x” " NONE);
	EXPECT(TEXT_UTF_8, "\xef\xbb\xbfM\xc3\xbcller", "Müller");
	EXPECT(TEXT_UTF_8, "a\xc3", "a" NONE);
	EXPECT(TEXT_UTF_8, "\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80x",
		NONE NONE NONE NONE NONE NONE NONE NONE NONE "x");
	EXPECT(TEXT_UTF_16_LE, "a\0\xfc\0\x3d\xd8\x00\xde", "aü😀");
	EXPECT(TEXT_UTF_16_BE, "\0a\0\xfc", "aü");
	EXPECT(TEXT_UTF_16_LE, "a\0\x00\xd8z\0\x62", "a" NONE "z" NONE);
	EXPECT(TEXT_SHIFT_JIS, "A:\\\xb1 \x83\x5cx", "A:\\\xef\xbd\xb1 " NONE "x");
}

static void test_controls(void **state)
{
	(void)state;
	EXPECT(TEXT_LATIN_1, "  a\r\n\x1b[2J\x9b b\t\n  ", "a   [2J  b");
	EXPECT(TEXT_UTF_8,
		"a\xe2\x80\xae"
		"b",
		"a b"); /* right to left */
	EXPECT(TEXT_LATIN_1, "a\0b", "a");
	EXPECT(TEXT_UTF_16_LE, "a\0\0\0b\0", "a");
	EXPECT(TEXT_LATIN_1, "", "");
}

static void test_cut(void **state)
{
	(void)state;
	char to[6];
	text_set(to, TEXT_LATIN_1, (const uint8_t *)"\xfc\xfc\xfc", 3);
	assert_string_equal(to, "üü"); /* no half of a character */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
