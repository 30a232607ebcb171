/* SPDX-License-Identifier: Apache-2.0 */
/* States in turn: preparing, running, preparing, ready; times are those seen on a real unit. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "fusion.h"

#define S         UINT64_C(1000000000)
#define LOAD_S    2
#define PREPARE_S 27
#define COOL_S    120
#define SPREAD    0.02 /* of the injected amount */
#define WIDTH     4    /* of a peak, in standard deviations to each side */

const char *fusion_state_name(const struct fusion *f)
{
	static const char *const names[] = {
		[FUSION_READY] = "ready",
		[FUSION_LOADING] = "loading-method",
		[FUSION_PREPARING] = "preparing",
		[FUSION_RUNNING] = "method-running",
		[FUSION_BAKEOUT] = "bakeout",
		[FUSION_ERROR] = NULL,
	};
	return f->state == FUSION_ERROR ? f->plan.run_fails : names[f->state];
}

static void enter(struct fusion *f, enum fusion_state state, uint64_t until)
{
	f->state = state;
	f->due = until;
}

int runs_load(struct fusion *f, const struct column_method *method, uint64_t now)
{
	if (f->state == FUSION_RUNNING || f->state == FUSION_BAKEOUT)
		return -EBUSY;
	f->method = method;
	enter(f, FUSION_LOADING, now + LOAD_S * S);
	return 0;
}

static void prepare_run(struct fusion *f, uint64_t now)
{
	f->runs_when_ready = true;
	enter(f, FUSION_PREPARING, now + PREPARE_S * S);
}

int runs_start(struct fusion *f, bool when_ready, uint64_t now)
{
	if (f->method == NULL)
		return -EINVAL;
	if (f->state == FUSION_RUNNING || f->state == FUSION_ERROR ||
		(f->state != FUSION_READY && !when_ready))
		return -EBUSY;
	if (f->state == FUSION_READY)
		prepare_run(f, now);
	else
		f->runs_when_ready = true;
	return 0;
}

int runs_bake(struct fusion *f, uint64_t ns, uint64_t now)
{
	if (f->state != FUSION_READY)
		return -EBUSY;
	enter(f, FUSION_BAKEOUT, now + ns);
	return 0;
}

void runs_abort(struct fusion *f, uint64_t now)
{
	if (f->state == FUSION_RUNNING)
		sim_truth(f->m, "aborted", ",\"seconds\":%.0f",
			(double)(now - f->injected) / (double)S);
	f->runs_when_ready = false;
	enter(f, f->state == FUSION_RUNNING ? FUSION_PREPARING : FUSION_READY,
		f->state == FUSION_RUNNING ? now + COOL_S * S : SIM_NEVER);
}

static void make_uuid(struct sim_random *random, char uuid[FUSION_UUID])
{
	uint64_t a = random_u64(random), b = random_u64(random);
	snprintf(uuid, FUSION_UUID, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32),
		(unsigned)(a >> 16) & 0xFFFF, (unsigned)a & 0xFFF, (unsigned)(b >> 52),
		(unsigned long long)b & 0xFFFFFFFFFFFF);
}

static json_t *make_peaks(const struct fusion *f, size_t module)
{
	json_t *peaks = json_array();
	double sum = 0;
	for (size_t m = 0; m < COLUMN_MODULES; m++)
		for (size_t i = 0; i < COLUMN_PEAKS; i++)
			sum += f->method->peaks[m][i].share * f->scale;
	for (size_t i = 0; i < COLUMN_PEAKS && f->method->peaks[module][i].time > 0; i++) {
		const struct column_peak *peak = &f->method->peaks[module][i];
		double area = peak->share * peak->response * f->scale;
		double height = area / (peak->sigma * sqrt(2 * M_PI));
		json_t *row = json_pack("{s:f,s:f,s:f,s:f,s:f,s:f}", "top", peak->time, "start",
			peak->time - WIDTH * peak->sigma, "end", peak->time + WIDTH * peak->sigma,
			"area", area, "height", height, "snr", height / fmax(f->plan.noise, 1e-3));
		if (peak->label != NULL) {
			double share = peak->share * f->scale;
			json_object_set_new(row, "label", json_string(peak->label));
			json_object_set_new(row, "concentration", json_real(share));
			json_object_set_new(
				row, "normalizedConcentration", json_real(100 * share / sum));
		}
		json_array_append_new(peaks, row);
	}
	return peaks;
}

