/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a control socket that answers well, badly, late or never. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "record/keys.h"

#define ENDPOINT "inproc://control"

static void *context;
static pthread_t server;
static struct requester *requester;

/* --- the control socket ----------------------------------------------------------------------- */

struct request {
	char op[16], name[16];
};

static const struct keys request_keys = {
	.rows = (const struct key[]){{"op", KEY_CHARS, KEY_AT(struct request, op)},
		{"name", KEY_CHARS, KEY_AT(struct request, name)}, {0}}};

static void answer(void *socket, const struct request *request)
{
	struct buffer reply = {0};
	struct map map, error;
	map_open(&map, &reply);
	map_bool(&map, "ok", strcmp(request->op, "reject") != 0);
	if (strcmp(request->op, "reject") == 0) {
		map_key(&map, "error");
		map_open(&error, &reply);
		map_text(&error, "code", "not-found");
		map_text(&error, "text", "there is no such instrument");
		map_close(&error);
	}
	map_text(&map, "name", request->name);
	map_close(&map);
	if (strcmp(request->op, "garbage") == 0)
		zmq_send(socket, "HTTP", 4, 0);
	else
		zmq_send(socket, reply.data, reply.len, 0);
	buffer_finish(&reply);
}

/* "late" is answered when the next request has come, to its sender.  Ends with the context. */
static void *serve(void *socket)
{
	uint8_t identity[64], late[64], body[200];
	int late_len = 0;
	for (;;) {
		int id = zmq_recv(socket, identity, sizeof identity, 0);
		int len = id > 0 ? zmq_recv(socket, body, sizeof body, 0) : -1;
		if (len < 0)
			break;
		struct request request = {.op = ""};
		keys_decode(&request_keys, body, (size_t)len, &request);
		if (strcmp(request.op, "late") == 0) {
			memcpy(late, identity, (size_t)id);
			late_len = id;
			continue;
		}
		if (late_len > 0) {
			zmq_send(socket, late, (size_t)late_len, ZMQ_SNDMORE);
			answer(socket, &(struct request){.name = "late"});
			late_len = 0;
		}
		zmq_send(socket, identity, (size_t)id, ZMQ_SNDMORE);
		answer(socket, &request);
	}
	zmq_close(socket);
	return NULL;
}

static int open_control(void **state)
{
	context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_ROUTER);
	assert_int_equal(zmq_bind(socket, ENDPOINT), 0);
	assert_int_equal(pthread_create(&server, NULL, serve, socket), 0);
	return requester_create(&requester, context, ENDPOINT, NULL);
}

static int close_control(void **state)
{
	requester_destroy(requester);
	zmq_ctx_shutdown(context);
	pthread_join(server, NULL);
	zmq_ctx_term(context);
	return 0;
}

static int ask(const char *op, const char *name, int timeout_ms, struct control_reply *reply)
{
	struct control_request request;
	control_request_init(&request, op);
	map_text(&request.map, "name", name);
	return control_send(requester, &request, timeout_ms, reply);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void assert_name(const struct control_reply *reply, const char *name)
{
	struct reader r;
	struct assay_string text = {0};
	struct assay_span value = keys_value(reply->body, string_of("name"));
	read_init(&r, value.data, value.len);
	assert_int_equal(read_text(&r, &text), 0);
	assert_true(assay_string_is(text, name));
}

static void a_reply_has_the_outcome(void **state)
{
	struct control_reply reply;
	assert_int_equal(ask("status", "xrf-1", 10000, &reply), 0);
	assert_name(&reply, "xrf-1");
	control_reply_finish(&reply);
}

static void a_rejection_has_code_and_text(void **state)
{
	struct control_reply reply;
	assert_int_equal(ask("reject", "xrf-1", 10000, &reply), 1);
	assert_true(assay_string_is(reply.error.code, "not-found"));
	assert_true(assay_string_is(reply.error.text, "there is no such instrument"));
	control_reply_finish(&reply);
}

static void another_server_is_noticed(void **state)
{
	struct control_reply reply;
	assert_int_equal(ask("garbage", NULL, 10000, &reply), -EBADMSG);
	control_reply_finish(&reply);
	assert_int_equal(ask("status", "again", 10000, &reply), 0);
	assert_name(&reply, "again");
	control_reply_finish(&reply);
}

static void a_late_reply_is_not_taken_for_the_next_one(void **state)
{
	struct control_reply reply;
	assert_int_equal(ask("late", "first", 10, &reply), -ETIMEDOUT);
	control_reply_finish(&reply);
	assert_int_equal(ask("status", "second", 10000, &reply), 0);
	assert_name(&reply, "second");
	control_reply_finish(&reply);
}

static void without_a_server_the_time_is_limited(void **state)
{
	struct requester *alone;
	struct control_request request;
	struct control_reply reply;
	assert_int_equal(requester_create(&alone, NULL, "ipc:///nowhere/control", NULL), 0);
	control_request_init(&request, "status");
	assert_int_equal(control_send(alone, &request, 10, &reply), -ETIMEDOUT);
	control_reply_finish(&reply);
	requester_destroy(alone);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_control, close_control)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reply_has_the_outcome),
		TEST(a_rejection_has_code_and_text),
		TEST(another_server_is_noticed),
		TEST(a_late_reply_is_not_taken_for_the_next_one),
		cmocka_unit_test(without_a_server_the_time_is_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
