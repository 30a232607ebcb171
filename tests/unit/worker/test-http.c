/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link http against a server of the test's own, in a process of its own: most of its replies
 * break a rule.  The path of a request is the number of the row with its reply.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "base/clock.h"
#include "capture/write.h"
#include "pump.h"

#define LIMIT    100000
#define LIMIT_MS 400
#define LARGE    (3u << 20)
#define HELD_MS  20000

static struct port port;
static struct pump pump;
static pid_t server;
static int listener = -1, other = -1;
static unsigned number, other_number;

/* --- the server ------------------------------------------------------------------------------- */

/* What follows the reply's text. */
enum after {
	CLOSES,
	HOLDS,    /* the connection stays open, without bytes */
	DRIPS,    /* a byte each 50 ms */
	FLOODS,   /* bytes without end */
	CHUNKS,   /* chunks without end */
	HEADS,    /* fields of the head without end */
	INTERIMS, /* interim replies without end */
};

#define OK     "HTTP/1.1 200 OK\r\n"
#define TO(at) "HTTP/1.1 302 Found\r\nLocation: " at "\r\nContent-Length: 0\r\n\r\n"

static const struct row {
	const char *reply; /* with the ports <own> and <other> */
	enum after after;
	int error, status; /* of the exchange */
	const char *body;  /* NULL: it does not matter */
	const char *why;   /* a part of the text of the error */
	bool is_head;
} rows[] = {
	/* sound ones */
	{OK "Content-Length: 3\r\n\r\nabc", CLOSES, 0, 200, "abc", NULL, false},
	{OK "Content-Length: 3\r\n\r\nabc", HOLDS, 0, 200, "abc", NULL, false},
	{OK "content-length:3\r\nConnection: keep-alive\r\n\r\nabc", HOLDS, 0, 200, "abc", NULL,
		false},
	{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: v\r\n\r\n", HOLDS,
		0, 200, "abc", NULL, false},
	{"HTTP/1.0 200 OK\r\n\r\nuntil the end", CLOSES, 0, 200, "until the end", NULL, false},
	{OK "\r\n", CLOSES, 0, 200, "", NULL, false},
	{"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", CLOSES, 0, 404, "no", NULL,
		false},
	{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", CLOSES, 0, 503, "", NULL, false},
	{"HTTP/1.1 204 None\r\n\r\n", HOLDS, 0, 204, "", NULL, false},
	{"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", HOLDS, 0, 304, "", NULL, false},
	{"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 3\r\n\r\nabc", HOLDS, 0, 200, "abc",
		NULL, false},
	{OK "Content-Length: 3\r\n\r\nabc\r\n", HOLDS, 0, 200, "abc", NULL, false},
	{OK "Content-Length: 12345\r\n\r\n", HOLDS, 0, 200, "", NULL, true},
	/* the body is not as announced, or larger than the limit */
	{OK "Content-Length: 4\r\n\r\nabc", CLOSES, -ETIMEDOUT, 0, NULL, "no complete reply",
		false},
	{OK "Content-Length: 4\r\n\r\nabc", HOLDS, -ETIMEDOUT, 0, NULL, "within 400 ms (3 bytes",
		false},
	{OK "Content-Length: 2\r\n\r\nabc", CLOSES, -EBADMSG, 0, NULL, "bytes follow the end",
		false},
	{OK "Content-Length: 100001\r\n\r\n", HOLDS, -EBADMSG, 0, NULL, "larger than the limit",
		false},
	{OK "\r\n", FLOODS, -EBADMSG, 0, NULL, "larger than the limit", false},
	{OK "Transfer-Encoding: chunked\r\n\r\n", CHUNKS, -EBADMSG, 0, NULL,
		"larger than the limit", false},
	{OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", CLOSES, -ETIMEDOUT, 0, NULL,
		"no complete", false},
	{OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", HOLDS, -EBADMSG, 0, NULL, "chunk size",
		false},
	{OK "Transfer-Encoding: chunked\r\n\r\n1;", FLOODS, -EBADMSG, 0, NULL, "header bytes",
		false},
	{OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", HOLDS, -EBADMSG, 0, NULL,
		"content-length", false},
	{OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", HOLDS, -EBADMSG, 0, NULL,
		"content-length", false},
	{OK "Content-Length: -3\r\n\r\nabc", HOLDS, -EBADMSG, 0, NULL, "content-length", false},
	{OK "Content-Length: 99999999999999999999\r\n\r\n", HOLDS, -EBADMSG, 0, NULL,
		"content-length", false},
	/* the head */
	{OK "Content-Length: 5000\r\n\r\n", DRIPS, -ETIMEDOUT, 0, NULL, "within 400 ms", false},
	{OK, DRIPS, -ETIMEDOUT, 0, NULL, "within 400 ms", false},
	{OK, HEADS, -EBADMSG, 0, NULL, "header bytes", false},
	{OK "X: ", FLOODS, -EBADMSG, 0, NULL, "header bytes", false},
	{"", INTERIMS, -EBADMSG, 0, NULL, "interim replies without end", false},
	{"HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", HOLDS, -EBADMSG, 0,
		NULL, "another protocol", false},
	{"SSH-2.0-server\r\n", HOLDS, -EBADMSG, 0, NULL, "invalid", false},
	{"GET / HTTP/1.1\r\n\r\n", HOLDS, -EBADMSG, 0, NULL, "invalid", false},
	{"", CLOSES, -ETIMEDOUT, 0, NULL, "closed the connection", false},
	{"", HOLDS, -ETIMEDOUT, 0, NULL, "within 400 ms", false},
	/* redirects */
	{TO("/0"), HOLDS, 0, 200, "abc", NULL, false},
	{TO("http://127.0.0.1:<own>/0"), HOLDS, 0, 200, "abc", NULL, false},
	{TO("HTTP://127.0.0.1:<own>/0#part"), HOLDS, 0, 200, "abc", NULL, false},
	{TO("/36"), CLOSES, 0, 200, "abc", NULL, false},
	{TO("/40"), CLOSES, -EPROTO, 0, NULL, "more than 4 times", false},
	{TO("http://127.0.0.1:<other>/0"), HOLDS, -EPROTO, 0, NULL,
		"127.0.0.1:<other>/0, which is not", false},
	{TO("http://127.0.0.1/0"), HOLDS, -EPROTO, 0, NULL, "127.0.0.1/0, which is not", false},
	{TO("http://instrument.example/0"), HOLDS, -EPROTO, 0, NULL,
		"instrument.example/0, which is not", false},
	{TO("https://127.0.0.1:<own>/0"), HOLDS, -EPROTO, 0, NULL, "https://127.0.0.1", false},
	{TO("http://a@127.0.0.1:<own>/0"), HOLDS, -EPROTO, 0, NULL, "not this instrument's host",
		false},
	{TO("http://127.0.0.1:<own>@x/0"), HOLDS, -EPROTO, 0, NULL, "not this instrument's host",
		false},
	{TO("//127.0.0.1:<other>/0"), HOLDS, -EPROTO, 0, NULL, "no full URL", false},
	{TO("file:///etc/passwd"), HOLDS, -EPROTO, 0, NULL, "redirected to", false},
	{TO("/a\tb"), HOLDS, -EPROTO, 0, NULL, "no full URL", false},
	{TO("/7\r\nlocation: /0"), HOLDS, 0, 200, "abc", NULL, false},
	{"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nto", HOLDS, 0, 302, "to", NULL, false},
};
#define ROWS (sizeof rows / sizeof *rows)

static void send_all(int fd, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, (const char *)data + done, len - done, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

static void send_text(int fd, const char *text)
{
	send_all(fd, text, strlen(text));
}

/* The head, and a body of that length; the number of bytes. */
static size_t read_request(int fd, char *to, size_t size)
{
	size_t have = 0, whole = SIZE_MAX;
	while (have < whole && have + 1 < size) {
		ssize_t n = read(fd, to + have, size - 1 - have);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		to[have] = '\0';
		const char *end = strstr(to, "\r\n\r\n"), *length = strstr(to, "Content-Length: ");
		if (end != NULL)
			whole = (size_t)(end + 4 - to) +
				(length != NULL && length < end ? strtoul(length + 16, NULL, 10)
								: 0);
	}
	return have;
}

/* Until the client goes away, and no longer than HELD_MS. */
static void repeat(int fd, const char *text, int pause_ms)
{
	for (int waited = 0; waited<HELD_MS; waited += pause_ms> 0 ? pause_ms : 1) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, pause_ms) > 0)
			return;
		send_text(fd, text);
	}
}

