/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of a healthy daemon: each condition of an instrument that must end has a
 * time limit here.  It is measured from the last time that the condition did not hold, that the
 * daemon was not healthy, or that another configuration came into force.
 */
#include <stdio.h>
#include <string.h>

#include "worker.h"

#define WATCHED_MAX 16
#define STOPS_MAX   32
#define CREDIT_KEPT (3u << 19) /* bytes that the core gives back later, and frames under way */

#define BACKOFF_FIRST (250 * MS)
#define BACKOFF_MOST  (30 * S)
#define STEADY        (10 * S) /* after this time of work the back-off starts short */
#define LOOKED        (3 * S)  /* a look is due every 2 s, and one takes a moment */
#define PORT_CHANGES  (14 * S) /* a changed port's worker ends first */

enum condition {
	HAS_NO_WORKER,
	HAS_HUNG,
	IGNORES_QUIT,
	WAITS_FOR_GO,
	IS_IDLE,
	HAS_NO_CREDIT,
	LACKS_CREDIT,
	HAS_NO_RUN,
	HAS_NO_END,
	CONDITIONS
};

static const struct {
	uint64_t limit; /* 0: the back-off of the port */
	const char *text;
} conditions[CONDITIONS] = {
	[HAS_NO_WORKER] = {0, "has no worker"},
	[HAS_HUNG] = {23 * S, "has a worker that hangs"}, /* at rest; sooner at work */
	[IGNORES_QUIT] = {12 * S, "has a worker that got QUIT"},
	[WAITS_FOR_GO] = {4 * S, "waits for GO"},
	[IS_IDLE] = {BACKOFF_MOST + 4 * S, "starts its runs by itself and is idle"},
	[HAS_NO_CREDIT] = {4 * S, "waits for credit"},
	[LACKS_CREDIT] = {4 * S, "does not get back the credit of committed frames"},
	[HAS_NO_RUN] = {4 * S, "measures without a run"},
	[HAS_NO_END] = {8 * S, "has an open run and does not measure"},
};

struct watched {
	char key[16]; /* "": free */
	bool may_be_in_service;
	pid_t pid; /* 0: none */
	uint64_t ready_at;
	unsigned failures; /* ends of workers in a row, without steady work */
	uint64_t ended_at;
	uint64_t since[CONDITIONS]; /* it holds since then; 0: it does not hold */
};

struct stop {
	char number[100]; /* "": free */
	uint64_t at;
};

static struct watched watched[WATCHED_MAX];
static struct stop stops[STOPS_MAX];
static uint64_t clock_set_at; /* and not recorded yet; 0: it is */

static struct watched *find(const char *key)
{
	for (size_t i = 0; i < WATCHED_MAX; i++) {
		struct watched *w = &watched[i];
		if (w->key[0] == '\0')
			snprintf(w->key, sizeof w->key, "%s", key);
		if (strcmp(w->key, key) == 0)
			return w;
	}
	wrong("more than %d instruments are watched", WATCHED_MAX);
	return &watched[0];
}

void progress_open(void)
{
	memset(watched, 0, sizeof watched);
	progress_forget();
}

void progress_forget(void)
{
	memset(stops, 0, sizeof stops);
	clock_set_at = 0;
	for (size_t i = 0; i < WATCHED_MAX; i++) {
		memset(watched[i].since, 0, sizeof watched[i].since);
		watched[i].may_be_in_service = false;
		watched[i].failures = 0;
		watched[i].pid = 0;
	}
}

void progress_service(const char *key, bool on)
{
	find(key)->may_be_in_service = on;
}

void progress_clock_set(int64_t by)
{
	bool is_small = by < (int64_t)(20 * MS) && by > -(int64_t)(20 * MS);
	if (!is_small)
		clock_set_at = now_boot();
}

void progress_audited(const char *event)
{
	if (strcmp(event, "clock-step") == 0)
		clock_set_at = 0;
}

void progress_stopped(const char *number)
{
	for (size_t i = 0; i < STOPS_MAX; i++) {
		if (stops[i].number[0] != '\0')
			continue;
		snprintf(stops[i].number, sizeof stops[i].number, "%s", number);
		stops[i].at = now_boot();
		return;
	}
}

/* --- workers --------------------------------------------------------------------------------- */

void progress_worker(const char *key, pid_t pid)
{
	struct watched *w = find(key);
	w->pid = pid;
	w->ready_at = 0;
	w->since[HAS_NO_WORKER] = 0; /* it may be gone before the next look */
}

void progress_ready(const char *key)
{
	struct watched *w = find(key);
	if (w->ready_at == 0)
		w->ready_at = now_boot();
}

