/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "capture/file.h"
#include "worker/link/http-reply.h"
#include "worker/link/http.h"

#define PATH_BYTES   8000 /* of a request */
#define HOST_BYTES   272  /* a name or address, brackets, port */
#define MEDIA_BYTES  100
#define METHOD_BYTES 15
#define HOPS_MAX     4    /* redirects of one exchange */
#define SHOWN        90   /* bytes of a path in messages */
#define PIECE        4096 /* as a TCP link receives */

struct http {
	struct channel *channel;
	char host[HOST_BYTES];     /* as in the field Host */
	char path[PATH_BYTES + 1]; /* of the present request */
	struct buffer out;         /* the request's bytes */
	struct http_reply reply;
	char why[HTTP_WHY];
};

/* One exchange: what stays the same at a redirect. */
struct exchange {
	const struct assay_http_request *request;
	const char *method;
	bool may_follow; /* a method without effect */
	uint64_t deadline;
	int ms;
};

/* --- making ----------------------------------------------------------------------------------- */

/* A recording answers requests with the host that they were recorded with. */
static void take_recorded_host(struct http *http, const char *path)
{
	static const char field[] = "\r\nHost: ";
	struct capture_file file;
	char why[CAPTURE_WHY];
	if (capture_file_open(&file, path, why) < 0)
		return; /* the link reports it */
	for (size_t i = 0; i < file.count && http->host[0] == '\0'; i++) {
		const struct capture_record *record = &file.records[i];
		if (record->kind != CAPTURE_OUT)
			continue;
		const char *at = memmem(record->data, record->len, field, strlen(field));
		if (at == NULL)
			continue;
		at += strlen(field);
		size_t left = record->len - (size_t)(at - (const char *)record->data);
		const char *end = memchr(at, '\r', left);
		if (end != NULL && end - at < HOST_BYTES)
			memcpy(http->host, at, (size_t)(end - at));
	}
	capture_file_close(&file);
}

struct http *http_create(const struct port *port, struct channel *channel)
{
	struct http *http = calloc(1, sizeof *http);
	if (http == NULL)
		return NULL;
	http->channel = channel;
	if (port->playback != NULL) {
		take_recorded_host(http, port->playback);
	} else {
		bool is_v6 = strchr(port->host, ':') != NULL;
		int n = snprintf(http->host, HOST_BYTES, is_v6 ? "[%s]" : "%s", port->host);
		if (port->number != 80 && n < HOST_BYTES)
			snprintf(http->host + n, HOST_BYTES - (size_t)n, ":%u", port->number);
	}
	channel_set_direct(channel);
	return http;
}

void http_destroy(struct http *http)
{
	if (http == NULL)
		return;
	http_reply_finish(&http->reply);
	buffer_finish(&http->out);
	free(http);
}

const char *http_why(const struct http *http)
{
	return http->why;
}

static int fail(struct http *http, const struct exchange *x, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct http *http, const struct exchange *x, int error, const char *format, ...)
{
	char cause[HTTP_WHY / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(cause, sizeof cause, format, args);
	va_end(args);
	bool is_cut = strlen(http->path) > SHOWN;
	snprintf(http->why, sizeof http->why, "%s %.*s%s: %s", x->method, SHOWN, http->path,
		is_cut ? "..." : "", cause);
	return error;
}

/* --- the request ------------------------------------------------------------------------------ */

static bool is_text(const char *text, size_t max, char first, char last)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (text[i] < first || text[i] > last)
			return false;
	return len > 0 && len <= max;
}

/* A byte more, such as a line end in a sample's name, would make another request of it. */
static const char *complaint_of(const struct assay_http_request *request, const char *method)
{
	bool has_body = request->body != NULL && request->len > 0;
	if (!is_text(method, METHOD_BYTES, 'A', 'Z'))
		return "the method is no word";
	if (request->path == NULL || request->path[0] != '/' ||
		!is_text(request->path, PATH_BYTES, '!', '~') || strchr(request->path, '#') != NULL)
		return "the path must start with '/' and escape other bytes than those of a URL";
	if (request->media != NULL && !is_text(request->media, MEDIA_BYTES, ' ', '~'))
		return "the media type is no text";
	if (has_body && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
		return "this method has no body";
	return NULL;
}

static int write_request(struct http *http, const struct exchange *x)
{
	const struct assay_http_request *request = x->request;
	char head[PATH_BYTES + HOST_BYTES + MEDIA_BYTES + 200];
	int n = snprintf(head, sizeof head,
		"%s %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nConnection: close\r\n", x->method,
		http->path, http->host);
	if (request->media != NULL)
		n += snprintf(
			head + n, sizeof head - (size_t)n, "Content-Type: %s\r\n", request->media);
	if (!x->may_follow)
		n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %zu\r\n",
			request->body != NULL ? request->len : 0);
	n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
	buffer_reset(&http->out);
	buffer_append(&http->out, head, (size_t)n);
	if (request->body != NULL)
		buffer_append(&http->out, request->body, request->len);
	return http->out.failed ? -ENOMEM : 0;
}

/* --- one request and its reply ---------------------------------------------------------------- */

/* The connection ended, or could not be made. */
static int fail_closed(struct http *http, const struct exchange *x)
{
	char why[HTTP_WHY / 2];
	http->channel->breaks++;
	channel_why(http->channel, why, sizeof why);
	return fail(http, x, -ETIMEDOUT, "no complete reply: %s", why);
}

