/* SPDX-License-Identifier: Apache-2.0 */
/* The program assay-worker without a port: its command line, --describe, --reparse. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "record/digest.h"
#include "record/encode.h"
#include "record/json.h"
#include "record/text.h"
#include "wire/describe.h"
#include "wire/reparse.h"

#define ARGS_MAX 8

/* A worker with pipes in place of standard input and output. */
struct program {
	pid_t pid;
	int in, out;
};

static struct program start(const char *const args[ARGS_MAX])
{
	struct program p;
	int in[2], out[2];
	char *argv[ARGS_MAX + 2] = {getenv("ASSAY_WORKER")};
	for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		argv[i + 1] = (char *)args[i];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&p.pid, argv[0], &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	p.in = in[1];
	p.out = out[0];
	return p;
}

/* More of its output into `to`; false: its end. */
static bool read_some(const struct program *p, struct buffer *to)
{
	struct pollfd fd = {.fd = p->out, .events = POLLIN};
	assert_int_equal(poll(&fd, 1, CORE_WAIT_MS), 1);
	ssize_t n = read(p->out, buffer_reserve(to, 4096), 4096);
	assert_true(n >= 0);
	to->len += (size_t)n;
	return n > 0;
}

/* Ends its input and reads the rest of its output; the exit code. */
static int finish(const struct program *p, struct buffer *output)
{
	int status;
	if (p->in >= 0)
		close(p->in);
	while (read_some(p, output))
		;
	close(p->out);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run(const char *const args[ARGS_MAX], struct buffer *output)
{
	struct program p = start(args);
	return finish(&p, output);
}

#define ARGS(...) ((const char *const[ARGS_MAX]){__VA_ARGS__})

static void only_right_command_lines_are_taken(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		int code;
	} lines[] = {
		{{NULL}, WIRE_EXIT_USAGE},
		{{"--fd", "x"}, WIRE_EXIT_USAGE},
		{{"--fd", "-1"}, WIRE_EXIT_USAGE},
		{{"--fd", "1024"}, WIRE_EXIT_USAGE},
		{{"--fd", "3", "--describe"}, WIRE_EXIT_USAGE},
		{{"--fd", "3", "more"}, WIRE_EXIT_USAGE},
		{{"--reparse", "generator", "more"}, WIRE_EXIT_USAGE},
		{{"--nonsense"}, WIRE_EXIT_USAGE},
		{{"--describe", "--drivers", "/nonexistent"}, WIRE_EXIT_USAGE},
		{{"--reparse", "nonsense", "--drivers", "/"}, WIRE_EXIT_SETUP},
		{{"--version"}, WIRE_EXIT_CLEAN},
		{{"--help"}, WIRE_EXIT_CLEAN},
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct buffer output = {0};
		assert_int_equal(run(lines[i].args, &output), lines[i].code);
		assert_int_equal(output.len > 0, lines[i].code == WIRE_EXIT_CLEAN);
		buffer_finish(&output);
	}
}

/* One CBOR item as JSON; freed by the next call. */
static const char *json(const void *data, size_t len)
{
	static struct buffer text;
	buffer_reset(&text);
	assert_int_equal(json_write(&text, data, len), 0);
	buffer_append(&text, "", 1);
	return (const char *)text.data;
}

static void expect_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, text);
}

/* --- --describe ------------------------------------------------------------------------------ */

static void expect_digest(const char *text, const char *driver)
{
	char path[400], bytes[4096], hex[80] = "";
	uint8_t hash[ASSAY_SHA256_SIZE];
	struct digest digest = {0};
	snprintf(path, sizeof path, "%s/%s.so", core_drivers(), driver);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(digest_init(&digest), 0);
	for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
		digest_update(&digest, bytes, n);
	fclose(file);
	digest_final(&digest, hash);
	digest_finish(&digest);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	expect_text(text, hex);
}

static void a_folder_of_drivers_is_described(void **state)
{
	struct buffer output = {0};
	assert_int_equal(
		run(ARGS("--describe", "--drivers", core_drivers()), &output), WIRE_EXIT_CLEAN);
	const char *text = json(output.data, output.len);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(COVERAGE)
	expect_text(text, "{\"version\":1,\"drivers\":[{\"name\":\"eager\",");
#else
	/* Its constructor tried to get out. */
	expect_text(
		text, "{\"version\":1,\"drivers\":[{\"name\":\"eager\",\"version\":\"confined\"");
#endif
	expect_text(text, "{\"name\":\"generator\",\"version\":\"1\"");
	expect_text(text, "\"errors\":[]}");
	expect_text(text, "\"name\":\"frame_bytes\"");
	expect_text(text, "\"fallback\":\"1024\"");
	expect_digest(text, "generator");
	const char *names[] = {
		"\"name\":\"generator\"", "\"name\":\"misbehave\"", "\"name\":\"registers\""};
	const char *at = text;
	for (size_t i = 0; i < 3; i++) { /* sorted */
		at = strstr(at, names[i]);
		assert_non_null(at);
	}
	buffer_finish(&output);
}

