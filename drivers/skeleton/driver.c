/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton: one number per line of text, from any sender: the least that has every part of a driver.
 * Replace each part by that of your instrument's manual; <assay/driver.h> explains each slot.
 */
#include <assay/driver.h>

#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES 80  /* a longer line is not of this protocol */
#define POLL_MS        200 /* a request to stop is seen after this time */

struct state {
	char text[LINE_MAX_BYTES]; /* received and not yet delivered; may end within a line */
	size_t len;
	bool is_at_line; /* text starts at the start of a line */
};

/* Validation, `assayctl describe` and the editor's schema come from this table alone. */
static const struct assay_setting settings[] = {
	{.name = "unit",
		.type = ASSAY_TEXT,
		.flags = ASSAY_UNIT,
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

/* A sender of bare numbers has no identity request: the identity is that of the configuration. */
static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	id->declared = true;
	return 0;
}

/* Discards earlier bytes, without waiting for silence: the sender may never pause. */
static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	st->len = 0;
	st->is_at_line = false;
	return assay_drain(ins, 0, 0);
}

/* Reads until there is a line end in st->text.  Returns the line's length, 0 if the run must stop. */
static ssize_t read_line(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	uint64_t limit = (uint64_t)(assay_number(ins->settings, "timeout") * 1000);
	uint64_t end = assay_now_ms(ins) + limit;
	for (;;) {
		const char *newline = memchr(st->text, '\n', st->len);
		if (newline != NULL)
			return newline - st->text + 1;
		if (st->len == sizeof(st->text))
			return -EBADMSG;
		if (assay_stopping(ins))
			return 0;
		if (assay_now_ms(ins) >= end)
			return -ETIMEDOUT;
		ssize_t n = assay_read(
			ins, st->text + st->len, sizeof(st->text) - st->len, POLL_MS);
		if (n < 0 && n != -ETIMEDOUT)
			return n;
		st->len += n > 0 ? (size_t)n : 0;
	}
}

/*
 * Fetches one line, uninterpreted.  Discards the bytes up to the first line end after the start and
 * after a failure: the rest of a line would read as another number.
 */
static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	for (;;) {
		ssize_t n = read_line(ins);
		if (n <= 0) {
			st->len = 0;
			st->is_at_line = false;
			return n == 0 ? ASSAY_DONE : (int)n;
		}
		bool is_complete = st->is_at_line;
		int r = is_complete ? assay_raw_add(raw, "text/plain", NULL, st->text, (size_t)n)
				    : 0;
		st->len -= (size_t)n;
		memmove(st->text, st->text + n, st->len);
		st->is_at_line = true;
		if (is_complete)
			return r < 0 ? r : ASSAY_FRAME;
	}
}

/* Interprets one line.  Uses nothing except `in`, so that a journal can be decoded again. */
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
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL); /* a line has no checksum */
	assay_add_float(out, "signal", ASSAY_DATA, value, assay_text(in->settings, "unit"));
	return 0;
}

/* Finds settings that do not fit together, or that a person will regret; each finding has a place. */
static void check(const struct assay_settings *s, struct assay_check *out)
{
	if (assay_number(s, "timeout") < 1)
		assay_check_warn(out, "timeout", "a sender of one line per second is slower");
}

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_SERIAL, "baud: 9600"},
	{0, NULL},
};

static const struct assay_driver skeleton = {
	ASSAY_DRIVER_HEAD,
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
	.check = check,
};
ASSAY_DRIVER_EXPORT(skeleton);
