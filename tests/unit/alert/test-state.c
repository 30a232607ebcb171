/* SPDX-License-Identifier: Apache-2.0 */
/* The state over restarts: everything comes back, a damaged file is set aside. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alert-state.h"
#include "base/clock.h"
#include "base/log.h"

static const struct alert_options options = {
	.limit = 10, .to_count = 1, .url = "https://example.org/"};

struct whole {
	struct alert_state state;
	struct marks marks;
};

static void start(struct whole *whole)
{
	*whole = (struct whole){0};
	whole->state.marks = &whole->marks;
	outbox_init(&whole->state.outbox, &options);
}

static void end(struct whole *whole)
{
	marks_finish(&whole->marks);
	conditions_finish(&whole->state.conditions);
	outbox_finish(&whole->state.outbox);
}

static void fill(struct whole *whole)
{
	const struct note note = {.event = NOTE_LOST,
		.utc = 5,
		.since = 4,
		.about = "run",
		.subject = "xrf-1",
		.text = "µ \"quoted\"",
		.remedy = "repeat it"};
	const struct condition condition = {.kind = CONDITION_FAULT,
		.subject = "ms-1",
		.text = "no answer",
		.state = CONDITION_RAISED,
		.due = 100,
		.since = 3};
	const struct assay_client_cursor mark = {
		.journal = {1, 2}, .topic = "a1/data/x/", .seq = 9};
	const struct note *first;
	snprintf(whole->state.lab, sizeof whole->state.lab, "ccl/bench-3");
	outbox_put(&whole->state.outbox, &note);
	assert_int_equal(outbox_take(&whole->state.outbox, CHANNEL_MAIL, &options, 1, &first), 1);
	outbox_done(&whole->state.outbox, CHANNEL_MAIL, true, &options, 1);
	outbox_put(&whole->state.outbox, &note);
	assert_true(conditions_add(&whole->state.conditions, &condition));
	assert_int_equal(marks_put(&whole->marks, &mark), 0);
}

static void check_filled(struct whole *whole)
{
	const struct note *first;
	struct outbox *outbox = &whole->state.outbox;
	assert_string_equal(whole->state.lab, "ccl/bench-3");
	assert_int_equal(outbox->count, 2);
	assert_string_equal(outbox->notes[0].text, "µ \"quoted\"");
	assert_string_equal(outbox->notes[0].remedy, "repeat it");
	/* The mail of the first one went out, the webhook has both to come. */
	assert_int_equal(outbox_take(outbox, CHANNEL_MAIL, &options, 1, &first), 1);
	assert_int_equal(first->id, 2);
	assert_int_equal(outbox_take(outbox, CHANNEL_WEBHOOK, &options, 1, &first), 2);
	assert_int_equal(whole->state.conditions.count, 1);
	const struct condition *c = &whole->state.conditions.items[0];
	assert_int_equal(c->kind, CONDITION_FAULT);
	assert_int_equal(c->state, CONDITION_RAISED);
	assert_int_equal(c->due, 7000 + 40); /* 40 ns were left */
	assert_int_equal(whole->marks.count, 1);
	assert_int_equal(whole->marks.items[0].seq, 9);
}

static void a_state_comes_back_and_a_damaged_one_is_set_aside(void **state)
{
	char folder[] = "/tmp/test-alert-XXXXXX", path[64], aside[80], text[4096];
	struct whole whole;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/state.json", folder);
	snprintf(aside, sizeof aside, "%s.damaged", path);
	start(&whole);
	assert_int_equal(alert_state_load(&whole.state, folder, 1), 0); /* there is none */
	fill(&whole);
	assert_int_equal(alert_state_store(&whole.state, folder, 60), 0);
	end(&whole);
	start(&whole);
	assert_int_equal(alert_state_load(&whole.state, folder, 7000), 0);
	check_filled(&whole);
	end(&whole);

	FILE *file = fopen(path, "r+");
	size_t len = fread(text, 1, sizeof text, file);
	assert_int_equal(ftruncate(fileno(file), (off_t)len - 1), 0);
	fclose(file);
	log_init((enum log_level)0, true);
	start(&whole);
	assert_int_equal(alert_state_load(&whole.state, folder, 1), 0);
	assert_int_equal(
		whole.state.outbox.count + whole.state.conditions.count + whole.marks.count, 0);
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(access(path, F_OK), -1);
	/* Cut anywhere, or with any member of another type, it is rejected as a whole. */
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(alert_state_read(&whole.state, text, i, 1), -EINVAL);
		assert_int_equal(
			whole.state.outbox.count + whole.state.conditions.count + whole.marks.count,
			0);
	}
	assert_int_equal(alert_state_read(&whole.state, text, len, 7000 - 40 + 40), 0);
	end(&whole);
	unlink(aside);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_comes_back_and_a_damaged_one_is_set_aside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
