/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "slots.h"

#define REQUEST_MS 10000

int request_get(struct assay_instrument *ins, const char *path, size_t max, struct reply *reply,
	struct assay_http_reply *http)
{
	struct assay_http_request request = {.path = path, .max = max};
	struct assay_http_reply own;
	char why[WHY_MAX];
	http = http != NULL ? http : &own;
	int r = assay_http(ins, &request, http, REQUEST_MS);
	if (r < 0)
		return r;
	if (http->status != 200) {
		assay_explain(ins, "%.150s: status %d, expected 200", path, http->status);
		return -EPROTO;
	}
	r = reply_read(http->body, http->len, reply, why);
	if (r < 0)
		assay_explain(ins, "%.150s: %s", path, why);
	return r;
}

int request_set(struct assay_instrument *ins, const char *format, ...)
{
	char path[256];
	struct reply reply;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -EINVAL;
	int r = request_get(ins, path, WORD_MAX_BYTES, &reply, NULL);
	if (r == 0)
		reply_free(&reply);
	return r;
}

int request_word(
	struct assay_instrument *ins, const char *name, struct assay_raw *raw, uint32_t *word)
{
	char path[64];
	struct reply reply;
	struct assay_http_reply http;
	snprintf(path, sizeof(path), "/mmsp/status/%s/get", name);
	int r = request_get(ins, path, WORD_MAX_BYTES, &reply, &http);
	if (r < 0)
		return r;
	bool is_word = reply_unsigned(reply.data, word);
	reply_free(&reply);
	if (!is_word) {
		assay_explain(ins, "%s: expected a number of 32 bits", path);
		return -EBADMSG;
	}
	return raw != NULL ? assay_raw_add(raw, JSON_MEDIA, name, http.body, http.len) : 0;
}
