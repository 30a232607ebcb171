/* SPDX-License-Identifier: Apache-2.0 */
/* People and programs at the control socket: their requests, and whether the answers are true. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define PENDING_MAX 40
#define QUICK       (5 * S) /* most operations are answered at once */
#define LAG         (2 * S) /* by which a list may be behind */

enum op {
	OP_START,
	OP_STOP,
	OP_ABORT,
	OP_REPEAT,
	OP_AMEND,
	OP_SET,
	OP_MAINTENANCE,
	OP_RELOAD,
	OP_STATUS,
	OP_RUNS,
	OP_SHOW,
	OP_OTHER
};

struct pending {
	uint32_t peer; /* 0: free */
	enum op op;
	uint64_t sent;
	char key[16], sample[32], number[100];
	bool on;
};

static struct pending pending[PENDING_MAX];
static uint32_t last_peer, forgotten; /* peers up to this one get no answer any more */
static unsigned last_sample;

static struct pending *find(uint32_t peer)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (pending[i].peer == peer)
			return &pending[i];
	}
	return NULL;
}

/* --- requests -------------------------------------------------------------------------------- */

static const char *const names[] = {[OP_START] = "run-start",
	[OP_STOP] = "run-stop",
	[OP_ABORT] = "run-abort",
	[OP_REPEAT] = "run-repeat",
	[OP_AMEND] = "amend",
	[OP_SET] = "set",
	[OP_MAINTENANCE] = "maintenance",
	[OP_RELOAD] = "reload",
	[OP_STATUS] = "status",
	[OP_RUNS] = "runs",
	[OP_SHOW] = "run-show",
	[OP_OTHER] = "help"};

static enum op choose(void)
{
	static const struct {
		enum op op;
		unsigned weight;
	} table[] = {{OP_START, 30}, {OP_STOP, 8}, {OP_ABORT, 4}, {OP_REPEAT, 5}, {OP_AMEND, 10},
		{OP_SET, 6}, {OP_MAINTENANCE, 5}, {OP_RELOAD, 3}, {OP_STATUS, 12}, {OP_RUNS, 8},
		{OP_SHOW, 6}, {OP_OTHER, 3}};
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		sum += table[i].weight;
	unsigned at = (unsigned)dice(sum);
	size_t i = 0;
	for (; at >= table[i].weight; i++)
		at -= table[i].weight;
	return table[i].op;
}

static void put_amend(struct map *map, struct pending *p)
{
	struct map set;
	map_key(map, "set");
	map_open(&set, map->to);
	map_text(&set, "sample", p->sample);
	if (dice_one_in(3))
		map_bool(&set, "valid", false);
	map_close(&set);
	if (!dice_one_in(8))
		map_text(map, "reason", "a typing error");
}

static void put_set(struct map *map)
{
	struct map set;
	map_key(map, "settings");
	map_open(&set, map->to);
	map_uint(&set, dice_one_in(10) ? "levle" : "level", dice(9));
	map_close(&set);
}

static void write_request(struct buffer *to, struct pending *p)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", names[p->op]);
	bool of_instrument = p->op <= OP_ABORT || p->op == OP_SET || p->op == OP_MAINTENANCE;
	if (of_instrument)
		map_text(&map, "instrument", p->key);
	if (p->op == OP_START && p->sample[0] != '\0')
		map_text(&map, "sample", p->sample);
	if (p->op == OP_START && dice_one_in(3))
		map_text(&map, "method", SITE_METHOD);
	if (p->op == OP_REPEAT || p->op == OP_AMEND)
		map_text(&map, "run", p->number);
	if (p->op == OP_SHOW)
		map_text(&map, "number", p->number);
	if (p->op == OP_AMEND)
		put_amend(&map, p);
	if (p->op == OP_SET)
		put_set(&map);
	p->on = p->op == OP_MAINTENANCE && dice_one_in(3);
	if (p->on)
		progress_service(p->key, true);
	if (p->op == OP_MAINTENANCE)
		map_bool(&map, "on", p->on);
	if (p->op == OP_RELOAD)
		map_bool(&map, "now", dice_one_in(2));
	if (p->op == OP_RUNS)
		map_uint(&map, "limit", dice_time(1, 60));
	map_close(&map);
}

static void ask_for(enum op op)
{
	struct pending *p = find(0);
	if (p == NULL || !system_is_running())
		return;
	*p = (struct pending){.op = op, .sent = now_boot()};
	snprintf(p->key, sizeof p->key, "%s", site.list[dice(site.count)].key);
	if (!dice_one_in(10))
		snprintf(p->sample, sizeof p->sample, "S-%u", ++last_sample);
	const struct truth_run *run = truth_any_run();
	snprintf(p->number, sizeof p->number, "%s", run != NULL ? run->number : "none");
	if (p->op == OP_RELOAD)
		site_change(dice_one_in(5));
	struct buffer request = {0};
	write_request(&request, p);
	uint32_t peer = ++last_peer;
	p->peer = system_request(SITE_CONTROL, peer, request.data, request.len) ? peer : 0;
	note("client %u: %s %s %s%s", peer, names[p->op], p->key, p->number, p->on ? " on" : "");
	buffer_finish(&request);
}