static int fail_late(struct http *http, const struct exchange *x)
{
	return fail(http, x, -ETIMEDOUT, "no complete reply within %d ms (%zu bytes of a body)",
		x->ms, http->reply.body.len);
}

static int read_reply(struct http *http, const struct exchange *x)
{
	uint8_t piece[PIECE];
	int r = HTTP_MORE;
	while (r == HTTP_MORE) {
		ssize_t n = channel_read(
			http->channel, piece, sizeof piece, clock_ms_until(x->deadline));
		if (n == -ETIMEDOUT)
			return fail_late(http, x);
		if (n == -ENOTCONN && http_reply_end(&http->reply) == HTTP_MORE)
			return fail_closed(http, x);
		if (n == -ENOTCONN)
			return 0;
		if (n < 0)
			return (int)n;
		r = http_reply_take(&http->reply, piece, (size_t)n);
	}
	if (r == -EBADMSG)
		return fail(http, x, r, "%s (limit %zu bytes)", http_reply_why(&http->reply),
			x->request->max);
	return r < 0 ? r : 0;
}

static int transact(struct http *http, const struct exchange *x)
{
	http_reply_init(&http->reply, strcmp(x->method, "HEAD") == 0, x->request->max);
	int r = write_request(http, x);
	channel_discard(http->channel); /* of a server that spoke before it was asked */
	if (r == 0)
		r = channel_write(
			http->channel, http->out.data, http->out.len, clock_ms_until(x->deadline));
	if (r == -ETIMEDOUT)
		r = fail_late(http, x);
	else if (r == -ENOTCONN)
		r = fail_closed(http, x);
	else if (r == 0)
		r = read_reply(http, x);
	channel_hang_up(http->channel);
	return r;
}

/* --- redirects -------------------------------------------------------------------------------- */

static bool is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* True if the place names the host and port of the requests. */
static bool is_same_host(
	const struct http *http, const char *text, const struct http_parser_url *url)
{
	char host[HOST_BYTES];
	bool is_v6 = memchr(text + url->field_data[UF_HOST].off, ':',
			     url->field_data[UF_HOST].len) != NULL;
	unsigned number = (url->field_set & 1 << UF_PORT) != 0 ? url->port : 80;
	int n = snprintf(host, sizeof host, is_v6 ? "[%.*s]" : "%.*s",
		(int)url->field_data[UF_HOST].len, text + url->field_data[UF_HOST].off);
	if (number != 80 && n < HOST_BYTES)
		snprintf(host + n, HOST_BYTES - (size_t)n, ":%u", number);
	return strcasecmp(host, http->host) == 0;
}

/* Makes http->path the place that the reply names; an error if that is on another host. */
static int follow(struct http *http, const struct exchange *x)
{
	const struct http_field *to = &http->reply.location;
	char text[HTTP_LOCATION_MAX + 1];
	struct http_parser_url url;
	memcpy(text, to->text, to->len);
	text[to->len] = '\0';
	text[strcspn(text, "#")] = '\0';
	http_parser_url_init(&url);
	if (to->len == sizeof to->text || strncmp(text, "//", 2) == 0 ||
		!is_text(text, sizeof text, '!', '~') ||
		http_parser_parse_url(text, strlen(text), 0, &url) != 0)
		return fail(http, x, -EPROTO, "redirected to a place that is no full URL or path");
	const char *path = text;
	if ((url.field_set & 1 << UF_SCHEMA) != 0) {
		if (strncasecmp(text, "http://", 7) != 0 || !is_same_host(http, text, &url) ||
			(url.field_set & 1 << UF_USERINFO) != 0)
			return fail(http, x, -EPROTO,
				"redirected to %.80s, which is not this instrument's host", text);
		path = (url.field_set & 1 << UF_PATH) != 0 ? text + url.field_data[UF_PATH].off
							   : "/";
	}
	snprintf(http->path, sizeof http->path, "%s", path);
	return 0;
}

int http_exchange(struct http *http, const struct assay_http_request *request,
	struct assay_http_reply *reply, int ms)
{
	const char *method = request->method != NULL ? request->method : "GET";
	struct exchange x = {.request = request,
		.method = method,
		.may_follow = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0,
		.deadline = clock_boot() + (ms > 0 ? (uint64_t)ms * NS_PER_MS : 0),
		.ms = ms};
	const char *complaint = complaint_of(request, method);
	http->path[0] = http->why[0] = '\0';
	if (complaint != NULL)
		return fail(http, &x, -EINVAL, "%s", complaint);
	strcpy(http->path, request->path);
	int r = transact(http, &x);
	for (int hops = 0; r == 0 && x.may_follow; hops++) {
		bool is_to = is_redirect(http->reply.parser.status_code) &&
			     http->reply.location.len > 0;
		if (!is_to)
			break;
		r = hops < HOPS_MAX
			    ? follow(http, &x)
			    : fail(http, &x, -EPROTO, "redirected more than %d times", HOPS_MAX);
		if (r == 0)
			r = transact(http, &x);
	}
	if (r < 0)
		return r;
	uint8_t *end = buffer_reserve(&http->reply.body, 1);
	if (end == NULL)
		return -ENOMEM;
	*end = 0;
	*reply = (struct assay_http_reply){.status = http->reply.parser.status_code,
		.body = http->reply.body.data,
		.len = http->reply.body.len};
	http_reply_media(&http->reply, reply->media);
	return 0;
}
