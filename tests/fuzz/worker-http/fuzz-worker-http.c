/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply of a hostile web server, in pieces.  Input: the size of the pieces, with bit 7 for a request
 * HEAD; then the reply.  Within the limits, and the same in one piece.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/link/http-reply.h"

#define MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_all(
	struct http_reply *reply, const uint8_t *data, size_t size, size_t piece, bool is_head)
{
	int r = HTTP_MORE;
	http_reply_init(reply, is_head, MAX);
	for (size_t at = 0; at < size && r == HTTP_MORE; at += piece)
		r = http_reply_take(reply, data + at, size - at < piece ? size - at : piece);
	return r == HTTP_MORE ? http_reply_end(reply) : r;
}

static void check(const struct http_reply *reply, int r)
{
	char media[HTTP_MEDIA_MAX];
	http_reply_media(reply, media);
	bool is_sound = reply->body.len <= MAX && reply->location.len <= HTTP_LOCATION_MAX &&
			strlen(media) < HTTP_MEDIA_MAX;
	if (r == HTTP_DONE)
		is_sound = is_sound && reply->is_done && reply->parser.status_code >= 200;
	else if (r == -EBADMSG)
		is_sound = is_sound && http_reply_why(reply)[0] != '\0';
	if (!is_sound)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_reply whole, pieces;
	if (size < 2)
		return 0;
	bool is_head = (data[0] & 0x80) != 0;
	size_t piece = (data[0] & 0x7f) + 1;
	int r = read_all(&whole, data + 1, size - 1, size, is_head);
	int same = read_all(&pieces, data + 1, size - 1, piece, is_head);
	check(&whole, r);
	check(&pieces, same);
	/* Only bytes after the end can be seen in one piece and not in another. */
	if (r == HTTP_DONE && (same != HTTP_DONE || whole.body.len != pieces.body.len ||
				      memcmp(whole.body.data != NULL ? whole.body.data : data,
					      pieces.body.data != NULL ? pieces.body.data : data,
					      whole.body.len) != 0))
		abort();
	return 0;
}