static void send_large(int fd, bool is_chunked)
{
	char *body = malloc(LARGE), head[200];
	for (size_t i = 0; i < LARGE; i++)
		body[i] = (char)(i * 31 >> 3);
	snprintf(head, sizeof head, OK "Content-Type: Application/X; q=1\r\n%s%u\r\n%s",
		is_chunked ? "Transfer-Encoding: chunked\r\nX: " : "Content-Length: ", LARGE,
		"\r\n");
	send_text(fd, head);
	for (size_t at = 0, n; at < LARGE; at += n) {
		n = is_chunked && LARGE - at > 1000 ? 1000 : LARGE - at;
		snprintf(head, sizeof head, "%zx\r\n", n);
		if (is_chunked)
			send_text(fd, head);
		send_all(fd, body + at, n);
		if (is_chunked)
			send_text(fd, "\r\n");
	}
	if (is_chunked)
		send_text(fd, "0\r\n\r\n");
	free(body);
}

/* Copies a row's text with the ports in it. */
static const char *fill_in(char *to, size_t size, const char *text)
{
	size_t len = 0;
	while (*text != '\0' && len + 10 < size) {
		bool is_own = strncmp(text, "<own>", 5) == 0;
		bool is_other = strncmp(text, "<other>", 7) == 0;
		if (is_own || is_other)
			len += (size_t)snprintf(
				to + len, size - len, "%u", is_own ? number : other_number);
		else
			to[len++] = *text;
		text += is_own ? 5 : is_other ? 7 : 1;
	}
	to[len] = '\0';
	return to;
}