void progress_worker_ended(const char *key, pid_t pid)
{
	struct watched *w = find(key);
	if (w->pid != pid) /* the instrument has another port now */
		return;
	bool was_steady = w->ready_at != 0 && now_boot() > w->ready_at + STEADY + S;
	w->failures = was_steady ? 1 : w->failures + 1;
	w->pid = 0;
}

/* The longest time until the next worker, with the time that this one needs to read its SETUP. */
static uint64_t longest_backoff(const struct watched *w)
{
	uint64_t wait = BACKOFF_FIRST;
	for (unsigned i = 1; i < w->failures && wait < BACKOFF_MOST; i++)
		wait *= 2;
	return (wait < BACKOFF_MOST ? wait : BACKOFF_MOST) + 2 * S;
}

/* --- looking --------------------------------------------------------------------------------- */

static void hold(struct watched *w, enum condition condition, bool holds, uint64_t from)
{
	uint64_t *since = &w->since[condition];
	if (!holds)
		*since = 0;
	else if (*since == 0)
		*since = now_boot();
	if (!holds)
		return;
	if (*since > from)
		from = *since;
	uint64_t limit = conditions[condition].limit;
	if (limit == 0)
		limit = longest_backoff(w);
	if (now_boot() <= from + limit + LOOKED)
		return;
	wrong("%s %s for %llu s", w->key, conditions[condition].text,
		(unsigned long long)((now_boot() - from) / S));
}

static bool measures(const struct sim_unit *u)
{
	return u != NULL && u->measurement != NULL;
}

static void look_at_unit(struct watched *w, const struct sim_unit *u, uint64_t from)
{
	const struct site_instrument *instrument = site_in_force(w->key);
	const struct worker *worker = u != NULL ? u->worker : NULL;
	bool works = worker != NULL && !worker->is_mute && !worker->is_leaving;
	bool is_at_rest = works && u->state.phase == UNIT_READY && u->pending == 0;
	bool by_itself = instrument != NULL && instrument->mode != CONFIG_ON_DEMAND;
	bool delivers = works && worker->running == u &&
			(u->state.phase == UNIT_DELIVER || u->state.phase == UNIT_DELIVER_LAST);
	bool is_open = truth_open_run(w->key) != NULL;
	bool is_starting = works && (u->state.owes == UNIT_OWES_ANSWER || u->pending != 0);
	bool is_honest = worker == NULL || !worker->sent_garbage;
	hold(w, HAS_NO_WORKER, instrument != NULL && worker == NULL, from + PORT_CHANGES);
	hold(w, HAS_HUNG, worker != NULL && worker->is_hung, from);
	hold(w, IGNORES_QUIT, worker != NULL && worker->got_quit, from);
	hold(w, WAITS_FOR_GO, works && u->state.phase == UNIT_IDENTIFIED && u->pending == 0, from);
	hold(w, IS_IDLE, is_at_rest && by_itself && !w->may_be_in_service, from);
	hold(w, HAS_NO_CREDIT, delivers, from);
	hold(w, LACKS_CREDIT, works && worker->credit + CREDIT_KEPT < worker->first_credit, from);
	hold(w, HAS_NO_RUN, works && measures(u) && worker->out.len == 0 && !is_open, from);
	hold(w, HAS_NO_END, is_honest && !measures(u) && !is_starting && is_open, from);
}

static void look_at_stops(uint64_t from)
{
	for (size_t i = 0; i < STOPS_MAX; i++) {
		struct stop *stop = &stops[i];
		if (stop->number[0] == '\0')
			continue;
		const struct truth_run *run = truth_run(stop->number, strlen(stop->number));
		if (run == NULL || run->status[0] != '\0')
			stop->number[0] = '\0';
		else if (now_boot() > (stop->at > from ? stop->at : from) + SLOTS_TAKE)
			wrong("%s was stopped, and does not end", stop->number);
	}
}

void progress_look(void)
{
	uint64_t since = healthy_since(), changed = site_in_force_since();
	if (since == NEVER)
		return;
	look_at_stops(since);
	uint64_t set_at = clock_set_at > since ? clock_set_at : since;
	if (clock_set_at != 0 && now_boot() > set_at + LOOKED)
		wrong("the clock was set, and that is not recorded");
	if (changed == NEVER)
		return;
	for (size_t i = 0; i < WATCHED_MAX && watched[i].key[0] != '\0'; i++)
		look_at_unit(&watched[i], worker_unit(watched[i].key),
			since > changed ? since : changed);
	for (size_t i = 0; i < site.count; i++)
		find(site.list[i].key);
}
