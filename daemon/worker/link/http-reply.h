/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the reply to one HTTP request from its bytes, which are hostile: http-parser checks the
 * syntax, and everything that is kept has a limit.  Pure: no I/O, no clock.
 */
#ifndef ASSAY_WORKER_LINK_HTTP_REPLY_H
#define ASSAY_WORKER_LINK_HTTP_REPLY_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define HTTP_HEAD_MAX     16384
#define HTTP_LOCATION_MAX 2048
#define HTTP_MEDIA_MAX    64
#define HTTP_INTERIM_MAX  8 /* replies 1xx before the final one */

struct http_field {
	char text[HTTP_LOCATION_MAX];
	size_t len; /* one that is too long is cut */
};

struct http_reply {
	http_parser parser;
	bool is_head; /* of a request HEAD: there is no body */
	bool is_done;
	size_t max;         /* of the body */
	const char *reason; /* of -EBADMSG, static; NULL: the parser's */
	unsigned interim;
	bool is_value; /* the parser is in a value */
	struct http_field name, location, media;
	struct buffer body; /* the memory stays for the next reply */
};

enum http_took {
	HTTP_MORE,
	HTTP_DONE,
};

/* Zeroed before the first one.  Sets the library's limit of a head. */
void http_reply_init(struct http_reply *reply, bool is_head, size_t max);
void http_reply_finish(struct http_reply *reply);

/* Takes bytes: an enum http_took, or -EBADMSG with http_reply_why(), or -ENOMEM. */
int http_reply_take(struct http_reply *reply, const void *data, size_t len);

/* The connection has ended: HTTP_DONE, or HTTP_MORE if the reply is not complete. */
int http_reply_end(struct http_reply *reply);

const char *http_reply_why(const struct http_reply *reply);

/* The body's media type, lower case and without parameters; "" if there is none. */
void http_reply_media(const struct http_reply *reply, char media[HTTP_MEDIA_MAX]);

#endif