static void a_driver_that_cannot_be_loaded_is_a_problem_of_its_own(void **state)
{
	struct buffer output = {0};
	assert_int_equal(run(ARGS("--describe", "--drivers", core_drivers(), "nonsense",
				     "generator", "../generator"),
				 &output),
		WIRE_EXIT_CLEAN);
	const char *text = json(output.data, output.len);
	expect_text(text, "\"drivers\":[{\"name\":\"generator\"");
	expect_text(text, "\"errors\":[{\"file\":\"nonsense.so\",\"text\":\"");
	expect_text(text, "{\"file\":\"../generator.so\",\"text\":\"");
	buffer_finish(&output);
}

/* --- --reparse ------------------------------------------------------------------------------- */

static struct buffer replies; /* read, and not taken yet */

static struct program start_reparse_of(const char *driver)
{
	buffer_reset(&replies);
	return start(ARGS("--reparse", driver, "--drivers", core_drivers()));
}

static struct program start_reparse(void)
{
	return start_reparse_of("generator");
}

/* The next reply as JSON. */
static const char *reply(const struct program *p)
{
	static struct buffer message;
	uint32_t size = 0;
	for (;;) {
		if (replies.len >= sizeof size) {
			memcpy(&size, replies.data, sizeof size); /* little-endian */
			if (replies.len >= sizeof size + size)
				break;
		}
		assert_true(read_some(p, &replies));
	}
	buffer_reset(&message);
	buffer_append(&message, replies.data + sizeof size, size);
	buffer_consume(&replies, sizeof size + size);
	return json(message.data, message.len);
}

static void send_bytes(const struct program *p, const void *data, size_t len)
{
	uint32_t size = (uint32_t)len;
	assert_int_equal(write(p->in, &size, sizeof size), sizeof size);
	assert_int_equal(write(p->in, data, len), len);
}

struct request {
	const char *setting; /* of generator; NULL: none */
	int64_t value;
	const char *raw; /* NULL: no block */
	size_t len;
};

static void send_request(const struct program *p, const struct request *request)
{
	struct buffer b = {0};
	struct map map;
	encode_array(&b, 3);
	map_open(&map, &b);
	if (request->setting != NULL)
		map_uint(&map, request->setting, (uint64_t)request->value);
	map_close(&map);
	encode_array(&b, request->raw != NULL);
	if (request->raw != NULL) {
		map_open(&map, &b);
		map_text(&map, "media", "application/x-generator");
		map_bytes(&map, "data", (const uint8_t *)request->raw, request->len);
		map_close(&map);
	}
	encode_array(&b, 0);
	send_bytes(p, b.data, b.len);
	buffer_finish(&b);
}

static void raw_blocks_become_variables_again(void **state)
{
	static const struct {
		struct request request;
		const char *reply;
	} cases[] = {
		{{"frame_bytes", 1024, "\1\0\0\0\2\0\0\0", 8}, "{\"kind\":\"spectrum\",\"vars\":["},
		{{"frame_bytes", 1024, "\1\0\0\0\2\0\0\0", 8},
			"\"data\":[1,2]"}, /* the same settings */
		{{"frame_bytes", 2048, "\3\0\0\0", 4}, "\"data\":[3]"},
		{{"frame_bytes", 2048, "\3\0\0", 3},
			"{\"error\":\"its bytes break the protocol\"}"},
		{{"frame_bytes", 2048, NULL, 0}, "{\"error\":\"its bytes break the protocol\"}"},
		{{"frame_bytes", 1, "\3\0\0\0", 4},
			"{\"error\":\"setting 'frame_bytes': is out of range"},
		{{"nonsense", 1, "\3\0\0\0", 4},
			"{\"error\":\"the driver has no setting 'nonsense'"},
		{{NULL, 0, "\4\0\0\0", 4}, "\"data\":[4]"}, /* and after that it goes on */
	};
	struct program p = start_reparse();
	assert_string_equal(reply(&p), "{\"driver\":\"generator\",\"version\":\"1\"}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		send_request(&p, &cases[i].request);
		expect_text(reply(&p), cases[i].reply);
	}
	assert_int_equal(finish(&p, &replies), WIRE_EXIT_CLEAN);
	assert_int_equal(replies.len, 0);
}

