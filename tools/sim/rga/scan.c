/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "detector.h"
#include "scan.h"

#define NS_PER_S     1e9
#define ZEROING_S    0.4
#define READINGS     7
#define OVERRUN_LESS 12
#define OVERRUN_MORE 8
#define OVERRUN_DEAF 2
#define SEND_MAX     512
#define WORD         4

int scan_points(const struct rga *rga, enum rga_scan_kind kind)
{
	int masses = rga->set.mass_last - rga->set.mass_first;
	return kind == RGA_ANALOG ? masses * rga->set.points + 1 : masses + 1;
}

static uint64_t to_ns(double seconds)
{
	return (uint64_t)(seconds * NS_PER_S);
}

/* Starts one scan at rga->due, and draws whether and where it overruns the transmit buffer. */
static void start(struct rga *rga)
{
	struct rga_scan *scan = &rga->scan;
	struct sim_random *random = sim_random_of(rga->m);
	scan->at = 0;
	scan->overrun_at = SIZE_MAX;
	if (scan->kind == RGA_ANALOG && random_chance(random, rga->plan.overrun)) {
		scan->overrun_at = random_u64(random) % scan->words;
		int by = (int)(random_u64(random) % (OVERRUN_LESS + OVERRUN_MORE)) - OVERRUN_LESS;
		scan->overrun_by = scan->overrun_left = by >= 0 ? by + 1 : by;
	}
	rga->activity = RGA_MEASURES;
	rga->due += to_ns((scan->zeroes ? ZEROING_S : 0) + scan->seconds);
}

void scan_start(struct rga *rga, enum rga_scan_kind kind, uint32_t n)
{
	if (n == 0)
		return;
	double mass_s = detector_seconds(rga->set.noise_floor);
	rga->scan.kind = kind;
	rga->scan.left = n == UINT32_MAX ? n : n - 1;
	rga->scan.words = (size_t)scan_points(rga, kind) + 1;
	rga->scan.seconds = kind == RGA_ANALOG ? mass_s / READINGS : mass_s;
	rga->scan.zeroes = true;
	assert(rga->scan.words <= RGA_WORDS_MAX);
	rga->due = rga->now;
	start(rga);
}

static void start_word(struct rga *rga, enum rga_scan_kind kind, int mass, double seconds)
{
	rga->scan.kind = kind;
	rga->scan.mass = mass;
	rga->scan.left = 0;
	rga->scan.words = 1;
	rga->scan.seconds = seconds;
	rga->scan.zeroes = false;
	rga->due = rga->now;
	start(rga);
}

void scan_start_mass(struct rga *rga, int mass)
{
	start_word(rga, RGA_SINGLE_MASS, mass, detector_seconds(rga->set.noise_floor));
}

void scan_start_total(struct rga *rga)
{
	start_word(rga, RGA_TOTAL, 0, detector_seconds(rga->set.noise_floor) / READINGS);
}

static int32_t measure(struct rga *rga)
{
	const struct rga_scan *scan = &rga->scan;
	bool is_scan = scan->kind == RGA_ANALOG || scan->kind == RGA_HISTOGRAM;
	if (scan->kind == RGA_TOTAL || (is_scan && scan->at == scan->words - 1))
		return detector_read_total(rga, scan->seconds);
	if (scan->kind == RGA_SINGLE_MASS)
		return detector_read_peak(rga, scan->mass, scan->seconds);
	int at = (int)scan->at;
	if (scan->kind == RGA_HISTOGRAM)
		return detector_read_peak(rga, rga->set.mass_first + at, scan->seconds);
	double mass = rga->set.mass_first + (double)at / rga->set.points;
	return detector_read(rga, mass, scan->seconds);
}

static void log_scan(struct rga *rga)
{
	static const char *const names[] = {"analog", "histogram", "mass", "total"};
	const struct rga_scan *scan = &rga->scan;
	FILE *out = sim_truth_start(rga->m, "measured");
	if (out == NULL)
		return;
	fprintf(out, ",\"kind\":\"%s\"", names[scan->kind]);
	if (scan->kind == RGA_ANALOG || scan->kind == RGA_HISTOGRAM)
		fprintf(out, ",\"mass_first\":%d,\"mass_last\":%d,\"points\":%d",
			rga->set.mass_first, rga->set.mass_last,
			scan->kind == RGA_ANALOG ? rga->set.points : 1);
	else if (scan->kind == RGA_SINGLE_MASS)
		fprintf(out, ",\"mass\":%d", scan->mass);
	fprintf(out, ",\"overrun\":%d,\"counts\":[",
		scan->overrun_at != SIZE_MAX ? scan->overrun_by : 0);
	for (size_t i = 0; i < scan->words; i++)
		fprintf(out, "%s%d", i > 0 ? "," : "", scan->counts[i]);
	fprintf(out, "],\"pressure\":%.6g", chamber_pressure(&rga->chamber));
	sim_truth_end(rga->m);
}

/* Writes a word; from an overrun on bytes are added or missing.  Returns the number of bytes. */
static size_t put_word(struct rga *rga, int32_t counts, uint8_t *to)
{
	struct rga_scan *scan = &rga->scan;
	uint32_t bits = (uint32_t)counts;
	size_t n = 0;
	for (; n < WORD; n++)
		to[n] = (uint8_t)(bits >> (8 * n));
	if (scan->at < scan->overrun_at)
		return n;
	if (scan->at == scan->overrun_at) {
		rga->deaf = OVERRUN_DEAF;
		rga_set_error(rga, RGA_TX_OVERWRITE);
	}
	for (; scan->overrun_left > 0; scan->overrun_left--)
		to[n++] = (uint8_t)random_u64(sim_random_of(rga->m));
	for (; n > 0 && scan->overrun_left < 0; scan->overrun_left++)
		n--;
	return n;
}

void scan_advance(struct rga *rga, uint64_t now)
{
	struct rga_scan *scan = &rga->scan;
	uint8_t sent[SEND_MAX];
	size_t len = 0;
	while (rga->activity == RGA_MEASURES && rga->due <= now) {
		rga->now = rga->due;
		rga_watch_pressure(rga);
		int32_t counts = measure(rga);
		scan->counts[scan->at] = counts;
		len += put_word(rga, counts, sent + len);
		bool is_last = ++scan->at == scan->words;
		if (is_last)
			log_scan(rga);
		if (len > 0 && (is_last || len > SEND_MAX - WORD - OVERRUN_MORE)) {
			sim_emit(rga->m, sent, len);
			len = 0;
		}
		if (!is_last) {
			rga->due += to_ns(scan->seconds);
		} else if (scan->left > 0) {
			scan->left -= scan->left != UINT32_MAX;
			start(rga);
		} else {
			rga->activity = RGA_IDLE;
		}
	}
	if (len > 0)
		sim_emit(rga->m, sent, len);
}