static void send_row(int fd, const struct row *row)
{
	char text[2000];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	send_text(fd, fill_in(text, sizeof text, row->reply));
	switch (row->after) {
	case CLOSES: break;
	case HOLDS: poll(&p, 1, HELD_MS); break;
	case DRIPS: repeat(fd, "a", 50); break;
	case FLOODS:
		repeat(fd, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0);
		break;
	case CHUNKS: repeat(fd, "a\r\n0123456789\r\na\r\n0123456789\r\n", 0); break;
	case HEADS: repeat(fd, "Field-of-a-head: abcdefghijklmnopqrstuvwxyz\r\n", 0); break;
	case INTERIMS: repeat(fd, "HTTP/1.1 102 Processing\r\n\r\n", 0); break;
	}
}

static void serve_one(int fd)
{
	char request[20000], head[100];
	size_t len = read_request(fd, request, sizeof request);
	const char *path = strchr(request, '/');
	if (len == 0 || path == NULL)
		return;
	if (strncmp(path, "/echo", 5) == 0) {
		snprintf(head, sizeof head, OK "Content-Length: %zu\r\n\r\n", len);
		send_text(fd, head);
		send_all(fd, request, len);
	} else if (strncmp(path, "/large", 6) == 0) {
		send_large(fd, path[6] == '-');
	} else if (strncmp(path, "/see-other", 10) == 0) {
		send_text(fd, "HTTP/1.1 303 Other\r\nLocation: /0\r\nContent-Length: 0\r\n\r\n");
	} else {
		unsigned long row = strtoul(path + 1, NULL, 10);
		send_row(fd, &rows[row < ROWS ? row : 0]);
	}
}

static int listen_on(unsigned *at)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*at = ntohs(address.sin_port);
	return fd;
}

static void start_server(void)
{
	server = fork();
	if (server != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		serve_one(fd);
		close(fd);
	}
}

static void stop_server(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = 0;
	if (listener >= 0)
		close(listener);
	listener = -1;
}

static int setup(void **state)
{
	listener = listen_on(&number);
	other = listen_on(&other_number);
	start_server();
	port_init(&port, NULL, port_kind_of(ASSAY_LINK_HTTP));
	port.kind = ASSAY_LINK_HTTP;
	port.host = "127.0.0.1";
	port.number = number;
	assert_int_equal(pump_start(&pump, &port), 0);
	return 0;
}

static int teardown(void **state)
{
	pump_stop(&pump);
	stop_server();
	close(other);
	return 0;
}

/* --- the requests ----------------------------------------------------------------------------- */

static struct assay_http_reply reply;

