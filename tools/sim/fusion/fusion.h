/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a simulated Micro GC Fusion: its system state, the run, and the last runs. */
#ifndef ASSAY_SIM_FUSION_H
#define ASSAY_SIM_FUSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column.h"
#include "framework/http.h"

#define FUSION_RUNS 8 /* kept */
#define FUSION_UUID 37

enum fusion_state {
	FUSION_READY,
	FUSION_LOADING,
	FUSION_PREPARING,
	FUSION_RUNNING,
	FUSION_BAKEOUT,
	FUSION_ERROR, /* the one of the option */
};

struct fusion_plan {
	uint32_t serial;
	unsigned rate; /* values per second */
	double noise, run_s;
	const char *run_fails; /* the state, without "public:"; "no" */
	bool sends_hex;        /* the live signal */
	int64_t started;       /* Unix seconds at time 0 */
};

struct fusion_run {
	char uuid[FUSION_UUID];
	json_t *json; /* owned; NULL: none */
};

struct fusion {
	struct sim_model *m;
	struct fusion_plan plan;

	enum fusion_state state;
	uint64_t due;                       /* of the next state; SIM_NEVER */
	const struct column_method *method; /* NULL: not loaded */
	bool runs_when_ready;
	double scale; /* of the run's peaks */
	uint64_t injected;
	json_t *annotations; /* owned; of the next run; NULL: none */
	int64_t clock_offset;

	struct fusion_run runs[FUSION_RUNS];
	unsigned n_runs; /* of all; the last is runs[(n_runs - 1) % FUSION_RUNS] */
};

/* "public:ready" and so on; static. */
const char *fusion_state_name(const struct fusion *f);

/* These return 0, or -EBUSY in a state that does not allow it, -EINVAL without a method. */
int runs_load(struct fusion *f, const struct column_method *method, uint64_t now);
int runs_start(struct fusion *f, bool when_ready, uint64_t now);
int runs_bake(struct fusion *f, uint64_t ns, uint64_t now);

/* Ends a run without data, and a bakeout. */
void runs_abort(struct fusion *f, uint64_t now);

/* Enters the states that are due until `now`. */
void runs_advance(struct fusion *f, uint64_t now);

/* The run of that id, or the last one with NULL; NULL when there is none. */
const struct fusion_run *runs_find(const struct fusion *f, const char *uuid);

/* Answers one request. */
void routes_answer(struct fusion *f, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now);

extern const struct sim_model_ops fusion_model;

#endif
