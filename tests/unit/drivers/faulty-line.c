/* SPDX-License-Identifier: Apache-2.0 */
#include "faulty-line.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS    UINT64_C(1000000)
#define TRIES 3

struct faulty_piece {
	struct faulty_piece *next;
	uint64_t at;
	bool is_reply;
	size_t len;
	uint8_t data[];
};

const struct assay_driver *faulty_line_driver(const char *module)
{
	void *handle = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	void *symbol = handle != NULL ? dlsym(handle, "assay_driver") : NULL;
	if (symbol == NULL)
		host_bug("%s: %s", module, dlerror());
	return *(const struct assay_driver *const *)symbol;
}

/* Spoils a copy of the piece, and puts it on its way. */
static void pass(struct faulty_line *line, bool is_reply, const uint8_t *data, size_t len)
{
	struct faulty_piece *piece = malloc(sizeof(*piece) + len), **end = &line->pieces;
	if (piece == NULL || len == 0)
		host_bug("a piece of %zu bytes", len);
	memcpy(piece->data, data, len);
	piece->is_reply = is_reply;
	piece->len = filter_pass(&line->filter, is_reply ? &line->filter.in : &line->filter.out,
		piece->data, len, line->now, &piece->at);
	while (*end != NULL && (*end)->at <= piece->at)
		end = &(*end)->next;
	piece->next = *end;
	*end = piece;
}

static void hear_driver(struct host *h, const uint8_t *data, size_t len)
{
	struct faulty_line *line = h->device_data;
	line->now = h->now * MS;
	pass(line, false, data, len);
}

static void hear_model(void *context, const uint8_t *data, size_t len)
{
	pass(context, true, data, len);
}

static void deliver(struct faulty_line *line)
{
	struct faulty_piece *piece = line->pieces;
	line->pieces = piece->next;
	line->now = piece->at;
	if (piece->is_reply)
		host_answer(line->h, piece->data, piece->len);
	else if (piece->len > 0)
		sim_model_input(line->model, piece->data, piece->len, piece->at);
	free(piece);
}

static uint64_t run_until_now(struct host *h)
{
	struct faulty_line *line = h->device_data;
	uint64_t now = h->now * MS, next;
	for (;;) {
		if (line->pieces != NULL && line->pieces->at <= now) {
			deliver(line);
			continue;
		}
		line->now = now;
		sim_model_tick(line->model, now);
		next = sim_model_next_wakeup(line->model, now);
		if (line->pieces != NULL && line->pieces->at < next)
			next = line->pieces->at;
		if (next > now)
			return next == SIM_NEVER ? UINT64_MAX : (next + MS - 1) / MS;
	}
}

void faulty_line_start(struct faulty_line *line, struct host *h, const struct sim_model_ops *ops,
	const char *const *options, const char *faults)
{
	char why[FAULTS_WHY];
	struct faults set;
	struct sim_options chosen = {.table = ops->options};
	*line = (struct faulty_line){.h = h};
	if (faults_read(&set, faults, why) < 0)
		host_bug("%s: %s", faults, why);
	filter_set(&line->filter, &set);
	random_init(&line->random, set.seed);
	line->truth = open_memstream(&line->log, &line->log_len);
	for (; *options != NULL; options += 2)
		if (options_set(&chosen, options[0], options[1]) < 0)
			host_bug("there is no option %s", options[0]);
	const struct sim_env env = {.emit = hear_model,
		.context = line,
		.truth = line->truth,
		.random = &line->random,
		.transport = SIM_PTY,
		.speed = 1};
	if (line->truth == NULL || sim_model_create(ops, &chosen, &env, &line->model) < 0)
		host_bug("no model");
	h->device = hear_driver;
	h->device_data = line;
	h->wake = run_until_now;
}

static void drop_pieces(struct faulty_line *line)
{
	while (line->pieces != NULL) {
		struct faulty_piece *next = line->pieces->next;
		free(line->pieces);
		line->pieces = next;
	}
}

void faulty_line_stop(struct faulty_line *line)
{
	drop_pieces(line);
	sim_model_destroy(line->model);
	fclose(line->truth);
	free(line->log);
}

const char *faulty_line_truth(struct faulty_line *line)
{
	fflush(line->truth);
	return line->log;
}

void faulty_line_ask(struct faulty_line *line, const char *request, char *reply, size_t size)
{
	const struct faults none = {0};
	size_t len = 0;
	struct host *h = line->h;
	filter_set(&line->filter, &none);
	drop_pieces(line);
	line->now = h->now * MS;
	pass(line, false, (const uint8_t *)request, strlen(request));
	for (uint64_t end = (h->now + 1000) * MS; line->now < end;) {
		if (line->pieces == NULL) {
			line->now += MS;
			sim_model_tick(line->model, line->now);
			continue;
		}
		struct faulty_piece *piece = line->pieces;
		if (!piece->is_reply) {
			deliver(line);
			continue;
		}
		line->pieces = piece->next;
		size_t n = piece->len < size - 1 - len ? piece->len : size - 1 - len;
		memcpy(reply + len, piece->data, n);
		len += n;
		free(piece);
	}
	h->now += 1000;
	reply[len] = '\0';
}

/* --- the worker ------------------------------------------------------------------------------- */

static bool may_retry(int r)
{
	return r == -ETIMEDOUT || r == -EBADMSG;
}

static int repeat(struct host *h, int (*slot)(struct assay_instrument *ins))
{
	int r = slot(&h->ins);
	for (int i = 1; i < TRIES && may_retry(r); i++)
		r = slot(&h->ins);
	return r;
}

static int acquire(struct host *h)
{
	int r = -EAGAIN;
	for (int i = 0; i < TRIES && (r == -EAGAIN || may_retry(r)); i++) {
		size_t dropped;
		if (i > 0)
			h->ins.host->drain_count(&h->ins, 0, 0, &dropped);
		h->raw.count = h->raw.total = 0;
		r = h->driver->acquire(&h->ins, &h->raw.handle);
	}
	return r;
}

static int measure(
	struct faulty_line *line, unsigned frames, void (*check)(struct faulty_line *line))
{
	struct host *h = line->h;
	int r = repeat(h, h->driver->start);
	while (r == 0 || (r == ASSAY_FRAME && line->frames < frames)) {
		r = acquire(h);
		if (r < ASSAY_FRAME)
			break;
		line->frames++;
		if (host_decode(h) < 0)
			host_bug("decode cannot read what acquire accepted");
		check(line);
	}
	int stopped = h->driver->stop(&h->ins);
	return stopped < 0 ? stopped : r;
}

int faulty_line_run(
	struct faulty_line *line, unsigned frames, void (*check)(struct faulty_line *line))
{
	struct host *h = line->h;
	int r = -EBADMSG;
	for (int i = 0; i < TRIES && may_retry(r); i++) {
		struct assay_identity id = {0};
		memset(h->ins.state, 0, h->driver->state_size);
		r = h->driver->identify(&h->ins, &id);
	}
	if (r == 0 && h->driver->configure != NULL)
		r = repeat(h, h->driver->configure);
	if (r == 0)
		r = measure(line, frames, check);
	if (r < 0 && h->hazard && h->driver->make_safe != NULL)
		repeat(h, h->driver->make_safe);
	return r;
}