static int request_of(const char *method, const char *path, const char *body, size_t max, int ms)
{
	struct assay_http_request request = {.method = method,
		.path = path,
		.media = body != NULL ? "application/json" : NULL,
		.body = body,
		.len = body != NULL ? strlen(body) : 0,
		.max = max};
	return http_exchange(pump.http, &request, &reply, ms);
}

static int get(const char *path)
{
	return request_of(NULL, path, NULL, LIMIT, 5000);
}

static void assert_body(const char *body)
{
	assert_int_equal(reply.len, strlen(body));
	assert_string_equal((const char *)reply.body, body);
}

/* Each reply ends at its own rule, long before the server gives up, and the next request works. */
static void every_reply_has_its_result(void **state)
{
	int failures = 0;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		char path[20], why[200];
		snprintf(path, sizeof path, "/%zu", i);
		unsigned connections = pump.channel.connections;
		uint64_t start = clock_boot();
		int r = request_of(row->is_head ? "HEAD" : "GET", path, NULL, LIMIT, LIMIT_MS);
		uint64_t took = (clock_boot() - start) / NS_PER_MS;
		fill_in(why, sizeof why, row->why != NULL ? row->why : "");
		bool is_right = pump.channel.connections - connections <= 5 && r == row->error &&
				took < LIMIT_MS + 500 && strstr(http_why(pump.http), why) != NULL &&
				(r < 0 ||
					(reply.status == row->status &&
						strcmp((const char *)reply.body, row->body) == 0));
		if (!is_right)
			print_message("row %zu: %d, status %d, %zu bytes, %u ms: %s\n", i, r,
				reply.status, reply.len, (unsigned)took, http_why(pump.http));
		failures += !is_right;
		assert_int_equal(get("/0"), 0);
		assert_body("abc");
	}
	assert_int_equal(failures, 0);
	assert_false(channel_is_lost(&pump.channel));
	struct pollfd p = {.fd = other, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 0); /* no redirect reached the other server */
}

/* Also with a proxy in the environment. */
static void requests_are_sent_as_they_are(void **state)
{
	char wanted[400];
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	assert_int_equal(get("/echo?RES=0.5&SNM=a%20b"), 0);
	snprintf(wanted, sizeof wanted,
		"GET /echo?RES=0.5&SNM=a%%20b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n"
		"Connection: close\r\n\r\n",
		number);
	assert_body(wanted);
	assert_string_equal(reply.media, "");
	assert_int_equal(request_of("POST", "/echo", "{\"a\": 1}", LIMIT, 5000), 0);
	snprintf(wanted, sizeof wanted,
		"POST /echo HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\nConnection: close\r\n"
		"Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
		number);
	assert_body(wanted);
	assert_int_equal(request_of("POST", "/see-other", "x", LIMIT, 5000), 0);
	assert_int_equal(reply.status, 303); /* one that changes something is not repeated */
}

static void large_bodies_come_whole(void **state)
{
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			request_of("GET", i == 0 ? "/large" : "/large-chunked", NULL, LARGE, 20000),
			0);
		assert_int_equal(reply.len, LARGE);
		for (size_t at = 0; at < LARGE; at++)
			if (reply.body[at] != (uint8_t)(at * 31 >> 3))
				fail_msg("byte %zu differs", at);
		assert_string_equal(reply.media, "application/x");
	}
	assert_int_equal(request_of("GET", "/large", NULL, LARGE - 1, 20000), -EBADMSG);
	assert_int_equal(request_of("GET", "/large-chunked", NULL, LARGE - 1, 20000), -EBADMSG);
}

static void wrong_requests_are_not_sent(void **state)
{
	static const char *const paths[] = {"", "echo", "/a b", "/a\r\nX: y", "/a\n", "/a#b",
		"/\xc3\xa4", "http://127.0.0.1/", "/a\x7f"};
	unsigned connections = pump.channel.connections;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(get(paths[i]), -EINVAL);
		assert_non_null(strstr(http_why(pump.http), "the path must start"));
	}
	assert_int_equal(get(NULL), -EINVAL);
	assert_int_equal(request_of("GET / HTTP/1.1\r\nX:", "/0", NULL, LIMIT, 1000), -EINVAL);
	assert_int_equal(request_of("", "/0", NULL, LIMIT, 1000), -EINVAL);
	assert_int_equal(request_of("GET", "/0", "body", LIMIT, 1000), -EINVAL);
	struct assay_http_request request = {
		.method = "POST", .path = "/echo", .media = "a\r\nX: y", .max = LIMIT};
	assert_int_equal(http_exchange(pump.http, &request, &reply, 1000), -EINVAL);
	assert_int_equal(pump.channel.connections, connections);
	assert_int_equal(get("/0"), 0);
}

