/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `.spe` of the IAEA and ORTEC: blocks "$NAME:" with lines.  "$DATA:" states the first and the last channel,
 * then come the counts: it is whole if it has as many as it states, and its last line is ended.
 * "$MCA_CAL:" has the number of coefficients and these, "$ENER_FIT:" the first two, in keV.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "piece.h"
#include "xray.h"

struct spe {
	bool is_given;
};

struct head {
	struct piece id, date, times, fit, calibration, range, data; /* empty: it has none */
	bool is_ended, has_zeros;
};

static bool fits(struct source *s)
{
	char head[32];
	size_t n = piece_peek(s, head, sizeof head), i = 1;
	while (i < n && ((head[i] >= 'A' && head[i] <= 'Z') || (head[i] >= '0' && head[i] <= '9') ||
				head[i] == '_'))
		i++;
	return n > 2 && head[0] == '$' && i > 1 && i < n && head[i] == ':';
}

static void read_head(struct piece text, struct head *h)
{
	static const struct {
		const char *name;
		size_t at;
		bool has_lines; /* all of the block, not its first line only */
	} blocks[] = {
		{"$spec_id:", offsetof(struct head, id), false},
		{"$date_mea:", offsetof(struct head, date), false},
		{"$meas_tim:", offsetof(struct head, times), false},
		{"$ener_fit:", offsetof(struct head, fit), false},
		{"$mca_cal:", offsetof(struct head, calibration), true},
		{"$data:", offsetof(struct head, range), true},
	};
	struct piece line, *to = NULL;
	bool has_lines = false;
	*h = (struct head){.has_zeros = memchr(text.text, '\0', text.len) != NULL};
	while (piece_line(&text, &line, &h->is_ended)) {
		if (line.len > 0 && line.text[0] == '$') {
			to = NULL;
			for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
				if (piece_is(piece_trim(line), blocks[i].name)) {
					to = (struct piece *)(void *)((char *)h + blocks[i].at);
					has_lines = blocks[i].has_lines;
				}
			if (to != NULL)
				*to = (struct piece){text.text, 0};
		} else if (to != NULL && (has_lines || to->len == 0))
			to->len = (size_t)(line.text + line.len - to->text);
	}
	struct piece first;
	bool is_ended;
	h->data = h->range;
	h->range = (struct piece){"", 0};
	if (piece_line(&h->data, &first, &is_ended))
		h->range = first;
}

/* How many channels the block states; 0: it does not. */
static size_t channels_of(const struct head *h)
{
	struct piece rest = h->range, first, last;
	if (!piece_word(&rest, &first) || !piece_word(&rest, &last))
		return 0;
	int64_t from = piece_whole(first), to = piece_whole(last);
	return from < 0 || to < from || to - from >= XRAY_CHANNELS ? 0 : (size_t)(to - from + 1);
}

static int judge(const struct head *h, struct format_facts *facts)
{
	size_t channels = channels_of(h);
	int64_t found = piece_numbers(NULL, h->data, NULL, 0);
	if (h->has_zeros || h->range.len == 0 || !h->is_ended ||
		(found >= 0 && (size_t)found < channels)) {
		snprintf(facts->why, sizeof facts->why, "it has %lld counts of %zu",
			(long long)found, channels);
		return FORMAT_INCOMPLETE;
	}
	if (channels == 0 || found != (int64_t)channels) {
		snprintf(facts->why, sizeof facts->why,
			"$DATA: states %zu channels, %lld numbers follow", channels,
			(long long)found);
		return FORMAT_DAMAGED;
	}
	return FORMAT_WHOLE;
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
		piece_show(h.id, facts->title, sizeof facts->title);
		piece_us_time(facts->acquired, sizeof facts->acquired, h.date);
	}
	free((void *)(uintptr_t)text.text);
	return r;
}

/*
 * Energies of the file's own polynomial, of channel numbers: even, or a quadratic.  A word behind the
 * coefficients is the unit; only keV is one.
 */
static int calibrate(const struct assay_decoding *in, const struct head *h, size_t first,
	struct xray *x, struct assay_frame *out)
{
	double c[3] = {0};
	struct piece rest = h->calibration.len > 0 ? h->calibration : h->fit, word;
	int64_t order = 2;
	if (h->calibration.len > 0)
		order = piece_word(&rest, &word) ? piece_whole(word) : 0;
	if (order < 2 || order > 3)
		return 0;
	for (int64_t i = 0; i < order; i++) {
		if (!piece_word(&rest, &word) || !isfinite(c[i] = piece_number(in->host, word)))
			return 0;
	}
	bool is_other = piece_word(&rest, &word) && h->calibration.len > 0 &&
			!piece_is(word, "kev");
	if (is_other || c[1] == 0)
		return 0;
	double from = (double)first, *energies = NULL;
	if (c[2] != 0) {
		energies = assay_frame_scratch(out, x->n * sizeof *energies);
		if (energies == NULL)
			return -ENOMEM;
		for (size_t i = 0; i < x->n; i++)
			energies[i] = c[0] +
				      (from + (double)i) * (c[1] + (from + (double)i) * c[2]);
	}
	x->unit = "keV";
	x->energies = energies;
	x->first = c[0] + c[1] * from;
	x->step = c[1];
	return 0;
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct head h;
	struct format_facts facts = {.why = ""};
	struct piece word;
	(void)part;
	if (in->raw_count == 0)
		return -EBADMSG;
	read_head((struct piece){(const char *)in->raw[0].data, in->raw[0].len}, &h);
	if (judge(&h, &facts) != FORMAT_WHOLE)
		return -EBADMSG;
	struct xray x = xray_none;
	x.n = channels_of(&h);
	double *counts = assay_frame_scratch(out, x.n * sizeof *counts);
	if (counts == NULL)
		return -ENOMEM;
	piece_numbers(in->host, h.data, counts, x.n);
	x.counts = counts;
	piece_word(&h.range, &word);
	int r = calibrate(in, &h, (size_t)piece_whole(word), &x, out);
	if (r < 0)
		return r;
	x.live = piece_word(&h.times, &word) ? piece_number(in->host, word) : (double)NAN;
	x.real = piece_word(&h.times, &word) ? piece_number(in->host, word) : (double)NAN;
	char time[FORMAT_FACT];
	piece_us_time(time, sizeof time, h.date);
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	return xray_add(&x, out);
}

const struct format format_spe = {
	.name = "spe",
	.summary = "spectrum of the IAEA and ORTEC, as text: *.spe",
	.techniques = "xrf",
	.state_size = sizeof(struct spe),
	.fits = fits,
	.look = look,
	.next = xray_plan_file,
	.decode = decode,
};
