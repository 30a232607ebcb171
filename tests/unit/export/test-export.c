/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of a run that a replay socket of this test serves, in every format. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cell.h"
#include "examples.h"
#include "export.h"
#include "record/encode.h"
#include "record/text.h"

#define ENDPOINT "inproc://replay"
#define RUN_END  10 /* seq of run-end; entries after it come in the heading */
#define RUNS     1100

/* The names of the examples that are the run's entries, and of those after its end. */
static const char *entries[8], *later[2];
static int busy; /* so many requests are answered with "busy" */

static void *context;
static pthread_t server;
static struct buffer out;
static struct export export;

/* --- the replay socket ------------------------------------------------------------------------ */

struct request {
	char op[16];
	uint64_t from, until, limit;
};

static const struct keys request_keys = {
	.rows = (const struct key[]){{"op", KEY_CHARS, KEY_AT(struct request, op)},
		{"from", KEY_UINT, KEY_AT(struct request, from)},
		{"until", KEY_UINT, KEY_AT(struct request, until)},
		{"limit", KEY_UINT, KEY_AT(struct request, limit)}, {0}},
	.open = true};

static void build(struct buffer *to, const char *name)
{
	size_t i = 0;
	while (i < examples_count && strcmp(examples[i].name, name) != 0)
		i++;
	assert_true(i < examples_count);
	examples[i].build(to);
}

/* Runs 1 ... RUNS start at these times; two start at a time, and the newest comes first. */
static void write_runs(struct map *reply, const struct request *request)
{
	struct buffer rows = {0};
	size_t count = 0;
	for (size_t i = RUNS; i > 0 && count < request->limit; i--) {
		char number[32];
		struct map row;
		if (i / 2 + 100 > request->until)
			continue;
		snprintf(number, sizeof number, "run-%04zu", i);
		map_open(&row, &rows);
		map_text(&row, "number", number);
		map_uint(&row, "start", i / 2 + 100);
		map_text(&row, "other", "ignored");
		map_close(&row);
		count++;
	}
	map_key(reply, "runs");
	encode_array(reply->to, count);
	encode_raw(reply->to, rows.data, rows.len);
	buffer_finish(&rows);
}

static void answer(void *socket, const struct request *request)
{
	const char **names = request->from > RUN_END ? later : entries;
	struct buffer first = {0};
	struct map map;
	size_t count = 0;
	bool is_run = strcmp(request->op, "run") == 0;
	while (is_run && names[count] != NULL)
		count++;
	map_open(&map, &first);
	if (busy > 0) {
		map_text(&map, "op", "error");
		map_text(&map, "code", "busy");
		map_text(&map, "text", "later");
		count = 0;
	} else if (is_run && names[0] == NULL && names == entries) {
		map_text(&map, "op", "error");
		map_text(&map, "code", "not-found");
		map_text(&map, "text", "no such run");
	} else {
		map_text(&map, "op", is_run ? "data" : "runs");
		map_uint(&map, "count", count);
		map_uint(&map, "next", 0);
		map_uint(&map, "head", RUN_END);
		map_key(&map, "gaps");
		encode_array(&first, 0);
		if (!is_run)
			write_runs(&map, request);
	}
	busy -= busy > 0;
	map_close(&map);
	zmq_send(socket, first.data, first.len, count > 0 ? ZMQ_SNDMORE : 0);
	buffer_finish(&first);
	for (size_t i = 0; i < count; i++) {
		struct buffer entry = {0};
		build(&entry, names[i]);
		zmq_send(socket, entry.data, entry.len, i + 1 < count ? ZMQ_SNDMORE : 0);
		buffer_finish(&entry);
	}
}

/* Ends with the context. */
static void *serve(void *socket)
{
	uint8_t identity[64], body[1000];
	for (;;) {
		int id = zmq_recv(socket, identity, sizeof identity, 0);
		int len = id > 0 ? zmq_recv(socket, body, sizeof body, 0) : -1;
		if (len < 0)
			break;
		struct request request = {.op = ""};
		keys_decode(&request_keys, body, (size_t)len, &request);
		zmq_send(socket, identity, (size_t)id, ZMQ_SNDMORE);
		answer(socket, &request);
	}
	zmq_close(socket);
	return NULL;
}

/* --- the fixture ------------------------------------------------------------------------------ */

static int take_piece(void *arg, const struct export *e, uint64_t seq)
{
	buffer_append(&out, e->to.data, e->to.len);
	return 0;
}

