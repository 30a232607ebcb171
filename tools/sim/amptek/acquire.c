/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire.h"

#include <math.h>
#include <string.h>

#include "framework/sim.h"

#define FULL_SCALE_KEV 20.48 /* at the device's nominal gain */
#define CHANNEL_LIMIT  0xFFFFFFu

void acquire_init(struct acquisition *a, const struct emission *source, struct sim_random *random)
{
	a->source = source;
	a->random = random;
	a->efficiency = 1;
	a->next_photon = SIM_NEVER;
	a->accumulation_armed = true;
	a->presets = (struct presets){SIM_NEVER, SIM_NEVER, SIM_NEVER, SIM_NEVER, 0, 0};
}

static double number_or(const struct settings *s, const char *name, double fallback)
{
	double v;
	return settings_number(s, name, &v) ? v : fallback;
}

static uint64_t ns_or_never(const struct settings *s, const char *name)
{
	double v;
	return settings_number(s, name, &v) ? (uint64_t)llround(v * 1e9) : SIM_NEVER;
}

static void read_shaping(struct shaping *shaping, const struct settings *s)
{
	double rise = number_or(s, "TPEA", 2), flat = number_or(s, "TFLA", 0.2), lld, threshold;
	shaping->channels = (unsigned)number_or(s, "MCAC", 1024);
	shaping->kev_full_scale = FULL_SCALE_KEV * s->device->nominal_gain /
				  number_or(s, "GAIN", 1);
	shaping->fast_ns = (uint64_t)number_or(s, "TPFA", 100) + 20;
	shaping->peaking_ns = (uint64_t)((rise + flat) * 1000);
	shaping->dead_ns = (uint64_t)((rise + flat) * 1050);
	shaping->reject_pile_up = !settings_is(s, "PURE", "OFF");
	shaping->fast_threshold_kev = number_or(s, "THFA", 0) / 1000 * shaping->kev_full_scale;
	threshold = number_or(s, "THSL", 0) / 100 * shaping->channels;
	lld = number_or(s, "TLLD", 0);
	shaping->low_channel = (unsigned)ceil(lld > threshold ? lld : threshold);
	shaping->is_mcs = settings_is(s, "MCAS", "MCS");
	shaping->mcs_low = (unsigned)number_or(s, "MCSL", 0);
	shaping->mcs_high = (unsigned)number_or(s, "MCSH", 8191);
	/* The vendor's files have the invalid MCST=0.00: the shortest time. */
	shaping->mcs_ns = (uint64_t)llround(fmax(number_or(s, "MCST", 0), 0.01) * 1e9);
}

void acquire_configure(struct acquisition *a, const struct settings *s)
{
	unsigned channels = a->shaping.channels;
	uint64_t preset = a->presets.accumulation_ns;
	bool was_mcs = a->shaping.is_mcs;
	read_shaping(&a->shaping, s);
	double counts;
	a->presets = (struct presets){.accumulation_ns = ns_or_never(s, "PRET"),
		.real_ns = ns_or_never(s, "PRER"),
		.live_ns = ns_or_never(s, "PREL"),
		.counts = settings_number(s, "PREC", &counts) ? (uint64_t)counts : SIM_NEVER,
		.low = (unsigned)number_or(s, "PRCL", 0),
		.high = (unsigned)number_or(s, "PRCH", 8191)};
	a->can_live = s->device->bit == MCA8000D;
	a->sca = s->sca;
	if (a->presets.accumulation_ns != preset)
		a->accumulation_armed = true;
	if (a->shaping.channels != channels || a->shaping.is_mcs != was_mcs)
		acquire_clear(a);
}

static void draw_photon(struct acquisition *a)
{
	double rate = a->source->rate * a->efficiency;
	a->next_photon = SIM_NEVER;
	if (a->enabled && rate > 0)
		a->next_photon = a->now + 1 +
				 (uint64_t)(-log(1 - random_unit(a->random)) / rate * 1e9);
}

void acquire_clear(struct acquisition *a)
{
	a->accumulation_ns = a->real_ns = a->live_ns = a->window_counts = 0;
	a->fast = a->slow = a->general = 0;
	a->real_reached = a->live_reached = a->counts_reached = a->mcs_finished = false;
	a->accumulation_armed = true;
	a->has_pending = false;
	memset(a->spectrum, 0, sizeof(a->spectrum));
}

/*
 * Counts the pending pulse, if it was undisturbed and is in range: in MCS mode by time, else by
 * energy, with the SCA counters and the window of the counts preset.  The energy of a channel's
 * centre is its number times the gain.
 */
static void commit_pending(struct acquisition *a)
{
	const struct shaping *s = &a->shaping;
	double place = floor(a->pending_kev / s->kev_full_scale * s->channels + 0.5);
	bool counts = a->has_pending && a->is_pending_good;
	a->has_pending = false;
	if (!counts || place < s->low_channel || place >= s->channels)
		return;
	unsigned channel = (unsigned)place;
	if (s->is_mcs) {
		uint64_t at = a->accumulation_ns / s->mcs_ns;
		if (channel >= s->mcs_low && channel <= s->mcs_high && at < s->channels) {
			a->spectrum[at]++;
			a->slow++;
		}
		return;
	}
	if (a->spectrum[channel] == CHANNEL_LIMIT)
		return;
	a->spectrum[channel]++;
	a->slow++;
	for (int i = 0; a->sca != NULL && i < SCA_COUNT; i++)
		if ((int)channel >= a->sca[i].low && (int)channel <= a->sca[i].high)
			a->sca_counts[i]++;
	if (channel >= a->presets.low && channel <= a->presets.high &&
		++a->window_counts >= a->presets.counts) {
		a->counts_reached = true;
		a->enabled = false;
		a->next_photon = SIM_NEVER;
	}
}

