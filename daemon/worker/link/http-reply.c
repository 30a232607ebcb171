/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "worker/link/http-reply.h"

#define KEEP_BYTES (64u << 10) /* of the body's memory */

static struct http_reply *of(http_parser *parser)
{
	return parser->data;
}

static int reject(struct http_reply *reply, const char *reason)
{
	reply->reason = reason;
	return -1;
}

static void add(struct http_field *field, const char *at, size_t len)
{
	size_t room = sizeof field->text - field->len;
	size_t n = len < room ? len : room;
	memcpy(field->text + field->len, at, n);
	field->len += n;
}

static bool is_named(const struct http_reply *reply, const char *name)
{
	return reply->name.len == strlen(name) &&
	       strncasecmp(reply->name.text, name, reply->name.len) == 0;
}

/* --- the parser's events ---------------------------------------------------------------------- */

static int on_begin(http_parser *parser)
{
	struct http_reply *reply = of(parser);
	reply->location.len = reply->media.len = reply->name.len = 0;
	reply->is_value = false;
	return 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
	struct http_reply *reply = of(parser);
	if (reply->is_value)
		reply->name.len = 0;
	reply->is_value = false;
	add(&reply->name, at, len);
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct http_reply *reply = of(parser);
	struct http_field *field = is_named(reply, "location")       ? &reply->location
				   : is_named(reply, "content-type") ? &reply->media
								     : NULL;
	if (field != NULL && !reply->is_value)
		field->len = 0; /* the last one counts */
	reply->is_value = true;
	if (field != NULL)
		add(field, at, len);
	return 0;
}

/* 1: no body follows. */
static int on_head(http_parser *parser)
{
	struct http_reply *reply = of(parser);
	bool has_length = (parser->flags & F_CONTENTLENGTH) != 0;
	if (parser->status_code == 101)
		return reject(reply, "it switches to another protocol");
	if (reply->is_head || parser->status_code == 204 || parser->status_code == 304)
		return 1;
	if (has_length && parser->content_length > reply->max)
		return reject(reply, "the body is larger than the limit");
	return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct http_reply *reply = of(parser);
	if (len > reply->max - reply->body.len)
		return reject(reply, "the body is larger than the limit");
	buffer_append(&reply->body, at, len);
	return reply->body.failed ? -1 : 0;
}

/* After an interim reply the final one follows. */
static int on_complete(http_parser *parser)
{
	struct http_reply *reply = of(parser);
	if (parser->status_code < 200)
		return ++reply->interim <= HTTP_INTERIM_MAX
			       ? 0
			       : reject(reply, "interim replies without end");
	reply->is_done = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings events = {
	.on_message_begin = on_begin,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_complete,
};

/* --- reading ---------------------------------------------------------------------------------- */

void http_reply_init(struct http_reply *reply, bool is_head, size_t max)
{
	struct buffer body = reply->body;
	if (body.size > KEEP_BYTES)
		buffer_finish(&body);
	buffer_reset(&body);
	*reply = (struct http_reply){.is_head = is_head, .max = max, .body = body};
	http_parser_set_max_header_size(HTTP_HEAD_MAX);
	http_parser_init(&reply->parser, HTTP_RESPONSE);
	reply->parser.data = reply;
}

void http_reply_finish(struct http_reply *reply)
{
	buffer_finish(&reply->body);
}

int http_reply_take(struct http_reply *reply, const void *data, size_t len)
{
	size_t taken = http_parser_execute(&reply->parser, &events, data, len);
	const char *text = data;
	if (reply->is_done) {
		while (taken < len && (text[taken] == '\r' || text[taken] == '\n'))
			taken++; /* some servers end a body like a line */
		if (taken == len)
			return HTTP_DONE;
		reply->reason = "bytes follow the end of the body";
		return -EBADMSG;
	}
	if (reply->body.failed)
		return -ENOMEM;
	return HTTP_PARSER_ERRNO(&reply->parser) == HPE_OK ? HTTP_MORE : -EBADMSG;
}

int http_reply_end(struct http_reply *reply)
{
	http_parser_execute(&reply->parser, &events, NULL, 0);
	return reply->is_done ? HTTP_DONE : HTTP_MORE;
}

const char *http_reply_why(const struct http_reply *reply)
{
	if (reply->reason != NULL)
		return reply->reason;
	return http_errno_description(HTTP_PARSER_ERRNO(&reply->parser));
}

void http_reply_media(const struct http_reply *reply, char media[HTTP_MEDIA_MAX])
{
	size_t n = 0;
	for (; n < reply->media.len; n++) {
		char c = reply->media.text[n];
		if (c == ';' || c == ' ' || c == '\t')
			break;
		if (n + 1 == HTTP_MEDIA_MAX || c < ' ' || c > '~') {
			n = 0;
			break;
		}
		media[n] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	media[n] = '\0';
}
