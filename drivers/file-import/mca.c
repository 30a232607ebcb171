/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amptek `.mca` of the programs DppMCA and PMCA: "<<PMCA SPECTRUM>>", lines "KEY - value", sections
 * "<<CALIBRATION>>" with pairs of channel and energy, "<<DATA>>" with one count a line, "<<END>>", which is
 * the end mark; then sections about the instrument, which are whole if their own last line is there.
 *
 * Other programs save other files with this name.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "piece.h"
#include "xray.h"

#define POINTS_MAX 64

struct mca {
	bool is_given;
};

struct head {
	struct piece tag, description, live, real, start, serial; /* empty: it has none */
	struct piece device, device_serial;
	struct piece pairs, data;
	bool has_end, is_open, has_zeros; /* is_open: in a section about the instrument */
};

static bool fits(struct source *s)
{
	char head[17];
	struct piece p = {head, piece_peek(s, head, sizeof head)};
	return piece_is(p, "<<pmca spectrum>>");
}

static bool take(struct piece line, const char *key, struct piece *to)
{
	if (!piece_starts(line, key))
		return false;
	struct piece rest = piece_trim(
		(struct piece){line.text + strlen(key), line.len - strlen(key)});
	if (rest.len == 0 || (rest.text[0] != '-' && rest.text[0] != ':'))
		return false;
	*to = piece_trim((struct piece){rest.text + 1, rest.len - 1});
	return true;
}

static void take_line(struct head *h, struct piece line)
{
	(void)(take(line, "tag", &h->tag) || take(line, "description", &h->description) ||
		take(line, "live_time", &h->live) || take(line, "real_time", &h->real) ||
		take(line, "start_time", &h->start) || take(line, "serial_number", &h->serial));
}

static void take_status(struct head *h, struct piece line)
{
	(void)(take(line, "device type", &h->device) ||
		take(line, "serial number", &h->device_serial));
}

static void read_head(struct piece text, struct head *h)
{
	enum { HEAD, PAIRS, DATA, OTHER, INSTRUMENT } section = HEAD;
	struct piece line;
	bool is_ended;
	*h = (struct head){.has_zeros = memchr(text.text, '\0', text.len) != NULL};
	while (piece_line(&text, &line, &is_ended)) {
		struct piece *to = section == PAIRS ? &h->pairs : section == DATA ? &h->data : NULL;
		if (piece_starts(line, "<<")) {
			bool is_end = piece_is(piece_trim(line), "<<end>>");
			section = piece_starts(line, "<<pmca ")                   ? HEAD
				  : piece_starts(line, "<<calibration>>")         ? PAIRS
				  : piece_starts(line, "<<data>>") && !h->has_end ? DATA
				  : h->has_end                                    ? INSTRUMENT
										  : OTHER;
			to = section == PAIRS ? &h->pairs : section == DATA ? &h->data : NULL;
			if (to != NULL)
				*to = (struct piece){text.text, 0};
			h->is_open = h->has_end &&
				     !(line.len > 6 &&
					     piece_is((struct piece){line.text + line.len - 6, 6},
						     " end>>"));
			h->has_end = h->has_end || is_end;
		} else if (to != NULL && piece_starts(line, "label"))
			*to = (struct piece){text.text, 0};
		else if (to != NULL)
			to->len = (size_t)(line.text + line.len - to->text);
		else if (section == HEAD)
			take_line(h, line);
		else if (section == INSTRUMENT)
			take_status(h, line);
	}
}