static json_t *make_detector(struct fusion *f, size_t module)
{
	json_t *values = json_array();
	size_t n = (size_t)(f->plan.run_s * f->plan.rate);
	for (size_t i = 0; i < n; i++) {
		double signal = column_signal(
			f->method, module, (double)i / f->plan.rate, f->scale);
		signal += f->plan.noise * random_normal(sim_random_of(f->m));
		json_array_append_new(values, json_integer((json_int_t)lrint(signal)));
	}
	return json_pack("{s:i,s:i,s:o,s:{s:o}}", "nValuesPerSecond", (int)f->plan.rate,
		"nValuesExpected", (int)n, "values", values, "analysis", "peaks",
		make_peaks(f, module));
}

static void log_run(struct fusion *f, const struct fusion_run *run)
{
	FILE *out = sim_truth_start(f->m, "measured");
	if (out == NULL)
		return;
	fprintf(out, ",\"uuid\":\"%s\",\"method\":\"%s\",\"scale\":%.9g", run->uuid,
		f->method->name, f->scale);
	sim_truth_end(f->m);
}

static void store_run(struct fusion *f)
{
	struct fusion_run *run = &f->runs[f->n_runs++ % FUSION_RUNS];
	char when[40];
	time_t seconds = (time_t)(f->plan.started + f->clock_offset + (int64_t)(f->injected / S));
	struct tm utc = {0};
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
	json_decref(run->json);
	make_uuid(sim_random_of(f->m), run->uuid);
	run->json = json_pack("{s:s,s:s,s:s,s:{s:s},s:{}}", "$id", run->uuid, "runTimeStamp", when,
		"methodName", f->method->name, "softwareVersion", "version", "simulated",
		"detectors");
	json_object_set_new(
		run->json, "annotations", f->annotations != NULL ? f->annotations : json_object());
	f->annotations = NULL;
	for (size_t i = 0; i < COLUMN_MODULES; i++) {
		char name[] = "moduleA:tcd";
		name[6] = (char)('A' + i);
		json_object_set_new(
			json_object_get(run->json, "detectors"), name, make_detector(f, i));
	}
	log_run(f, run);
}

static void inject(struct fusion *f)
{
	f->runs_when_ready = false;
	if (strcmp(f->plan.run_fails, "no") != 0) {
		enter(f, FUSION_ERROR, SIM_NEVER);
		return;
	}
	f->injected = f->due;
	f->scale = 1 + SPREAD * random_normal(sim_random_of(f->m));
	enter(f, FUSION_RUNNING, f->due + (uint64_t)(f->plan.run_s * (double)S));
}

void runs_advance(struct fusion *f, uint64_t now)
{
	while (f->due <= now) {
		switch (f->state) {
		case FUSION_LOADING: enter(f, FUSION_PREPARING, f->due + PREPARE_S * S); break;
		case FUSION_PREPARING:
			if (f->runs_when_ready)
				inject(f);
			else
				enter(f, FUSION_READY, SIM_NEVER);
			break;
		case FUSION_RUNNING:
			store_run(f);
			enter(f, FUSION_PREPARING, f->due + COOL_S * S);
			break;
		case FUSION_BAKEOUT: enter(f, FUSION_PREPARING, f->due + COOL_S * S); break;
		case FUSION_READY:
		case FUSION_ERROR: f->due = SIM_NEVER; break;
		}
	}
}

const struct fusion_run *runs_find(const struct fusion *f, const char *uuid)
{
	unsigned kept = f->n_runs < FUSION_RUNS ? f->n_runs : FUSION_RUNS;
	for (unsigned i = 1; i <= kept; i++) {
		const struct fusion_run *run = &f->runs[(f->n_runs - i) % FUSION_RUNS];
		if (uuid == NULL || strcmp(run->uuid, uuid) == 0)
			return run;
	}
	return NULL;
}
