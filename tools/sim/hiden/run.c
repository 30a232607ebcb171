/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job: cycles in [ ], each of rows; a row with several masses is in { }.  A value becomes one piece of
 * text when it is measured; a piece is never divided, all else of the stream may be.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hiden.h"

#define PIECE      96
#define MS         1e6
#define NOISE_TORR 2e-12 /* of the Faraday cup in 60 ms */
#define DWELL_MS   60

double hiden_device(const struct hiden *h, enum hiden_device device)
{
	size_t mode = h->device[DEVICE_MODE][0] != 0;
	return device <= DEVICE_ENABLE ? h->device[device][0] : h->device[device][mode];
}

bool hiden_emits(const struct hiden *h)
{
	return !h->is_tripped && hiden_device(h, DEVICE_ENABLE) != 0 &&
	       hiden_device(h, DEVICE_MODE) != 0 &&
	       (hiden_device(h, DEVICE_F1) != 0 || hiden_device(h, DEVICE_F2) != 0);
}

static size_t points_of(const struct hiden *h, const struct hiden_row *row)
{
	size_t steps = (size_t)lrint((row->stop - row->start) / row->step);
	return steps + (h->plan.stop_excluded && steps > 0 ? 0 : 1);
}

static double mass_of(const struct hiden *h)
{
	const struct hiden_row *row = &h->rows[h->at_row];
	return row->start + (double)h->at_point * row->step;
}

static void schedule(struct hiden *h)
{
	const struct hiden_row *row = &h->rows[h->at_row];
	double ms = row->dwell + (h->at_point == 0 ? row->settle : 0);
	h->due += (uint64_t)(ms * MS);
}

void run_start(struct hiden *h)
{
	h->job++;
	h->state = STATE_RUN;
	h->cycle = 0;
	h->at_row = h->at_point = 0;
	h->stops_after_cycle = false;
	h->started = h->cycle_started = h->due = h->now;
	buffer_reset(&h->data);
	h->read = 0;
	schedule(h);
}

void run_end(struct hiden *h, enum hiden_state state)
{
	if (h->state == STATE_RUN || h->state == STATE_WAIT)
		sim_truth(h->m, "ended", ",\"job\":%d,\"cycles\":%ld", h->job, h->cycle);
	h->state = state;
}

static double measure(struct hiden *h)
{
	const struct hiden_row *row = &h->rows[h->at_row];
	double gain = row->has_multiplier ? hiden_device(h, DEVICE_MULTIPLIER) / 850 : 1;
	double noise = NOISE_TORR * sqrt(DWELL_MS / row->dwell) / (row->has_multiplier ? 30 : 1);
	double light = hiden_emits(h) ? residue_at(h->plan.gas, h->plan.pressure, mass_of(h)) * gain
				      : 0;
	return light + noise * random_normal(sim_random_of(h->m));
}

/* The text before, of, and behind one value. */
static void put_value(struct hiden *h, double value)
{
	const struct hiden_row *row = &h->rows[h->at_row];
	size_t n = points_of(h, row);
	bool is_sweep = n > 1, is_first = h->at_point == 0, is_last = h->at_point + 1 == n;
	bool has_time = (row->report & HIDEN_REPORT_TIME) != 0;
	char piece[PIECE], mass[24] = "", time[24] = "", number[24] = "";
	if (has_time && is_first)
		snprintf(time, sizeof time, "/%.0f/", (double)(h->due - h->started) / MS);
	if ((row->report & HIDEN_REPORT_MASS) != 0)
		snprintf(mass, sizeof mass, "%.2f:", mass_of(h));
	if ((row->report & HIDEN_REPORT_VALUE) != 0)
		snprintf(number, sizeof number, mass[0] != '\0' ? "% .2e" : "%.2e", value);
	bool joins_end = is_sweep && is_last && has_time; /* ",}" or "}," by the form */
	int len = snprintf(piece, sizeof piece, "%s%s%s%s%s%s%s",
		is_first && h->at_row == 0 ? "[" : "", time, is_first && is_sweep ? "{" : "", mass,
		number,
		joins_end             ? "},"
		: is_sweep && is_last ? ",}"
				      : ",",
		is_last && h->at_row + 1 == h->n_rows ? "]" : "");
	if (h->data.len < HIDEN_DATA_MAX)
		buffer_append(&h->data, piece, (size_t)len + 1);
}

static void end_cycle(struct hiden *h)
{
	h->at_row = 0;
	h->cycle++;
	if (h->stops_after_cycle || (h->cycles > 0 && h->cycle == h->cycles)) {
		run_end(h, STATE_STOP);
		return;
	}
	uint64_t next = h->cycle_started + (uint64_t)(h->interval * 1000 * MS);
	h->due = next > h->due ? next : h->due;
	h->cycle_started = h->due;
}

void run_advance(struct hiden *h)
{
	while (h->state == STATE_RUN && h->due <= h->now) {
		double value = measure(h), mass = mass_of(h);
		put_value(h, value);
		sim_truth(h->m, "measured", ",\"job\":%d,\"mass\":%.2f,\"torr\":%.4g", h->job, mass,
			value);
		if (++h->at_point == points_of(h, &h->rows[h->at_row])) {
			h->at_point = 0;
			if (++h->at_row == h->n_rows)
				end_cycle(h);
		}
		schedule(h);
	}
}

size_t run_read(struct hiden *h, char *to, size_t size)
{
	size_t len = 0;
	for (long n = 0; n < h->points_max && h->read < h->data.len; n++) {
		const char *piece = (const char *)h->data.data + h->read;
		size_t piece_len = strlen(piece);
		if (piece_len >= size - len)
			break;
		memcpy(to + len, piece, piece_len);
		len += piece_len;
		h->read += piece_len + 1;
	}
	to[len] = '\0';
	return len;
}
