/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop-ops.h"
#include "virtual-loop.h"

#define NEVER   UINT64_MAX
#define FDS_MAX 256

struct virtual_source {
	struct list link; /* virtual_loop.sources, in the order of adding */
	struct loop_source *source;
	uint64_t deadline;    /* timer; NEVER: unset */
	bool raised;          /* idle, signal, folder, child: to be run */
	siginfo_t info;       /* child */
	uint32_t events;      /* fd: those that hold now */
	uint64_t ready_since; /* turn; 0: not ready */
	char *path;           /* folder */
};

struct virtual_loop {
	struct loop base; /* first */
	const struct virtual_host *host;
	struct list sources;
	uint64_t turn;
	bool stopping;
	int code;
};

/* --- the clocks when there is no host -------------------------------------------------------- */

static struct {
	uint64_t boot, utc;
} clocks;

static uint64_t read_boot(void *arg)
{
	return clocks.boot;
}

static uint64_t read_utc(void *arg)
{
	return clocks.utc;
}

static void jump(void *arg, uint64_t until)
{
	if (until > clocks.boot) {
		clocks.utc += until - clocks.boot;
		clocks.boot = until;
	}
}

static int poll_now(void *arg, struct pollfd *fds, nfds_t count)
{
	return poll(fds, count, 0);
}

static const struct virtual_host alone = {.now = read_boot, .wait = jump, .poll = poll_now};

static void take_clocks(void)
{
	static const struct clock_source source = {.utc = read_utc, .boot = read_boot};
	if (clocks.boot == 0) {
		clocks.boot = 1000 * NS_PER_S;
		clocks.utc = VIRTUAL_UTC;
	}
	clock_replace(&source);
}

void virtual_clock_release(void)
{
	clock_replace(NULL);
}

void virtual_clock_step(int64_t ns)
{
	clocks.utc += (uint64_t)ns;
}

void virtual_clock_sleep(uint64_t ns)
{
	clocks.boot += ns;
	clocks.utc += ns;
}

/* --- sources --------------------------------------------------------------------------------- */

static struct virtual_loop *loop_of(const struct loop *loop)
{
	return (struct virtual_loop *)(uintptr_t)loop;
}

static int virtual_add(struct loop_source *source)
{
	struct virtual_source *v = calloc(1, sizeof *v);
	if (v == NULL)
		return -ENOMEM;
	if (source->kind == LOOP_FOLDER) {
		if (access(source->path, F_OK) < 0) {
			free(v);
			return -ENOENT;
		}
		v->path = strdup(source->path);
	}
	v->source = source;
	v->deadline = NEVER;
	source->data = v;
	list_append(&loop_of(source->loop)->sources, &v->link);
	return 0;
}

static void virtual_set(struct loop_source *source, uint64_t value)
{
	struct virtual_source *v = source->data;
	const struct virtual_host *host = loop_of(source->loop)->host;
	v->ready_since = 0;
	if (source->kind == LOOP_TIMER)
		v->deadline = host->now(host->arg) + value;
	else if (source->kind == LOOP_IDLE)
		v->raised = value != 0;
}

static void source_free(struct virtual_source *v)
{
	list_remove(&v->link);
	free(v->path);
	free(v);
}

static void virtual_drop(struct loop_source *source)
{
	source_free(source->data);
}

/* --- turns ----------------------------------------------------------------------------------- */

static void look_at_descriptors(struct virtual_loop *loop)
{
	struct pollfd fds[FDS_MAX];
	struct virtual_source *of[FDS_MAX], *v;
	nfds_t count = 0;
	list_for_each(v, &loop->sources, link)
	{
		v->events = 0;
		if (v->source->kind != LOOP_FD || count == FDS_MAX)
			continue;
		fds[count] = (struct pollfd){
			.fd = v->source->fd, .events = (short)v->source->events};
		of[count++] = v;
	}
	if (count == 0 || loop->host->poll(loop->host->arg, fds, count) <= 0)
		return;
	for (nfds_t i = 0; i < count; i++)
		of[i]->events = (uint32_t)fds[i].revents; /* POLLIN is EPOLLIN, and so on */
}

static bool is_ready(const struct virtual_source *v, uint64_t now)
{
	switch (v->source->kind) {
	case LOOP_TIMER: return v->deadline <= now;
	case LOOP_FD: return v->events != 0;
	default: return v->raised;
	}
}

