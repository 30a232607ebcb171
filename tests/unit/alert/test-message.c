/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations that are accepted or not, and messages with hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "message.h"
#include "options.h"

static int read_options(struct alert_options *options, const char *text)
{
	return alert_options_read(options, text, strlen(text));
}

static void right_configurations_are_read(void **state)
{
	struct alert_options o;
	assert_int_equal(
		read_options(&o, "mail: {to: kim@lab.example, from: assayd@lab.example}\n"), 0);
	assert_int_equal(o.to_count, 1);
	assert_string_equal(o.sendmail, "/usr/sbin/sendmail");
	assert_null(o.url);
	assert_int_equal(o.fault, 300 * NS_PER_S);
	assert_int_equal(o.calibration, 30 * 86400 * NS_PER_S);
	alert_options_finish(&o);
	assert_int_equal(
		read_options(&o, "webhook: {url: 'http://127.0.0.1:8080/x'}\ndeadline: 5 s\n"
				 "conditions: {fault: 10 min, calibration: 14 d}\n"
				 "limit: 3\nremind: 0 s\nsimulated: true\n"),
		0);
	assert_int_equal(o.deadline, 5 * NS_PER_S);
	assert_int_equal(o.fault, 600 * NS_PER_S);
	assert_int_equal(o.limit, 3);
	assert_int_equal(o.remind, 0);
	assert_true(o.simulated);
	alert_options_finish(&o);
}

static void wrong_configurations_are_rejected(void **state)
{
	static const char *const wrong[] = {"", "limit: 5\n", "mail: {to: [], from: a@b}\n",
		"mail: {to: kim@lab.example}\n", "mail: {from: kim@lab.example}\n",
		"mail: {to: '-oQ/tmp@x', from: a@b}\n", "mail: {to: 'a@b c', from: a@b}\n",
		"mail: {to: \"a@b\\nBcc: c@d\", from: a@b}\n",
		"mail: {to: a@b, from: \"a@b\\nX: y\"}\n", "mail: {to: 'a@b,c@d', from: a@b}\n",
		"mail: {to: 'a@b', from: a@b, sendmail: sendmail}\n",
		"mail: {to: '|x@b', from: a@b}\n", "mail: {to: [[a@b]], from: a@b}\n",
		"mail: {to: [1,2,3,4,5,6,7,8], from: a@b}\n", "mail: [a@b]\n",
		"mail: {to: a@b, from: a@b}\nlimit: 0\n", "mail: {to: a@b, from: a@b}\nlimit: 61\n",
		"mail: {to: a@b, from: a@b}\nfaults: 5 min\n",
		"mail: {to: a@b, from: a@b}\nconditions: {fualt: 5 min}\n",
		"webhook: {url: 'http://lab.example/'}\n", "webhook: {url: 'ftp://127.0.0.1/'}\n",
		"webhook: {url: 'file:///etc/passwd'}\n",
		"webhook: {url: 'http://127.0.0.1@lab.example/'}\n",
		"webhook: {url: 'http://127.0.0.1:80@lab.example/'}\n",
		"webhook: {url: 'http://127.0.0.1.lab.example/'}\n", "webhook: {}\n"};
	struct alert_options o;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (read_options(&o, wrong[i]) == 0)
			fail_msg("accepted: %s", wrong[i]);
		alert_options_finish(&o);
	}
}

/* Each text as subject and text: the head of the mail has the same lines as for an ordinary one. */
static void texts_of_others_add_no_header_and_no_line(void **state)
{
	static const char *const hostile[] = {"x\nBcc: evil@example.org", "x\r\n\r\nbody", "\n.\n",
		"\x1b]0;title\x07", "\xff\xfe",
		"\xe2\x80\xae"
		"abc",
		"", "a b", "=?utf-8?q?x?="};
	static const char head[] = "From: assayd@lab.example\nTo: kim@lab.example\n"
				   "Subject: [assayd ccl/bench-3] alert fault ";
	struct alert_options o;
	assert_int_equal(
		read_options(&o, "mail: {to: kim@lab.example, from: assayd@lab.example}\n"), 0);
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		struct outbox outbox;
		struct buffer mail = {0}, json = {0};
		struct note note = {.event = NOTE_ALERT, .about = "fault", .since = NS_PER_S};
		snprintf(note.subject, sizeof note.subject, "%s", hostile[i]);
		snprintf(note.text, sizeof note.text, "%s", hostile[i]);
		outbox_init(&outbox, &o);
		outbox_put(&outbox, &note);
		message_mail(&mail, &o, "ccl/bench-3", outbox.notes, 1);
		buffer_append(&mail, "", 1);
		char *text = (char *)mail.data, *body = strstr(text, "\n\n");
		assert_non_null(body);
		size_t lines = 0;
		for (char *p = text; p < body; p++)
			lines += *p == '\n';
		assert_int_equal(lines, 7);
		if (hostile[i][0] != '\0')
			assert_memory_equal(text, head, sizeof head - 1);
		assert_null(strchr(text, '\x1b'));
		assert_null(strchr(text, '\r'));
		size_t in_body = 0;
		for (char *p = body; *p != '\0'; p++)
			in_body += *p == '\n';
		assert_int_equal(in_body, 8);
		message_json(&json, "ccl/bench-3", outbox.notes, 1);
		json_t *root = json_loadb((const char *)json.data, json.len, 0, NULL);
		assert_non_null(root);
		assert_int_equal(json_array_size(json_object_get(root, "alerts")), 1);
		json_decref(root);
		buffer_finish(&mail);
		buffer_finish(&json);
		outbox_finish(&outbox);
	}
	alert_options_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_configurations_are_read),
		cmocka_unit_test(wrong_configurations_are_rejected),
		cmocka_unit_test(texts_of_others_add_no_header_and_no_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
