/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire.h"

#include <errno.h>
#include <stdio.h>

#include "session.h"

#define SLICE_MS     1000 /* between two progress reports */
#define REZEROING_MS 10000
#define STRAY_MS     50   /* silence at the end of a scan: three latencies of an FTDI chip */
#define SILENCE_MS   2000 /* in addition to the expected time of a word */
#define READINGS     7    /* of one single-mass measurement, 0.1 u apart */

/* Seconds per single-mass measurement by noise floor, as measured by users of ruediPy. */
static const double single_mass_s[] = {2.4, 1.21, 0.48, 0.25, 0.163, 0.060, 0.043, 0.025};

double rga_word_ms(enum rga_mode mode, unsigned noise_floor)
{
	double mass_ms = single_mass_s[noise_floor & 7] * 1000;
	/* A point of an analog scan is one of the readings. */
	return mode == RGA_ANALOG ? mass_ms / READINGS : mass_ms;
}

static int limit_ms(const struct assay_instrument *ins, double expected_ms)
{
	double ms = SILENCE_MS + expected_ms * assay_number(ins->settings, "timeout_factor");
	return ms < 1e9 ? (int)ms : 1000000000;
}

/* The head zeroes its detector before a scan: slowly after new settings, else in some seconds. */
static int zeroing_ms(const struct assay_instrument *ins)
{
	const struct rga *rga = ins->state;
	int longest = (int)(assay_number(ins->settings, "zeroing_time") * 1000);
	return rga->done > 0 && longest > REZEROING_MS ? REZEROING_MS : longest;
}

/*
 * Reads up to `want` bytes in total; -ETIMEDOUT after `quiet_ms` without a byte, at first
 * `first_ms`.
 */
static int fetch(struct assay_instrument *ins, size_t want, int first_ms, int quiet_ms)
{
	struct rga *rga = ins->state;
	uint64_t end = assay_now_ms(ins) + (uint64_t)first_ms;
	while (rga->have < want) {
		uint64_t now = assay_now_ms(ins);
		if (now >= end)
			return -ETIMEDOUT;
		int wait = end - now < SLICE_MS ? (int)(end - now) : SLICE_MS;
		ssize_t n = assay_read(ins, rga->bytes + rga->have, want - rga->have, wait);
		if (n < 0 && n != -ETIMEDOUT)
			return (int)n;
		if (n > 0) {
			rga->have += (size_t)n;
			end = assay_now_ms(ins) + (uint64_t)quiet_ms;
		}
		assay_progress(ins, "points", (double)(rga->have / RGA_WORD), "1");
	}
	return 0;
}

/* Reads bytes after the expected end of a scan. */
static int fetch_stray(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	int r = fetch(ins, rga->have + RGA_EXTRA_MAX, STRAY_MS, STRAY_MS);
	return r == -ETIMEDOUT ? 0 : r;
}

/* Logs a wrong byte count once, and recovers the head. */
static int check_count(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	size_t want = (rga->points + 1) * RGA_WORD;
	bool is_new = !rga->is_lossy;
	rga->is_lossy = rga->have != want;
	if (!rga->is_lossy)
		return 0;
	assay_log(ins, is_new ? ASSAY_LOG_WARN : ASSAY_LOG_DEBUG,
		"a scan of %zu bytes instead of %zu: bytes were %s", rga->have, want,
		rga->have < want ? "lost"
				 : "added: a device server in Telnet mode sends 0xff twice, set it "
				   "to raw TCP");
	int r = rga_recover(ins);
	if (r < 0 || rga->have >= rga->points * RGA_WORD)
		return r;
	assay_explain(ins, "only %zu of the scan's %zu bytes arrived", rga->have, want);
	return rga->have > 0 ? -EBADMSG : -ETIMEDOUT;
}

int rga_fetch_scan(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	int quiet = limit_ms(ins, rga->word_ms);
	rga->have = 0;
	rga->busy = true;
	int r = rga_send(ins, rga->mode == RGA_ANALOG ? "SC1" : "HS1");
	if (r == 0)
		r = fetch(ins, (rga->points + 1) * RGA_WORD, zeroing_ms(ins) + quiet, quiet);
	if (r == 0)
		r = fetch_stray(ins);
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	r = check_count(ins);
	rga->busy = r < 0;
	return r;
}

static int fetch_word(struct assay_instrument *ins, const char *command, int ms)
{
	struct rga *rga = ins->state;
	int r = rga_send(ins, command);
	if (r == 0)
		r = fetch(ins, rga->have + RGA_WORD, ms, ms);
	if (r == -ETIMEDOUT)
		assay_explain(ins, "no complete reply to %s", command);
	return r;
}

int rga_fetch_series(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	int limit = limit_ms(ins, rga->word_ms);
	rga->have = 0;
	rga->busy = rga->series_open = true;
	for (size_t i = 0; i < rga->points; i++) {
		char command[14];
		snprintf(command, sizeof(command), "MR%d",
			(int)assay_int_at(ins->settings, "sim_ions", i));
		int r = fetch_word(ins, command, i == 0 ? zeroing_ms(ins) + limit : limit);
		if (r < 0)
			return r;
	}
	int r = 0;
	if (assay_flag(ins->settings, "total_pressure"))
		r = fetch_word(ins, "TP?", limit);
	size_t want = rga->have;
	if (r == 0)
		r = fetch_stray(ins);
	if (r == 0 && rga->have != want) {
		assay_explain(ins, "more bytes arrived than the series has masses");
		r = -EBADMSG;
	}
	rga->busy = r < 0;
	return r;
}
