/* SPDX-License-Identifier: Apache-2.0 */
/* web: a number and a file of a web server, for tests. */
#include <assay/driver.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REPLY_MS 5000
#define FILE_MAX (4u << 20)

static const struct assay_setting settings[] = {
	{.name = "page", .type = ASSAY_TEXT, .fallback = "/file", .help = "the path of the file"},
	{.name = NULL},
};

static int get(
	struct assay_instrument *ins, const char *path, size_t max, struct assay_http_reply *reply)
{
	struct assay_http_request request = {.path = path, .max = max};
	int r = assay_http(ins, &request, reply, REPLY_MS);
	if (r == 0 && reply->status != 200) {
		assay_explain(ins, "%s: status %d", path, reply->status);
		r = -EPROTO;
	}
	return r;
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct assay_http_reply reply;
	int r = get(ins, "/serial", 63, &reply);
	if (r < 0)
		return r;
	snprintf(id->make, sizeof id->make, "Web");
	snprintf(id->model, sizeof id->model, "W1");
	memcpy(id->serial, reply.body, reply.len);
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct assay_http_reply reply;
	int r = get(ins, "/value", 100, &reply);
	if (r == 0)
		r = assay_raw_add(raw, "text/plain", "value", reply.body, reply.len);
	if (r == 0)
		r = get(ins, assay_text(ins->settings, "page"), FILE_MAX, &reply);
	if (r == 0)
		r = assay_raw_add(raw, reply.media, "file", reply.body, reply.len);
	return r < 0 ? r : ASSAY_FRAME;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	double value;
	if (in->raw_count != 2 || assay_parse_number(in->host, (const char *)in->raw[0].data,
					  in->raw[0].len, &value) < 0)
		return -EBADMSG;
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_add_float(out, "value", ASSAY_DATA, value, "1");
	assay_add_int(out, "count", ASSAY_AUX, (int64_t)in->raw[1].len, "1");
	return 0;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "web",
	.version = "1",
	.summary = "a number and a file of a web server, for tests",
	.technique = "ftir",
	.links = ASSAY_LINK_HTTP,
	.settings = settings,
	.raw_max = FILE_MAX + 100,
	.identify = identify,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