static int open_export(void **state)
{
	context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_ROUTER);
	assert_int_equal(zmq_bind(socket, ENDPOINT), 0);
	assert_int_equal(pthread_create(&server, NULL, serve, socket), 0);
	export = (struct export){.piece = take_piece};
	memset(entries, 0, sizeof entries);
	memset(later, 0, sizeof later);
	return requester_create(&export.replay, context, ENDPOINT, NULL);
}

static int close_export(void **state)
{
	requester_destroy(export.replay);
	export_finish(&export);
	buffer_finish(&out);
	zmq_ctx_shutdown(context);
	pthread_join(server, NULL);
	zmq_ctx_term(context);
	return 0;
}

/* Exports the run; its text is in `out`, terminated. */
static int put(const char *format)
{
	const struct export_run run = {
		.number = "site/xrf-1/1", .status = "complete", .first = 1, .last = RUN_END};
	export.format = export_format_find(format);
	buffer_reset(&out);
	int r = export_put(&export, &run);
	buffer_append(&out, "", 1);
	return r;
}

/* The place of `words` in the text after `from`. */
static const char *find_words(const char *from, const char *words)
{
	const char *at = strstr(from, words);
	if (at == NULL)
		fail_msg("'%s' is not in: %s", words, from);
	return at;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void every_format_has_a_name(void **state)
{
	size_t i = 0;
	for (; export_format_names[i] != NULL; i++)
		assert_ptr_equal(export_format_find(export_format_names[i]), export_formats[i]);
	assert_true(i >= 3);
	assert_null(export_formats[i]);
	assert_null(export_format_find("nix"));
}

static void cbor_is_the_entries(void **state)
{
	struct buffer expected = {0};
	entries[0] = "run-start", entries[1] = "frame-scalar", entries[2] = "run-end-complete";
	for (size_t i = 0; entries[i] != NULL; i++)
		build(&expected, entries[i]);
	assert_int_equal(put("cbor"), 0);
	assert_int_equal(out.len, expected.len + 1);
	assert_memory_equal(out.data, expected.data, expected.len);
	assert_int_equal(export.lost, 7); /* the frame is number 7 of 8 */
	buffer_finish(&expected);
}

static void json_marks_lost_frames(void **state)
{
	entries[0] = "run-start", entries[1] = "frame-scalar", entries[2] = "run-end-complete";
	assert_int_equal(put("json"), 0);
	const char *at = find_words((const char *)out.data, "\"type\":\"run-start\"");
	at = find_words(at, "\n{\"lost\":{\"run\":\"site/xrf-1/1\",\"from\":0,\"to\":6}}\n{");
	at = find_words(at, "\"type\":\"frame\"");
	find_words(at, "\"type\":\"run-end\"");
}

static void csv_has_corrections_above_the_data(void **state)
{
	entries[0] = "run-start", entries[1] = "frame-scalar", entries[2] = "run-end-complete";
	entries[3] = later[0] = "amend";
	assert_int_equal(put("csv"), 0);
	const char *text = (const char *)out.data;
	const char *at = find_words(text, "# run: site/xrf-1/1\n# status: complete\n");
	at = find_words(at, "# AMENDED ");
	at = find_words(at, "# started: ");
	at = find_words(
		at, "\n\"run\",\"sample\",\"valid\",\"simulated\",\"frame\",\"step\",\"partial\",");
	at = find_words(at, "\n# LOST: frames 0 to 6\n");
	at = find_words(at, "\n\"site/xrf-1/1\",\"CCL-2026-00451\",TRUE,FALSE,7,");
	at = find_words(at, "# end: complete, 8 frames");
	assert_null(strstr(at, "# AMENDED")); /* the same amend, after the end */
}

static void a_run_without_frames_lost_all(void **state)
{
	entries[0] = "run-start", entries[1] = "run-end-complete";
	assert_int_equal(put("csv"), 0);
	const char *end = find_words((const char *)out.data, "# end: complete");
	find_words(end, "# LOST: frames 0 to 7\n");
	assert_int_equal(export.lost, 8);
}

static void runs_of_the_same_columns_share_one_header(void **state)
{
	entries[0] = "run-start", entries[1] = "frame-scalar";
	assert_int_equal(put("csv"), 0);
	assert_int_equal(put("csv"), 0);
	assert_int_equal(strncmp((const char *)out.data, "# run: ", 7), 0);
	assert_null(strstr((const char *)out.data, "\"frame\""));
	assert_int_equal(export.tables.count, 1);
	entries[1] = "frame-spectrum-typed";
	assert_int_equal(put("csv"), 0);
	assert_int_equal(export.tables.count, 2);
	assert_int_equal(export.tables.at, 1);
	find_words((const char *)out.data, "\"frame\"");
}

static void partial_frames_are_left_out(void **state)
{
	entries[0] = "run-start", entries[1] = "frame-spectrum-linear";
	assert_int_equal(put("csv"), 0);
	assert_null(strstr((const char *)out.data, "\"frame\""));
	assert_int_equal(export.notes[0].count, 1);
	assert_int_equal(put("json"), 0);
	assert_null(strstr((const char *)out.data, "\"type\":\"frame\""));
	export.with_partial = true;
	assert_int_equal(put("json"), 0);
	find_words((const char *)out.data, "\"type\":\"frame\"");
	export.with_partial = false;
	assert_int_equal(put("cbor"), 0);
	assert_true(out.len > 500); /* evidence is whole */
}

static void a_busy_daemon_is_asked_again(void **state)
{
	entries[0] = "run-start";
	busy = 2;
	assert_int_equal(put("cbor"), 0);
	busy = 5;
	assert_int_equal(put("cbor"), -EBUSY);
	busy = 0;
}

static void an_unknown_run_is_not_found(void **state)
{
	assert_int_equal(put("json"), -ENOENT);
}

static void an_interrupt_ends_it(void **state)
{
	static const volatile sig_atomic_t set = 1;
	entries[0] = "run-start";
	export.must_stop = &set;
	assert_int_equal(put("json"), -EINTR);
}

static void runs_of_all_pages_are_found_once(void **state)
{
	struct export_name *runs;
	size_t count;
	assert_int_equal(export_find(export.replay, 0, 10000, NULL, &runs, &count), 0);
	assert_int_equal(count, RUNS);
	for (size_t i = 0; i < count; i++) {
		char number[32];
		snprintf(number, sizeof number, "run-%04zu", i + 1);
		assert_string_equal(runs[i].number, number);
	}
	free(runs);
	assert_int_equal(export_find(export.replay, 0, 101, NULL, &runs, &count), 0);
	assert_int_equal(count, 1);
	free(runs);
}

static void cells_are_quoted(void **state)
{
	static const char *const texts[][2] = {{"", "\"\""},
		{"a \"b\", c\n", "\"a \"\"b\"\", c\\n\""}, {"=1+1", "\"'=1+1\""}, {"-5", "\"'-5\""},
		{"@a", "\"'@a\""}, {"+a", "\"'+a\""}, {"'s", "\"''s\""},
		{"# no comment", "\"# no comment\""}, {"\t=1", "\"\\t=1\""},
		{"a\xe2\x80\xae=", "\"a\\u202e=\""}, {"\xc2\x9b", "\"\\u009b\""}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buffer cell = {0};
		cell_put_text(&cell, string_of(texts[i][0]));
		buffer_append(&cell, "", 1);
		assert_string_equal((const char *)cell.data, texts[i][1]);
		buffer_finish(&cell);
	}
}

/* --- a format of this test: it counts first, and makes two files of a run ------------------------ */

static unsigned surveyed, given;

static int count_first(struct export *e, const struct export_item *item)
{
	surveyed += item->is_frame;
	return 0;
}

static int give_count(struct export *e)
{
	cell_put(&e->to, "%u of %s, %s", surveyed, e->about.texts[FACT_SAMPLE],
		e->about.texts[FACT_DIGEST]);
	return 0;
}

static int give_frame(struct export *e, const struct export_item *item)
{
	given += item->is_frame;
	export_note(e, "entries", 1);
	return 0;
}

static int end_twice(struct export *e)
{
	bool is_new;
	int r = export_choose_file(e, e->step, &is_new);
	assert_true(r < 0 || is_new);
	cell_put(&e->to, ";%zu", e->tables.at);
	e->step++;
	return r < 0 ? r : (int)(e->step % 2);
}

static void a_survey_is_before_the_data(void **state)
{
	static const struct export_format format = {
		.survey = count_first, .begin = give_count, .entry = give_frame, .end = end_twice};
	const struct export_run run = {.number = "site/xrf-1/1",
		.last = RUN_END,
		.sim = true,
		.corrected = {
			.keys = EXPORT_SAMPLE | EXPORT_VALID, .sample = "B\n2", .reason = "no"}};
	entries[0] = "run-start", entries[1] = "frame-scalar";
	entries[2] = "frame-spectrum-linear", entries[3] = "run-end-complete";
	export.format = &format;
	surveyed = given = 0;
	assert_int_equal(export_put(&export, &run), 0);
	buffer_append(&out, "", 1);
	const char *at = find_words((const char *)out.data, "1 of B\\n2, sha256 ");
	assert_string_equal(strchr(at, ';'), ";0;1");
	assert_int_equal(given, 1); /* the other one is partial */
	assert_string_equal(export.notes[0].text, "entries");
	assert_int_equal(export.notes[0].count, 3);
	assert_string_equal(export.about.texts[FACT_CORRECTED], "sample, valid: no");
	assert_string_equal(export.about.texts[FACT_TECHNIQUE], "xrf");
	assert_true(export.about.texts[FACT_SIMULATED][0] != '\0');
	assert_true(export.about.texts[FACT_NOT_VALID][0] != '\0');
}

static void comments_have_all_facts(void **state)
{
	static const char *const marks[] = {": ", NULL};
	static const struct facts_style style = {"<", "=", ">", marks, 40};
	static const struct export_format format = {.survey = facts_only, .entry = give_frame};
	const struct export_run run = {.number = "site/xrf-1/1", .last = RUN_END, .sim = true};
	struct buffer text = {0};
	struct export_item item = {.is_frame = true};
	entries[0] = "run-start", entries[1] = "frame-scalar";
	entries[2] = "frame-suspect", entries[3] = "run-end-complete";
	export.format = &format;
	assert_int_equal(export_put(&export, &run), 0);
	build(&text, "frame-suspect");
	assert_int_equal(assay_entry_read(text.data, text.len, &item.entry), 0);
	assert_int_equal(
		assay_frame_read(item.entry.body.data, item.entry.body.len, &item.frame), 0);
	facts_put_title(&out, &export.about, marks, 20);
	facts_put_comments(&out, &export.about, &item.frame, &style);
	buffer_append(&out, "", 1);
	const char *at = find_words(
		(const char *)out.data, "SIMULATED CCL-2026-0<run=site/xrf-1/1>");
	at = find_words(at, "<SIMULATED=this is not a measurement><status=open, not complete>");
	at = find_words(at, "suspect 1><started=");
	at = find_words(at, "<digest=sha256 ");
	at = find_words(at, "<frame=");
	find_words(at, "<frame's quality=suspect- ");
	assert_int_equal(strlen(facts_digest(&export.about)), 64);
	buffer_finish(&text);
}

static void more_files_than_may_be_are_an_error(void **state)
{
	bool is_new;
	for (uint64_t i = 0; i < EXPORT_FILES_MAX; i++) {
		assert_int_equal(export_choose_file(&export, i, &is_new), 0);
		assert_true(is_new);
		assert_int_equal(export.tables.at, i);
	}
	assert_int_equal(export_choose_file(&export, EXPORT_FILES_MAX, &is_new), -E2BIG);
	assert_int_equal(export_choose_file(&export, 7, &is_new), 0);
	assert_false(is_new);
	assert_int_equal(export.tables.at, 7);
}

static void texts_become_ascii(void **state)
{
	static const char *const marks[] = {"##", "$$", ": ", "--", NULL};
	static const char *const texts[][2] = {{"a##b$$c: d--e", "a-#b-$c- d -e"}, {"###", "--#"},
		{"\xc3\xa4\xe5\xb1\xb1\xf0\x9f\x98\x80", "\\u00e4\\u5c71\\U0001f600"},
		{"12345678901234567890123456789", "123456789012345678901234567"},
		{"1234567890123456789012\xc3\xa4", "1234567890123456789012"}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buffer text = {0};
		facts_put_ascii(&text, texts[i][0], marks, 27);
		buffer_append(&text, "", 1);
		assert_string_equal((const char *)text.data, texts[i][1]);
		buffer_finish(&text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_export, close_export)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_has_a_name),
		TEST(cbor_is_the_entries),
		TEST(json_marks_lost_frames),
		TEST(csv_has_corrections_above_the_data),
		TEST(a_run_without_frames_lost_all),
		TEST(runs_of_the_same_columns_share_one_header),
		TEST(partial_frames_are_left_out),
		TEST(a_busy_daemon_is_asked_again),
		TEST(an_unknown_run_is_not_found),
		TEST(an_interrupt_ends_it),
		TEST(runs_of_all_pages_are_found_once),
		TEST(a_survey_is_before_the_data),
		TEST(comments_have_all_facts),
		TEST(more_files_than_may_be_are_an_error),
		cmocka_unit_test(texts_become_ascii),
		cmocka_unit_test(cells_are_quoted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