static void ask(void *arg)
{
	event_in(dice_time(S, 200 * S), ask, NULL);
	ask_for(choose());
}

static void look_up(void *arg)
{
	ask_for(dice_one_in(2) ? OP_RUNS : OP_STATUS);
}

void clients_notice(void)
{
	if (dice_one_in(8))
		event_in(dice_time(10 * US, 50 * MS), look_up, NULL);
}

void clients_open(void)
{
	memset(pending, 0, sizeof pending);
	event_in(dice_time(S, 60 * S), ask, NULL);
}

void clients_forget(void)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		pending[i].peer = 0;
	forgotten = last_peer;
	progress_forget();
}

void clients_look(void)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		const struct pending *p = &pending[i];
		bool waits = p->op == OP_START || p->op == OP_REPEAT || p->op == OP_SET;
		uint64_t limit = waits ? SLOTS_TAKE : QUICK;
		/* without a commit there is an answer while the disk is in trouble, too */
		uint64_t since = p->op >= OP_STATUS ? ready_since() : healthy_since();
		uint64_t from = p->sent > since ? p->sent : since;
		if (p->peer != 0 && since != NEVER && now_boot() > from + limit)
			wrong("%s of %s is not answered within %llu s", names[p->op], p->key,
				(unsigned long long)(limit / S));
	}
}

/* --- answers --------------------------------------------------------------------------------- */

struct answer {
	bool ok;
	struct assay_string code, text, number;
	struct assay_span run, runs, instruments, journal;
};

static void read_error(struct reader *r, struct answer *answer)
{
	struct assay_string key;
	size_t pairs = 0;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "code"))
			read_text(r, &answer->code);
		else if (assay_string_is(key, "text"))
			read_text(r, &answer->text);
		else
			read_skip(r);
	}
}

static int read_answer(const struct system_part *part, struct answer *answer)
{
	struct reader r;
	struct assay_string key;
	size_t pairs = 0;
	*answer = (struct answer){0};
	read_init(&r, part->data, part->len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "ok"))
			read_bool(&r, &answer->ok);
		else if (assay_string_is(key, "error"))
			read_error(&r, answer);
		else if (assay_string_is(key, "number"))
			read_text(&r, &answer->number);
		else if (assay_string_is(key, "run"))
			read_raw(&r, &answer->run);
		else if (assay_string_is(key, "runs"))
			read_raw(&r, &answer->runs);
		else if (assay_string_is(key, "instruments"))
			read_raw(&r, &answer->instruments);
		else if (assay_string_is(key, "journal"))
			read_raw(&r, &answer->journal);
		else
			read_skip(&r);
	}
	return read_finish(&r);
}

/* The run of a number in an answer: it must be committed. */
static const struct truth_run *committed_run(const struct pending *p, struct assay_string number)
{
	const struct truth_run *run = truth_run(number.data, number.len);
	if (run == NULL)
		wrong("%s reports run %.*s, which is not committed", names[p->op], (int)number.len,
			number.data);
	return run;
}

static bool same(struct assay_string text, const char *expected)
{
	return assay_string_is(text, expected[0] != '\0' ? expected : "none");
}

static void check_started(const struct pending *p, const struct answer *answer)
{
	const struct truth_run *run = committed_run(p, answer->number);
	if (run == NULL)
		return;
	if (run->started < p->sent)
		wrong("%s is answered with the older run %s", names[p->op], run->number);
	if (p->op == OP_START && strcmp(run->key, p->key) != 0)
		wrong("a run of %s was requested, the answer is %s", p->key, run->number);
	struct assay_string sample = {run->first_sample, strlen(run->first_sample)};
	if (p->op == OP_START && !same(sample, p->sample))
		wrong("%s has sample %s, %s was given", run->number, run->first_sample, p->sample);
}

static void check_stopped(const struct pending *p, struct assay_string number)
{
	const struct truth_run *run = committed_run(p, number);
	if (run != NULL)
		progress_stopped(run->number);
}

struct row {
	struct assay_string number, status, sample, amended;
	uint64_t last, frames;
};

static void read_amended(struct reader *r, struct row *row)
{
	struct assay_string key;
	size_t pairs = 0;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "sample"))
			read_text(r, &row->amended);
		else
			read_skip(r);
	}
}

static void read_row(struct reader *r, struct row *row)
{
	struct assay_string key;
	size_t pairs = 0;
	*row = (struct row){0};
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "number"))
			read_text(r, &row->number);
		else if (assay_string_is(key, "status"))
			read_text(r, &row->status);
		else if (assay_string_is(key, "sample"))
			read_text(r, &row->sample);
		else if (assay_string_is(key, "amended"))
			read_amended(r, row);
		else if (assay_string_is(key, "last"))
			read_uint(r, &row->last);
		else if (assay_string_is(key, "frames"))
			read_uint(r, &row->frames);
		else
			read_skip(r);
	}
}

