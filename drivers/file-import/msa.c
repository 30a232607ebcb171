/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMSA/MAS spectral data, ISO 22029: lines "#KEYWORD : value", then "#SPECTRUM", the values, and
 * "#ENDOFDATA", which is its end mark.  Energy of point n, from 0: OFFSET + (n - CHOFFSET) * XPERCHAN.
 *
 * Only counts along an energy, of one detector, are read: other units, and data type YY, are left alone.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "piece.h"
#include "xray.h"

struct msa {
	bool is_given;
};

/* The lines of the head; empty: it has none. */
struct head {
	struct piece format, title, date, time, owner, points, xunits, yunits, type, step, offset,
		origin, signal, beam, emission, probe, live, real;
	struct piece data;
	bool has_data, has_end, has_zeros;
};

static const struct {
	const char *name;
	size_t at;
} keywords[] = {
	{"format", offsetof(struct head, format)},
	{"title", offsetof(struct head, title)},
	{"date", offsetof(struct head, date)},
	{"time", offsetof(struct head, time)},
	{"owner", offsetof(struct head, owner)},
	{"npoints", offsetof(struct head, points)},
	{"xunits", offsetof(struct head, xunits)},
	{"yunits", offsetof(struct head, yunits)},
	{"datatype", offsetof(struct head, type)},
	{"xperchan", offsetof(struct head, step)},
	{"offset", offsetof(struct head, offset)},
	{"choffset", offsetof(struct head, origin)},
	{"signaltype", offsetof(struct head, signal)},
	{"beamkv", offsetof(struct head, beam)},
	{"emission", offsetof(struct head, emission)},
	{"probecur", offsetof(struct head, probe)},
	{"livetime", offsetof(struct head, live)},
	{"realtime", offsetof(struct head, real)},
};

static bool fits(struct source *s)
{
	char head[64];
	struct piece p = {head, piece_peek(s, head, sizeof head)};
	return piece_starts(p, "#format") && memchr(head, ':', p.len) != NULL;
}

static void take_keyword(struct head *h, struct piece line)
{
	const char *colon = memchr(line.text, ':', line.len);
	struct piece key = {
		line.text + 1, (colon != NULL ? (size_t)(colon - line.text) : line.len) - 1};
	struct piece value = {"", 0};
	if (colon != NULL)
		value = piece_trim((struct piece){colon + 1, line.len - key.len - 2});
	const char *dash = memchr(key.text, '-', key.len); /* a unit, such as AZIMANGLE-dg */
	if (dash != NULL)
		key.len = (size_t)(dash - key.text);
	key = piece_trim(key);
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
		struct piece *to = (struct piece *)(void *)((char *)h + keywords[i].at);
		if (piece_is(key, keywords[i].name) && to->len == 0)
			*to = value;
	}
}

static void read_head(struct piece text, struct head *h)
{
	struct piece line;
	bool is_ended;
	*h = (struct head){.has_zeros = memchr(text.text, '\0', text.len) != NULL};
	while (piece_line(&text, &line, &is_ended)) {
		bool is_keyword = line.len > 0 && line.text[0] == '#';
		if (h->has_data && piece_starts(line, "#endofdata"))
			h->has_end = true;
		if (h->has_data && is_keyword)
			return;
		if (h->has_data)
			h->data.len = (size_t)(line.text + line.len - h->data.text);
		else if (piece_starts(line, "#spectrum")) {
			h->has_data = true;
			h->data = (struct piece){text.text, 0};
		} else if (is_keyword)
			take_keyword(h, line);
	}
}

/* The first word: people write remarks behind it. */
static struct piece first(struct piece p)
{
	struct piece word;
	return piece_word(&p, &word) ? word : (struct piece){"", 0};
}

static bool is_xy(const struct head *h)
{
	return piece_is(first(h->type), "xy");
}

static const char *energy_unit(const struct head *h)
{
	struct piece unit = first(h->xunits);
	return piece_is(unit, "ev") ? "eV" : piece_is(unit, "kev") ? "keV" : NULL;
}

static bool is_readable(const struct head *h)
{
	struct piece signal = first(h->signal), type = first(h->type);
	return (signal.len == 0 || piece_is(signal, "xrf") || piece_is(signal, "eds")) &&
	       (piece_is(type, "y") || piece_is(type, "xy")) && energy_unit(h) != NULL &&
	       (h->yunits.len == 0 || piece_starts(h->yunits, "count")) &&
	       !piece_starts(h->yunits, "counts/") && piece_whole(first(h->points)) > 0;
}

