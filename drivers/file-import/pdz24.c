/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bruker `.pdz` 24 of older handheld X-ray spectrometers: one spectrum at fixed places, all numbers with the
 * low byte first.
 *
 * It is whole if it is as long as its channels need.  A program that sets the length first leaves zeros
 * behind the place that it has reached, and the file has nothing that shows them.  But a tube's spectrum has
 * counts up to near the energy of its voltage, so one without any above the half of it is not whole.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "bytes.h"
#include "xray.h"

enum {
	AT_CHANNELS = 6,
	AT_STEP = 50,
	AT_TIME = 146, /* year, month, day of the week, day, hour, minute, second, millisecond */
	AT_VOLTAGE = 162,
	AT_CURRENT = 166,
	AT_REAL = 338,
	AT_DEAD = 346,
	AT_RESET = 350,
	AT_LIVE = 354,
	AT_COUNTS = 358,
};

struct pdz24 {
	bool is_given;
};

static bool fits(struct source *s)
{
	uint8_t head[2];
	return s->files == 1 && !s->is_folder && name_ends(s->name, ".pdz") &&
	       s->read(s, 0, 0, head, sizeof head) == 0 && get_le16(head) == 257;
}

static bool is_head(const uint8_t *head)
{
	double step = get_le_f64(head + AT_STEP), voltage = (double)get_le_f32(head + AT_VOLTAGE);
	unsigned channels = get_le16(head + AT_CHANNELS);
	return channels > 0 && channels <= INT16_MAX && step > 0 && step < 1e6 && voltage > 0 &&
	       voltage < 1000;
}

/* The first channel above the half of the tube's voltage. */
static size_t middle(const uint8_t *head)
{
	double at = (double)get_le_f32(head + AT_VOLTAGE) * 1000 / 2 / get_le_f64(head + AT_STEP);
	size_t channels = get_le16(head + AT_CHANNELS);
	return at < (double)channels ? (size_t)at : channels - 1;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	uint8_t head[AT_COUNTS], count[4] = {0};
	uint64_t size = s->file[0].size;
	(void)state;
	if (size < sizeof head)
		return FORMAT_INCOMPLETE;
	int r = s->read(s, 0, 0, head, sizeof head);
	if (r < 0)
		return r;
	if (!is_head(head))
		return FORMAT_FOREIGN;
	unsigned channels = get_le16(head + AT_CHANNELS);
	uint64_t whole = AT_COUNTS + 4 * (uint64_t)channels;
	if (size != whole) {
		snprintf(facts->why, sizeof facts->why, "%u channels need %llu bytes, it has %llu",
			channels, (unsigned long long)whole, (unsigned long long)size);
		return size < whole ? FORMAT_INCOMPLETE : FORMAT_DAMAGED;
	}
	size_t i = middle(head);
	while (i < channels && get_le32(count) == 0 && r == 0)
		r = s->read(s, 0, AT_COUNTS + 4 * i++, count, sizeof count);
	if (r < 0)
		return r;
	if (get_le32(count) == 0) {
		snprintf(facts->why, sizeof facts->why,
			"all channels above half of the tube's voltage are empty");
		return FORMAT_INCOMPLETE;
	}
	xray_write_time(facts->acquired, head + AT_TIME);
	memcpy(facts->make, "Bruker", sizeof "Bruker");
	return FORMAT_WHOLE;
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	const uint8_t *bytes = in->raw_count > 0 ? in->raw[0].data : NULL;
	(void)part;
	if (bytes == NULL || in->raw[0].len < AT_COUNTS || !is_head(bytes) ||
		in->raw[0].len != AT_COUNTS + 4 * (size_t)get_le16(bytes + AT_CHANNELS))
		return -EBADMSG;
	size_t n = get_le16(bytes + AT_CHANNELS);
	double *counts = assay_frame_scratch(out, n * sizeof *counts);
	if (counts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		counts[i] = (int32_t)get_le32(bytes + AT_COUNTS + 4 * i);
	struct xray x = {.unit = "eV",
		.step = get_le_f64(bytes + AT_STEP),
		.counts = counts,
		.n = n,
		.live = (double)get_le_f32(bytes + AT_LIVE),
		.real = (double)get_le_f32(bytes + AT_REAL),
		.voltage = (double)get_le_f32(bytes + AT_VOLTAGE),
		.current = (double)get_le_f32(bytes + AT_CURRENT),
		.current_unit = "uA"};
	int r = xray_add(&x, out);
	if (r < 0)
		return r;
	xray_add_aux(out, "dead_time", (double)get_le_f32(bytes + AT_DEAD), "s");
	xray_add_aux(out, "reset_time", (double)get_le_f32(bytes + AT_RESET), "s");
	char time[XRAY_TIME];
	xray_write_time(time, bytes + AT_TIME);
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	return 0;
}

const struct format format_pdz24 = {
	.name = "pdz24",
	.summary = "Bruker handheld XRF of older instruments: *.pdz, version 24",
	.techniques = "xrf",
	.state_size = sizeof(struct pdz24),
	.fits = fits,
	.look = look,
	.next = xray_plan_file,
	.decode = decode,
};
