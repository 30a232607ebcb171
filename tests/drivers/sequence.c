/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instrument with an autosampler, which starts its own measurements: "R SAMPLE" when one begins,
 * then slices "D SAMPLES LOST", LOST samples being lost in front of the third one, and "E" at the end.
 */
#include <assay/driver.h>
#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES 600
#define SAMPLES_MAX    1000
#define RATE           100 /* samples per second */

struct state {
	char text[LINE_MAX_BYTES];
	size_t len;
};

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	id->declared = true;
	return 0;
}

/* Moves the next line into `line`, as a text: 1, 0 if there is none yet, or an error. */
static int take_line(struct assay_instrument *ins, char line[LINE_MAX_BYTES])
{
	struct state *st = ins->state;
	char *end = memchr(st->text, '\n', st->len);
	if (end == NULL) {
		ssize_t n = assay_read(ins, st->text + st->len, sizeof st->text - st->len, 20);
		if (n < 0 && n != -ETIMEDOUT)
			return (int)n;
		st->len += n > 0 ? (size_t)n : 0;
		end = memchr(st->text, '\n', st->len);
	}
	if (end == NULL)
		return st->len == sizeof st->text ? -EBADMSG : 0;
	size_t used = (size_t)(end - st->text) + 1;
	memcpy(line, st->text, used - 1);
	line[used - 1] = '\0';
	memmove(st->text, st->text + used, st->len -= used);
	return 1;
}

static int start(struct assay_instrument *ins)
{
	char line[LINE_MAX_BYTES];
	int r = take_line(ins, line);
	if (r < 0)
		return r;
	if (r == 0 || line[0] != 'R')
		return assay_again(ins, 20);
	assay_began(ins, strlen(line) > 2 ? line + 2 : NULL);
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	char line[LINE_MAX_BYTES];
	int r = take_line(ins, line);
	if (r < 0)
		return r;
	if (r == 0)
		return assay_stopping(ins) ? ASSAY_DONE : assay_again(ins, 20);
	if (line[0] == 'E')
		return ASSAY_DONE;
	r = assay_raw_add(raw, "text/plain", NULL, line, strlen(line));
	return r < 0 ? r : ASSAY_FRAME;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	const char *line = (const char *)in->raw[0].data;
	size_t len = in->raw[0].len;
	const char *blank = len > 2 ? memchr(line + 2, ' ', len - 2) : NULL;
	int64_t samples, lost;
	if (blank == NULL ||
		assay_parse_integer(in->host, line + 2, (size_t)(blank - line) - 2, &samples) < 0 ||
		assay_parse_integer(in->host, blank, (size_t)(line + len - blank), &lost) < 0 ||
		samples < 3 || samples > SAMPLES_MAX || lost < 0)
		return -EBADMSG;
	uint8_t *values = assay_frame_scratch(out, SAMPLES_MAX);
	if (values == NULL)
		return -ENOMEM;
	struct assay_variable signal = {.name = "signal",
		.role = ASSAY_DATA,
		.dims = {"time"},
		.unit = "V",
		.type = ASSAY_U8,
		.data = values,
		.count = (size_t)samples};
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	assay_frame_span(out, (double)(samples + lost) / RATE);
	assay_frame_gap(out, 2, (uint64_t)lost);
	assay_add_linear_axis(out, "time", "s", 0, 1.0 / RATE, (size_t)samples);
	assay_frame_add(out, &signal);
	return 0;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "sequence",
	.version = "1",
	.summary = "an instrument that starts its own measurements",
	.technique = "gc",
	.links = ASSAY_LINK_TCP,
	.state_size = sizeof(struct state),
	.raw_max = LINE_MAX_BYTES,
	.identify = identify,
	.start = start,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