static void an_abort_ends_it(void **state)
{
	uint64_t start = clock_boot();
	pump_cancel_in(&pump, 100);
	assert_int_equal(request_of("GET", "/35", NULL, LIMIT, 10000), -ECANCELED);
	assert_true(clock_boot() - start < NS_PER_S);
	assert_int_equal(get("/0"), -ECANCELED);
	pump_resume(&pump);
	assert_int_equal(get("/0"), 0);
}

/* A server that restarts is no lost port. */
static void a_server_that_is_gone_is_no_reply(void **state)
{
	assert_int_equal(get("/0"), 0);
	stop_server();
	assert_int_equal(get("/0"), -ETIMEDOUT);
	assert_non_null(strstr(http_why(pump.http), "cannot connect again"));
	assert_false(channel_is_lost(&pump.channel));
	assert_true(pump.channel.breaks > 0);
}

static void progress_is_counted(void **state)
{
	uint64_t before = atomic_load(&pump.heartbeat.progress);
	assert_int_equal(request_of("GET", "/27", NULL, LIMIT, LIMIT_MS), -ETIMEDOUT);
	assert_true(atomic_load(&pump.heartbeat.progress) >= before + 5); /* one per byte */
}

/* --- a recording ------------------------------------------------------------------------------ */

static struct buffer recording;

static void note(enum capture_kind kind, const char *text)
{
	struct capture_record record = {
		.kind = kind, .mono = 1, .data = (const uint8_t *)text, .len = strlen(text)};
	capture_write(&recording, &record);
}

#define SENT(path) \
	"GET " path " HTTP/1.1\r\nHost: bruker\r\nAccept: */*\r\nConnection: close\r\n\r\n"

/* The recorded host is sent, and a connection ends where the bytes of a reply do. */
static void a_recording_answers(void **state)
{
	struct capture_head head = {.unit_count = 1, .link = "http"};
	char path[] = "/tmp/test-http-XXXXXX";
	int fd = mkstemp(path);
	capture_write_head(&recording, &head);
	note(CAPTURE_OUT, SENT("/stat.htm"));
	note(CAPTURE_IN, OK "Content-Length: 3\r\n\r\na");
	note(CAPTURE_IN, "bc");
	note(CAPTURE_OUT, SENT("/datafile.htm"));
	note(CAPTURE_IN, "HTTP/1.0 200 OK\r\n\r\nuntil ");
	note(CAPTURE_IN, "the end");
	note(CAPTURE_OUT, SENT("/cut"));
	note(CAPTURE_IN, OK "Content-Length: 30\r\n\r\na");
	note(CAPTURE_OUT, SENT("/last"));
	note(CAPTURE_IN, OK "Content-Length: 1\r\n\r\nz");
	assert_true(write(fd, recording.data, recording.len) == (ssize_t)recording.len);
	close(fd);
	buffer_finish(&recording);
	port_init(&port, NULL, port_kind_of(PORT_PLAYBACK));
	port.kind = ASSAY_LINK_HTTP;
	port.playback = path;
	assert_int_equal(pump_start(&pump, &port), 0);
	assert_int_equal(get("/stat.htm"), 0);
	assert_body("abc");
	assert_int_equal(get("/datafile.htm"), 0);
	assert_body("until the end");
	assert_int_equal(get("/cut"), -ETIMEDOUT);
	assert_int_equal(get("/last"), 0);
	assert_body("z");
	assert_int_equal(get("/stat.htm"), -ENODEV);
	pump_stop(&pump);
	unlink(path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(every_reply_has_its_result),
		CASE(requests_are_sent_as_they_are),
		CASE(large_bodies_come_whole),
		CASE(wrong_requests_are_not_sent),
		CASE(an_abort_ends_it),
		CASE(a_server_that_is_gone_is_no_reply),
		CASE(progress_is_counted),
		cmocka_unit_test(a_recording_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