/* NULL: none is ready; *next is when a timer will be. */
static struct virtual_source *choose(struct virtual_loop *loop, uint64_t *next)
{
	uint64_t now = loop->host->now(loop->host->arg);
	struct virtual_source *v, *chosen = NULL, *idle = NULL;
	look_at_descriptors(loop);
	loop->turn++;
	*next = NEVER;
	list_for_each(v, &loop->sources, link)
	{
		if (v->source->kind == LOOP_TIMER && v->deadline < *next)
			*next = v->deadline;
		if (!is_ready(v, now))
			v->ready_since = 0;
		else if (v->ready_since == 0)
			v->ready_since = loop->turn;
		if (v->ready_since == 0)
			continue;
		struct virtual_source **best = v->source->kind == LOOP_IDLE ? &idle : &chosen;
		if (*best == NULL || v->ready_since < (*best)->ready_since)
			*best = v;
	}
	return chosen != NULL ? chosen : idle;
}

/* The function may drop the source. */
static void dispatch(struct virtual_source *v)
{
	struct loop_source *source = v->source;
	siginfo_t info = v->info;
	uint32_t events = v->events;
	v->ready_since = 0;
	v->deadline = NEVER;
	v->raised = false;
	switch (source->kind) {
	case LOOP_FD: source->fn.ready(source->arg, events); break;
	case LOOP_CHILD: source->fn.exited(source->arg, &info); break;
	default: source->fn.call(source->arg); break;
	}
}

static int run_until(struct virtual_loop *loop, uint64_t until)
{
	const struct virtual_host *host = loop->host;
	while (!loop->stopping) {
		uint64_t next;
		struct virtual_source *v = choose(loop, &next);
		if (v == NULL && next == NEVER && until == NEVER && host == &alone)
			return -EDEADLK;
		if (v == NULL && host->now(host->arg) >= until)
			return 0;
		if (v != NULL)
			dispatch(v);
		else
			host->wait(host->arg, next < until ? next : until);
	}
	loop->stopping = false;
	return loop->code;
}

static int virtual_run(struct loop *loop)
{
	return run_until(loop_of(loop), NEVER);
}

int virtual_loop_run_for(struct loop *base, uint64_t ns)
{
	struct virtual_loop *loop = loop_of(base);
	return run_until(loop, loop->host->now(loop->host->arg) + ns);
}

static void virtual_stop(struct loop *base, int code)
{
	loop_of(base)->stopping = true;
	loop_of(base)->code = code;
}

static void virtual_close(struct loop *base)
{
	free(base);
}

static const struct loop_ops virtual_ops = {
	.add = virtual_add,
	.set = virtual_set,
	.drop = virtual_drop,
	.run = virtual_run,
	.stop = virtual_stop,
	.close = virtual_close,
};

int virtual_loop_open(struct loop **out, const struct virtual_host *host)
{
	struct virtual_loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return -ENOMEM;
	loop_init(&loop->base, &virtual_ops);
	list_init(&loop->sources);
	loop->host = host != NULL ? host : &alone;
	if (host == NULL)
		take_clocks();
	*out = &loop->base;
	return 0;
}

void virtual_loop_abandon(struct loop *base)
{
	struct virtual_loop *loop = loop_of(base);
	struct virtual_source *v;
	list_for_each(v, &loop->sources, link) source_free(v);
	free(loop);
}

/* --- from outside ---------------------------------------------------------------------------- */

static struct virtual_source *find(
	const struct loop *loop, enum loop_kind kind, pid_t pid, int signal)
{
	struct virtual_source *v;
	list_for_each(v, &loop_of(loop)->sources, link)
	{
		if (v->source->kind == kind && v->source->pid == pid && v->source->signal == signal)
			return v;
	}
	return NULL;
}

void virtual_loop_exit(struct loop *loop, pid_t pid, const siginfo_t *info)
{
	struct virtual_source *v = find(loop, LOOP_CHILD, pid, 0);
	if (v != NULL) {
		v->info = *info;
		v->raised = true;
	}
}

void virtual_loop_raise(struct loop *loop, int signal)
{
	struct virtual_source *v = find(loop, LOOP_SIGNAL, 0, signal);
	if (v != NULL)
		v->raised = true;
}

void virtual_loop_touch(struct loop *loop, const char *path)
{
	struct virtual_source *v;
	list_for_each(v, &loop_of(loop)->sources, link)
	{
		if (v->source->kind == LOOP_FOLDER && strcmp(v->path, path) == 0)
			v->raised = true;
	}
}

void virtual_loop_plug(struct loop *loop)
{
	struct virtual_source *v;
	list_for_each(v, &loop_of(loop)->sources, link)
	{
		if (v->source->kind == LOOP_DEVICES)
			v->raised = true;
	}
}

bool virtual_loop_has_child(const struct loop *loop, pid_t pid)
{
	return find(loop, LOOP_CHILD, pid, 0) != NULL;
}

bool virtual_loop_has_signal(const struct loop *loop, int signal)
{
	return find(loop, LOOP_SIGNAL, 0, signal) != NULL;
}