/* A pulse before its peak is counted too, so that spectrum and slow count agree. */
static void stop(struct acquisition *a)
{
	a->enabled = false;
	a->next_photon = SIM_NEVER;
	commit_pending(a);
}

void acquire_enable(struct acquisition *a, bool enabled)
{
	bool may_start = !a->never_counts && !a->counts_reached && !a->mcs_finished;
	if (a->enabled == enabled || (enabled && !may_start))
		return;
	if (!enabled) {
		stop(a);
		return;
	}
	a->enabled = true;
	draw_photon(a);
}

void acquire_set_efficiency(struct acquisition *a, double efficiency)
{
	if (a->efficiency == efficiency)
		return;
	a->efficiency = efficiency;
	draw_photon(a);
}

void acquire_pause(struct acquisition *a, uint64_t ns)
{
	commit_pending(a);
	if (a->enabled && a->paused_until < a->now + ns)
		a->paused_until = a->now + ns;
}

/*
 * A photon within the fast channel's resolution adds to the pending pulse.  One within the peaking
 * time spoils both pulses, or adds to it if pile-up is not rejected.
 */
static void take_photon(struct acquisition *a)
{
	const struct shaping *s = &a->shaping;
	double kev = emission_draw(a->source, a->random);
	uint64_t gap = a->last_photon > 0 ? a->now - a->last_photon : UINT64_MAX;
	a->dead_until = a->now + s->dead_ns;
	a->last_photon = a->now;
	if (a->has_pending && (gap < s->fast_ns || (!s->reject_pile_up && gap < s->peaking_ns))) {
		a->pending_kev += kev;
	} else {
		if (gap < s->peaking_ns)
			a->is_pending_good = false;
		commit_pending(a);
		a->pending_kev = kev;
		a->has_pending = a->enabled;
		a->is_pending_good = !s->reject_pile_up || gap >= s->dead_ns;
	}
	if (gap >= s->fast_ns && kev >= s->fast_threshold_kev)
		a->fast++;
	if (a->enabled)
		draw_photon(a);
}

static uint64_t remaining(uint64_t preset, uint64_t reached)
{
	if (preset == SIM_NEVER)
		return SIM_NEVER;
	return preset > reached ? preset - reached : 0;
}

static uint64_t add_time(uint64_t a, uint64_t b)
{
	return b == SIM_NEVER ? SIM_NEVER : a + b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the first time preset is reached, unless a photon arrives before. */
static uint64_t preset_time(const struct acquisition *a)
{
	uint64_t at = SIM_NEVER, live_from = a->now > a->dead_until ? a->now : a->dead_until;
	if (a->accumulation_armed)
		at = add_time(a->now, remaining(a->presets.accumulation_ns, a->accumulation_ns));
	if (!a->real_reached)
		at = least(at, add_time(a->now, remaining(a->presets.real_ns, a->real_ns)));
	if (a->can_live && !a->live_reached)
		at = least(at, add_time(live_from, remaining(a->presets.live_ns, a->live_ns)));
	if (a->shaping.is_mcs)
		at = least(at, a->now + remaining(a->shaping.mcs_ns * a->shaping.channels,
						a->accumulation_ns));
	return at;
}

static void check_presets(struct acquisition *a)
{
	if (a->accumulation_armed && a->accumulation_ns >= a->presets.accumulation_ns) {
		a->accumulation_armed = false;
		stop(a);
	}
	if (!a->real_reached && a->real_ns >= a->presets.real_ns) {
		a->real_reached = true;
		stop(a);
	}
	if (a->can_live && !a->live_reached && a->live_ns >= a->presets.live_ns) {
		a->live_reached = true;
		stop(a);
	}
	if (a->shaping.is_mcs && a->accumulation_ns >= a->shaping.mcs_ns * a->shaping.channels) {
		a->mcs_finished = true;
		stop(a);
	}
}

/* Only the real time runs.  The due photon is lost: the next one is drawn after the pause. */
static void pass_pause(struct acquisition *a, uint64_t now)
{
	uint64_t until = least(now, a->paused_until);
	if (!a->real_reached)
		until = least(until, add_time(a->now, remaining(a->presets.real_ns, a->real_ns)));
	a->real_ns += until - a->now;
	a->now = until;
	check_presets(a);
	if (a->enabled && a->now >= a->paused_until)
		draw_photon(a);
}

/* Advances to the next event: a photon, the peak of the pending pulse, a preset, or `now`. */
void acquire_advance(struct acquisition *a, uint64_t now)
{
	while (a->enabled && a->now < now) {
		if (a->now < a->paused_until) {
			pass_pause(a, now);
			continue;
		}
		uint64_t peak = a->has_pending ? a->last_photon + a->shaping.peaking_ns : SIM_NEVER;
		uint64_t until = least(least(now, preset_time(a)), least(peak, a->next_photon));
		uint64_t live_from = a->now > a->dead_until ? a->now : a->dead_until;
		a->real_ns += until - a->now;
		a->accumulation_ns += until - a->now;
		a->live_ns += until > live_from ? until - live_from : 0;
		a->now = until;
		if (until == a->next_photon)
			take_photon(a);
		else if (until == peak)
			commit_pending(a);
		check_presets(a);
	}
	if (now > a->now)
		a->now = now;
}
