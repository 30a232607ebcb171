/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/key-file.h"

#define PUBLIC "    public-key = \"%1$s\"\n"
#define SECRET "    secret-key = \"%2$s\"\n"

static struct key_pair made;

static int set_up(void **state)
{
	return zmq_curve_keypair(made.public_key, made.secret_key);
}

static void every_file_is_read_or_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: it is read */
	} files[] = {
		{"curve\n" PUBLIC, NULL},
		{"curve\n" PUBLIC SECRET, NULL},
		{"# of lims\n\nmetadata\n\tname = \"lims\"\n\tany line\ncurve\n" SECRET PUBLIC,
			NULL},
		{"curve\n    public-key=\"%1$s\"", NULL},
		{"", "1:1: the file has no public-key"},
		{"curve\n" SECRET, "2:1: the file has no public-key"},
		{"metadata\n" PUBLIC, "2:1: the file has no public-key"},
		{"-----BEGIN KEY-----\n", "1:1: expected `curve`"},
		{"curves\n" PUBLIC, "1:1: expected `curve`"},
		{"curve\npublic-key = \"%1$s\"\n", "2:1: expected `curve`"},
		{"curve\n    public-key = %1$s\n", "2:5: expected public-key ="},
		{"curve\n    public-key = \"%1$s\n", "2:5: expected public-key ="},
		{"curve\n    public-key = \"%1$s\" x\n", "2:5: expected public-key ="},
		{"curve\n    private-key = \"%1$s\"\n", "2:5: expected the name public-key"},
		{"curve\n    public-key = \"abc\"\n", "2:19: expected a key: 40 characters of Z85"},
		{"curve\n    public-key = \"%1$s0\"\n", "2:19: expected a key"},
		{"curve\n    public-key = \"~%1$.39s\"\n", "2:19: expected a key"},
		{"curve\n    public-key = \"%%%%%%%%%%%1$.35s\"\n", "2:19: expected a key"},
		{"curve\n" PUBLIC PUBLIC, "3:5: there are two keys of this name"},
		{"curve\n" PUBLIC "    secret-key = \"%1$s\"\n", "are not of one pair"},
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char text[400], why[KEY_FILE_ERRORS] = "";
		struct key_pair pair;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		int len = snprintf(
			text, sizeof text, files[i].text, made.public_key, made.secret_key);
#pragma GCC diagnostic pop
		int r = key_file_parse(text, (size_t)len, &pair, why);
		if ((r == 0) != (files[i].why == NULL) ||
			(files[i].why != NULL && strstr(why, files[i].why) == NULL))
			fail_msg("file %zu: %d: %s", i, r, why);
		if (r == 0)
			assert_string_equal(pair.public_key, made.public_key);
	}
	char why[KEY_FILE_ERRORS];
	struct key_pair pair;
	assert_int_equal(key_file_parse("curve\n\0", 7, &pair, why), -EINVAL);
	assert_non_null(strstr(why, "2:1: expected a line of text"));
}

static void secret_key_that_others_may_use_is_refused(void **state)
{
	char path[] = "/tmp/assay-key-XXXXXX", why[KEY_FILE_ERRORS];
	struct key_pair pair;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	dprintf(fd, "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n", made.public_key,
		made.secret_key);
	close(fd);
	for (unsigned mode = 0400; mode <= 0777; mode++) {
		if ((mode & 0400) == 0)
			continue;
		assert_int_equal(chmod(path, mode), 0);
		int r = key_file_read(path, true, &pair, why);
		assert_int_equal(r, (mode & 077) == 0 ? 0 : -EPERM);
		assert_int_equal(key_file_read(path, false, &pair, why), 0);
	}
	assert_non_null(strstr(why, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 59), 0); /* the public key alone */
	assert_int_equal(key_file_read(path, true, &pair, why), -EINVAL);
	unlink(path);
	assert_int_equal(key_file_read(path, true, &pair, why), -ENOENT);
	assert_non_null(strstr(why, path));
	assert_int_equal(key_file_read("/dev/zero", false, &pair, why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_read_or_refused_with_its_place),
		cmocka_unit_test(secret_key_that_others_may_use_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