static void a_request_that_is_none_has_an_error_as_its_reply(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {
		{"\x83\xa0\x81\xa1\x64"
		 "data\x44\1\0\0\0\x80\0",
			16}, /* a right one, and more */
		{"\xa0", 1},
		{"\x82\xa0\x80", 3},
		{"\x83\xa0\x81\xa0\x80", 5}, /* a block without data */
		{"\x83\xa0\x81\xa1\x64"
		 "data\x01\x80",
			10},
		{"\x83\xa0\xa0\x80", 4},
		{"\x83\xa0\x9b\0\0\0\0\x10\0\0\0", 11},
	};
	struct program p = start_reparse();
	reply(&p);
	send_bytes(&p, wrong[0].bytes, wrong[0].len - 1);
	expect_text(reply(&p), "{\"kind\":\"spectrum\"");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		send_bytes(&p, wrong[i].bytes, wrong[i].len);
		expect_text(reply(&p), "{\"error\":\"");
	}
	assert_int_equal(finish(&p, &replies), WIRE_EXIT_CLEAN);
}

static void a_frame_that_its_bytes_do_not_decide_is_an_error(void **state)
{
	static const char request[] = "\x83\xa2\x64"
				      "deed\x65"
				      "drift\x64slot\x66"
				      "decode\x81\xa2\x65media\x63"
				      "a/b\x64"
				      "data\x44\0\0\0\0\x80";
	struct program p = start_reparse_of("misbehave");
	reply(&p);
	send_bytes(&p, request, sizeof request - 1);
	assert_string_equal(
		reply(&p), "{\"error\":\"decode() made two different frames of the same bytes\"}");
	assert_int_equal(finish(&p, &replies), WIRE_EXIT_CLEAN);
}

static void a_broken_stream_ends_it(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} broken[] = {
		{"\0\0\0\0", 4},         /* empty */
		{"\xff\xff\xff\xff", 4}, /* too large */
		{"\x04\0\0", 3},         /* ends within the size, */
		{"\x04\0\0\0\x83", 5},   /* within the request */
	};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct program p = start_reparse();
		reply(&p);
		assert_int_equal(write(p.in, broken[i].bytes, broken[i].len), broken[i].len);
		assert_int_equal(finish(&p, &replies), WIRE_EXIT_PROTOCOL);
	}
}

/* --- confinement ----------------------------------------------------------------------------- */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(COVERAGE)
/* hostile looks for a file, which nothing refuses before its module is loaded. */
static void bytes_are_decoded_and_settings_checked_confined(void **state)
{
	static const struct request request = {"victim", 4000000, "x", 1};
	char drivers[400], wanted[40];
	struct buffer output = {0}, settings = {0};
	struct map map;
	snprintf(drivers, sizeof drivers, "%s/hostile", core_drivers());
	struct program p = start(ARGS("--reparse", "hostile", "--drivers", drivers));
	buffer_reset(&replies);
	reply(&p);
	send_request(&p, &request);
	snprintf(wanted, sizeof wanted, "\"data\":%d", EPERM);
	expect_text(reply(&p), wanted);
	assert_int_equal(finish(&p, &replies), WIRE_EXIT_CLEAN);

	p = start(ARGS("--check", "hostile", "--drivers", drivers));
	encode_array(&settings, 1);
	map_open(&map, &settings);
	map_uint(&map, "victim", 4000000);
	map_close(&map);
	assert_int_equal(write(p.in, settings.data, settings.len), settings.len);
	assert_int_equal(finish(&p, &output), WIRE_EXIT_CLEAN);
	snprintf(wanted, sizeof wanted, "refused: %d", EPERM);
	expect_text(json(output.data, output.len), wanted);
	buffer_finish(&settings);
	buffer_finish(&output);
}
#endif

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_right_command_lines_are_taken),
		cmocka_unit_test(a_folder_of_drivers_is_described),
		cmocka_unit_test(a_driver_that_cannot_be_loaded_is_a_problem_of_its_own),
		cmocka_unit_test(raw_blocks_become_variables_again),
		cmocka_unit_test(a_request_that_is_none_has_an_error_as_its_reply),
		cmocka_unit_test(a_frame_that_its_bytes_do_not_decide_is_an_error),
		cmocka_unit_test(a_broken_stream_ends_it),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(COVERAGE)
		cmocka_unit_test(bytes_are_decoded_and_settings_checked_confined),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