static void check_row(const struct pending *p, struct reader *r)
{
	struct row row;
	read_row(r, &row);
	const struct truth_run *run = committed_run(p, row.number);
	if (run == NULL || run->is_unsure)
		return;
	bool has_ended = run->status[0] != '\0';
	bool may_lag = has_ended && now_boot() < run->ended + LAG;
	if (row.status.len > 0 ? !assay_string_is(row.status, run->status) : has_ended && !may_lag)
		wrong("%s reports that %s is %.*s, committed is %s", names[p->op], run->number,
			row.status.len > 0 ? (int)row.status.len : 4,
			row.status.len > 0 ? row.status.data : "open",
			has_ended ? run->status : "no end");
	if (row.status.len > 0 && row.last != (run->ends_elsewhere ? 0 : run->last))
		wrong("%s reports that %s ends with entry %llu, it is %llu", names[p->op],
			run->number, (unsigned long long)row.last, (unsigned long long)run->last);
	if (row.status.len > 0 && row.frames != run->frames)
		wrong("%s reports %llu frames of %s, committed are %llu", names[p->op],
			(unsigned long long)row.frames, run->number,
			(unsigned long long)run->frames);
	if (row.frames > run->frames)
		wrong("%s reports %llu frames of %s, committed are %llu", names[p->op],
			(unsigned long long)row.frames, run->number,
			(unsigned long long)run->frames);
	if (!same(row.sample, run->first_sample))
		wrong("%s reports another sample of %s", names[p->op], run->number);
	if (row.amended.len > 0 && run->amends == 0)
		wrong("%s reports a correction of %s that is not committed", names[p->op],
			run->number);
	if (p->op == OP_AMEND && run->amends == 0)
		wrong("the correction of %s is answered before it is committed", run->number);
}

static void check_runs(const struct pending *p, struct assay_span runs)
{
	struct reader r;
	size_t count = 0;
	read_init(&r, runs.data, runs.len);
	read_array(&r, &count);
	for (; count > 0 && r.error == 0; count--)
		check_row(p, &r);
}

static void check_open_run(const struct pending *p, struct reader *r)
{
	struct row row;
	read_row(r, &row);
	const struct truth_run *run = committed_run(p, row.number);
	if (run != NULL && row.frames > run->frames)
		wrong("status reports %llu frames of %s, committed are %llu",
			(unsigned long long)row.frames, run->number,
			(unsigned long long)run->frames);
}

static void check_instrument(const struct pending *p, struct reader *r)
{
	struct assay_string key, number;
	size_t pairs = 0;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "run"))
			check_open_run(p, r);
		else if (assay_string_is(key, "interrupted") && read_text(r, &number) == 0)
			committed_run(p, number);
		else
			read_skip(r);
	}
}

static void check_status(const struct pending *p, const struct answer *answer)
{
	struct reader r;
	size_t count = 0;
	read_init(&r, answer->instruments.data, answer->instruments.len);
	read_array(&r, &count);
	for (; count > 0 && r.error == 0; count--)
		check_instrument(p, &r);
}

static void check(const struct pending *p, const struct answer *answer)
{
	struct reader r;
	switch (p->op) {
	case OP_START:
	case OP_REPEAT: check_started(p, answer); break;
	case OP_STOP:
	case OP_ABORT:
		if (answer->number.len > 0)
			check_stopped(p, answer->number);
		break;
	case OP_SET:
		if (answer->number.len > 0)
			committed_run(p, answer->number);
		break;
	case OP_AMEND:
	case OP_SHOW:
		read_init(&r, answer->run.data, answer->run.len);
		check_row(p, &r);
		break;
	case OP_RUNS: check_runs(p, answer->runs); break;
	case OP_STATUS: check_status(p, answer); break;
	default: break;
	}
}

void client_replied(uint32_t peer, const struct system_part *parts, size_t count)
{
	struct pending *p = find(peer);
	struct answer answer;
	if (p == NULL && peer > forgotten)
		wrong("the request of client %u is answered twice", peer);
	if (p == NULL)
		return;
	struct pending asked = *p;
	p->peer = 0;
	if (count != 1 || read_answer(&parts[0], &answer) < 0) {
		wrong("an answer to %s cannot be read", names[asked.op]);
		return;
	}
	note("client %u: %s: %s %.*s%.*s", peer, names[asked.op], answer.ok ? "ok" : "refused",
		(int)answer.number.len, answer.number.data, (int)answer.text.len, answer.text.data);
	if (answer.ok && truth_is_complete())
		check(&asked, &answer);
	if (answer.ok && asked.op == OP_MAINTENANCE && !asked.on)
		progress_service(asked.key, false);
}
