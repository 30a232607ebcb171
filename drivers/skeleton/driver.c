/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton: where a new driver begins.
 *
 * It reads no particular instrument.  It takes one number per line of ASCII text from whatever
 * sends such lines, because that is the least that has every part of a driver: settings, a slot
 * that fetches bytes, a slot that interprets them, and the errors of both.  Copy the folder,
 * rename it, and replace each part by what your instrument's manual says.  The contract of every
 * slot is in <assay/driver.h>; a larger example is drivers/amptek-dp5.
 */
#include <assay/driver.h>

#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES 80  /* a longer line is not of this protocol */
#define POLL_MS        200 /* how soon a request to stop is seen */

/* Zeroed before identify.  A read may end in the middle of a line: the rest waits here. */
struct state {
	char text[LINE_MAX_BYTES];
	size_t len;
};

/* Validation, `assayctl describe` and the editor's schema come from this table alone. */
static const struct assay_setting settings[] = {
	{.name = "unit",
		.type = ASSAY_TEXT,
		.fallback = "V",
		.help = "unit of the numbers, in UCUM"},
	{.name = "timeout",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 0.1,
		.max = 3600,
		.fallback = "10 s",
		.help = "longest time between two lines"},
	{.name = NULL},
};

/* A sender of bare numbers cannot be asked who it is: what the configuration declares counts. */
static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	id->declared = true;
	return 0;
}

/* What came before this measurement does not belong to it. */
static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	st->len = 0;
	return assay_drain(ins, 20, 1000);
}

/* Hands over the first line in the buffer, if there is a whole one. */
static int take_line(struct state *st, struct assay_raw *raw)
{
	char *end = memchr(st->text, '\n', st->len);
	if (end == NULL)
		return st->len < sizeof(st->text) ? -EAGAIN : -EBADMSG;
	size_t used = (size_t)(end - st->text) + 1;
	int r = assay_raw_add(raw, "text/plain", NULL, st->text, used);
	st->len -= used;
	memmove(st->text, end + 1, st->len);
	return r < 0 ? r : ASSAY_FRAME;
}

/* Fetches one line, whole and uninterpreted. */
static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	uint64_t limit = (uint64_t)(assay_number(ins->settings, "timeout") * 1000);
	uint64_t end = assay_now_ms(ins) + limit;
	for (;;) {
		int r = take_line(st, raw);
		if (r != -EAGAIN)
			return r;
		if (assay_stopping(ins))
			return ASSAY_DONE;
		ssize_t n = assay_read(
			ins, st->text + st->len, sizeof(st->text) - st->len, POLL_MS);
		if (n > 0)
			st->len += (size_t)n;
		else if (n != -ETIMEDOUT)
			return (int)n;
		else if (assay_now_ms(ins) >= end)
			return -ETIMEDOUT;
	}
}

/* Interprets one line.  Only what is in `in` counts, so the journal can be parsed again. */
static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	double value;
	if (in->raw_count != 1 || in->raw[0].len == 0)
		return -EBADMSG;
	const char *text = (const char *)in->raw[0].data;
	size_t len = in->raw[0].len - 1;
	if (text[len] != '\n')
		return -EBADMSG;
	len -= len > 0 && text[len - 1] == '\r';
	if (assay_parse_number(in->host, text, len, &value) < 0)
		return -EBADMSG;
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_add_float(out, "signal", ASSAY_DATA, value, assay_text(in->settings, "unit"));
	return 0;
}

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_SERIAL, "baud: 9600"},
	{0, NULL},
};

static const struct assay_driver skeleton = {
	.abi = ASSAY_DRIVER_ABI,
	.size = sizeof(struct assay_driver),
	.name = "skeleton",
	.version = "1.0",
	.summary = "not an instrument: one number per line of text, to start a new driver from",
	.technique = NULL,
	.links = ASSAY_LINK_SERIAL | ASSAY_LINK_TCP,
	.link_defaults = link_defaults,
	.settings = settings,
	.state_size = sizeof(struct state),
	.raw_max = LINE_MAX_BYTES,
	.identify = identify,
	.start = start,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(skeleton);