static int judge(const struct head *h, struct format_facts *facts)
{
	if (h->has_zeros || !h->has_end || h->is_open) {
		snprintf(facts->why, sizeof facts->why, "%s",
			h->has_zeros  ? "a part of it is not written yet"
			: !h->has_end ? "its line <<END>> is missing"
				      : "the last section is not ended");
		return FORMAT_INCOMPLETE;
	}
	int64_t n = piece_numbers(NULL, h->data, NULL, 0),
		pairs = piece_numbers(NULL, h->pairs, NULL, 0);
	if (n < 1 || n > XRAY_CHANNELS || pairs < 0 || pairs % 2 != 0 || pairs > 2 * POINTS_MAX) {
		snprintf(facts->why, sizeof facts->why, "its %s are not numbers, or too many",
			n < 1 || n > XRAY_CHANNELS ? "counts" : "pairs of channel and energy");
		return FORMAT_DAMAGED;
	}
	return FORMAT_WHOLE;
}

static struct piece serial_of(const struct head *h)
{
	return h->serial.len == 0 || piece_is(h->serial, "0") ? h->device_serial : h->serial;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct piece text;
	struct head h;
	(void)state;
	int r = piece_load(s, 0, &text);
	if (r < 0)
		return r == -EFBIG ? FORMAT_FOREIGN : r;
	read_head(text, &h);
	r = judge(&h, facts);
	if (r == FORMAT_WHOLE) {
		memcpy(facts->make, "Amptek", sizeof "Amptek");
		piece_show(h.device, facts->model, sizeof facts->model);
		piece_show(serial_of(&h), facts->serial, sizeof facts->serial);
		piece_show(h.description.len > 0 ? h.description : h.tag, facts->title,
			sizeof facts->title);
		piece_us_time(facts->acquired, sizeof facts->acquired, h.start);
	}
	free((void *)(uintptr_t)text.text);
	return r;
}

/* The line through the points, with the least squares of the energies. */
static void fit(const double *pairs, size_t n, struct xray *x)
{
	double mx = 0, my = 0, xx = 0, xy = 0;
	for (size_t i = 0; i < n; i++) {
		mx += pairs[2 * i] / (double)n;
		my += pairs[2 * i + 1] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		xx += (pairs[2 * i] - mx) * (pairs[2 * i] - mx);
		xy += (pairs[2 * i] - mx) * (pairs[2 * i + 1] - my);
	}
	double step = xx > 0 ? xy / xx : 0, first = my - step * mx;
	if (!(step > 0) || !isfinite(step) || !isfinite(first))
		return;
	x->unit = "keV";
	x->first = first;
	x->step = step;
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct head h;
	struct format_facts facts = {.why = ""};
	double pairs[2 * POINTS_MAX];
	(void)part;
	if (in->raw_count == 0)
		return -EBADMSG;
	read_head((struct piece){(const char *)in->raw[0].data, in->raw[0].len}, &h);
	if (judge(&h, &facts) != FORMAT_WHOLE)
		return -EBADMSG;
	struct xray x = xray_none;
	x.n = (size_t)piece_numbers(NULL, h.data, NULL, 0);
	double *counts = assay_frame_scratch(out, x.n * sizeof *counts);
	if (counts == NULL)
		return -ENOMEM;
	piece_numbers(in->host, h.data, counts, x.n);
	size_t points = (size_t)piece_numbers(in->host, h.pairs, pairs, 2 * POINTS_MAX) / 2;
	x.counts = counts;
	fit(pairs, points, &x);
	x.live = piece_number(in->host, h.live);
	x.real = piece_number(in->host, h.real);
	char text[FORMAT_FACT];
	if (x.unit != NULL) {
		snprintf(text, sizeof text,
			"line through the %zu points of the file, by least squares", points);
		xray_add_setting_text(out, "energy_calibration", text);
	}
	piece_us_time(text, sizeof text, h.start);
	if (text[0] != '\0')
		assay_frame_device_time(out, text);
	return xray_add(&x, out);
}

const struct format format_mca = {
	.name = "mca",
	.summary = "X-ray spectrum of Amptek's programs: *.mca",
	.techniques = "xrf",
	.state_size = sizeof(struct mca),
	.fits = fits,
	.look = look,
	.next = xray_plan_file,
	.decode = decode,
};