/* DD-MMM-YYYY and hh:mm[:ss]; another date as it is, because its order is not known. */
static void write_time(const struct head *h, char *to, size_t size)
{
	char text[DATE_TEXT], date[64], time[64];
	struct piece d = first(h->date), t = first(h->time);
	int n[3] = {0}, part = 0;
	size_t i = 0;
	for (; i < t.len && part < 3 && n[part] < 100; i++)
		if (t.text[i] == ':')
			part++;
		else if (t.text[i] >= '0' && t.text[i] <= '9')
			n[part] = 10 * n[part] + (t.text[i] - '0');
		else
			break;
	bool is_date = d.len == 11 && d.text[2] == '-' && d.text[6] == '-';
	int64_t day = piece_whole((struct piece){d.text, is_date ? 2 : 0});
	int64_t year = piece_whole((struct piece){d.text + (is_date ? 7 : 0), is_date ? 4 : 0});
	int month = is_date ? date_month(d.text + 3, 3) : 0;
	bool is_time = i == t.len && (part == 1 || part == 2);
	if (is_time && date_write(text, (int)year, month, (int)day, n[0], n[1], n[2])) {
		snprintf(to, size, "%s", text);
		return;
	}
	piece_show(d, date, sizeof date);
	piece_show(t, time, sizeof time);
	snprintf(to, size, "%s%s%s", date, date[0] != '\0' && time[0] != '\0' ? " " : "", time);
}

static int judge(const struct head *h, struct format_facts *facts)
{
	int64_t points = piece_whole(first(h->points));
	if (h->has_zeros) {
		snprintf(facts->why, sizeof facts->why, "a part of it is not written yet");
		return FORMAT_INCOMPLETE;
	}
	if (!h->has_end) {
		snprintf(facts->why, sizeof facts->why, "its last line #ENDOFDATA is missing");
		return FORMAT_INCOMPLETE;
	}
	if (!is_readable(h) || points > XRAY_CHANNELS)
		return FORMAT_FOREIGN;
	int64_t found = piece_numbers(NULL, h->data, NULL, 0);
	if (found != points * (is_xy(h) ? 2 : 1)) {
		snprintf(facts->why, sizeof facts->why, "it has %lld numbers, NPOINTS is %lld",
			(long long)found, (long long)points);
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
		piece_show(h.title, facts->title, sizeof facts->title);
		piece_show(h.owner, facts->person, sizeof facts->person);
		write_time(&h, facts->acquired, sizeof facts->acquired);
	}
	free((void *)(uintptr_t)text.text);
	return r;
}

static double number(const struct assay_decoding *in, struct piece p)
{
	return piece_number(in->host, first(p));
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct head h;
	struct format_facts facts = {.why = ""};
	(void)part;
	if (in->raw_count == 0)
		return -EBADMSG;
	read_head((struct piece){(const char *)in->raw[0].data, in->raw[0].len}, &h);
	if (judge(&h, &facts) != FORMAT_WHOLE)
		return -EBADMSG;
	size_t n = (size_t)piece_whole(first(h.points)), columns = is_xy(&h) ? 2 : 1;
	double *values = assay_frame_scratch(out, columns * n * sizeof *values);
	if (values == NULL)
		return -ENOMEM;
	piece_numbers(in->host, h.data, values, columns * n);
	double *energies = columns == 2 ? assay_frame_scratch(out, n * sizeof *energies) : NULL;
	for (size_t i = 0; i < n && energies != NULL; i++) {
		energies[i] = values[2 * i];
		values[i] = values[2 * i + 1];
	}
	double step = number(in, h.step), origin = h.origin.len > 0 ? number(in, h.origin) : 0;
	double offset = number(in, h.offset);
	bool is_even = isfinite(step) && step != 0 && isfinite(offset) && isfinite(origin);
	struct xray x = {.unit = is_even || energies != NULL ? energy_unit(&h) : NULL,
		.first = offset - origin * step,
		.step = step,
		.energies = energies,
		.counts = values,
		.n = n,
		.live = number(in, h.live),
		.real = number(in, h.real),
		.voltage = number(in, h.beam),
		.current = number(in, h.emission.len > 0 ? h.emission : h.probe),
		.current_unit = h.emission.len > 0 ? "uA" : "nA"};
	char time[FORMAT_FACT];
	write_time(&h, time, sizeof time);
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	return xray_add(&x, out);
}

const struct format format_msa = {
	.name = "msa",
	.summary = "X-ray spectrum, ISO 22029 (EMSA/MAS): *.msa, *.emsa",
	.techniques = "xrf",
	.state_size = sizeof(struct msa),
	.fits = fits,
	.look = look,
	.next = xray_plan_file,
	.decode = decode,
};
