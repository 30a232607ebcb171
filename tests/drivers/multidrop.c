/* SPDX-License-Identifier: Apache-2.0 */
/* Several units on one line of text, "ADDRESS QUANTITY\\r", whose replies name neither. */
#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX   32
#define REPLY_MS   200
#define QUANTITIES 3

static const struct assay_setting settings[] = {
	{.name = "address",
		.type = ASSAY_INT,
		.flags = ASSAY_REQUIRED,
		.min = 1,
		.max = 99,
		.help = "of the unit on the line"},
	{.name = NULL},
};

/* The reply with its line end; its length or an error. */
static ssize_t ask(struct assay_instrument *ins, unsigned quantity, char reply[LINE_MAX])
{
	char request[LINE_MAX];
	int n = snprintf(request, sizeof request, "%d %u\r",
		(int)assay_int(ins->settings, "address"), quantity);
	uint64_t end = assay_now_ms(ins) + REPLY_MS;
	int r = assay_write(ins, request, (size_t)n, REPLY_MS);
	for (size_t have = 0; r == 0;) {
		uint64_t now = assay_now_ms(ins);
		ssize_t got = assay_read(
			ins, reply + have, LINE_MAX - have, now < end ? (int)(end - now) : 0);
		if (got < 0)
			return got;
		have += (size_t)got;
		if (reply[have - 1] == '\r')
			return (ssize_t)have;
		if (have == LINE_MAX)
			return -EBADMSG;
	}
	return r;
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	char reply[LINE_MAX];
	ssize_t n = ask(ins, 0, reply);
	id->declared = true;
	return n < 0 ? (int)n : 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	char reply[LINE_MAX], name[8];
	if (assay_stopping(ins))
		return ASSAY_DONE;
	for (unsigned i = 1; i <= QUANTITIES; i++) {
		ssize_t n = ask(ins, i, reply);
		if (n < 0)
			return (int)n;
		snprintf(name, sizeof name, "%u", i);
		int r = assay_raw_add(raw, "text/plain", name, reply, (size_t)n);
		if (r < 0)
			return r;
	}
	return ASSAY_FRAME;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	assay_add_int(out, "signal", ASSAY_DATA, (int64_t)in->raw_count, "1");
	return 0;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "multidrop",
	.version = "1",
	.summary = "units on one line whose replies have no address",
	.technique = "gc",
	.links = ASSAY_LINK_SERIAL | ASSAY_LINK_TCP | ASSAY_LINK_SHARED,
	.settings = settings,
	.raw_max = QUANTITIES * LINE_MAX,
	.identify = identify,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
