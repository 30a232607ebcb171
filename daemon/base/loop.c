/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/loop-ops.h"

int loop_run(struct loop *loop)
{
	return loop->ops->run(loop);
}

void loop_stop(struct loop *loop, int code)
{
	loop->ops->stop(loop, code);
}

void loop_close(struct loop *loop)
{
	if (loop == NULL)
		return;
	struct loop_source *source;
	list_for_each(source, &loop->owned, link) loop_drop(source);
	loop->ops->close(loop);
}

static int add(struct loop *loop, struct loop_source **out, const struct loop_source *what)
{
	if (out != NULL)
		*out = NULL;
	struct loop_source *source = malloc(sizeof *source);
	if (source == NULL)
		return -ENOMEM;
	*source = *what;
	source->loop = loop;
	list_init(&source->link);
	int r = loop->ops->add(source);
	if (r < 0) {
		free(source);
		return r;
	}
	if (out != NULL)
		*out = source;
	else
		list_append(&loop->owned, &source->link);
	return 0;
}

int loop_add_timer(struct loop *loop, struct loop_source **out, void (*fn)(void *arg), void *arg)
{
	return add(loop, out, &(struct loop_source){.kind = LOOP_TIMER, .fn.call = fn, .arg = arg});
}

void loop_set_timer(struct loop_source *timer, uint64_t delay_ns)
{
	timer->loop->ops->set(timer, delay_ns);
}

int loop_add_fd(struct loop *loop, struct loop_source **out, int fd, uint32_t events,
	void (*fn)(void *arg, uint32_t events), void *arg)
{
	return add(loop, out,
		&(struct loop_source){
			.kind = LOOP_FD, .fd = fd, .events = events, .fn.ready = fn, .arg = arg});
}

void loop_set_events(struct loop_source *fd, uint32_t events)
{
	if (fd->events != events)
		fd->loop->ops->set(fd, fd->events = events);
}

int loop_add_idle(struct loop *loop, struct loop_source **out, void (*fn)(void *arg), void *arg)
{
	return add(loop, out, &(struct loop_source){.kind = LOOP_IDLE, .fn.call = fn, .arg = arg});
}

void loop_set_idle(struct loop_source *idle, bool on)
{
	idle->loop->ops->set(idle, on);
}

int loop_add_child(struct loop *loop, struct loop_source **out, pid_t pid,
	void (*fn)(void *arg, const siginfo_t *info), void *arg)
{
	return add(loop, out,
		&(struct loop_source){.kind = LOOP_CHILD, .pid = pid, .fn.exited = fn, .arg = arg});
}

int loop_add_signal(
	struct loop *loop, struct loop_source **out, int signal, void (*fn)(void *arg), void *arg)
{
	return add(loop, out,
		&(struct loop_source){
			.kind = LOOP_SIGNAL, .signal = signal, .fn.call = fn, .arg = arg});
}

int loop_add_folder(struct loop *loop, struct loop_source **out, const char *path,
	void (*fn)(void *arg), void *arg)
{
	return add(loop, out,
		&(struct loop_source){
			.kind = LOOP_FOLDER, .path = path, .fn.call = fn, .arg = arg});
}

int loop_add_devices(struct loop *loop, struct loop_source **out, void (*fn)(void *arg), void *arg)
{
	return add(
		loop, out, &(struct loop_source){.kind = LOOP_DEVICES, .fn.call = fn, .arg = arg});
}

struct loop_source *loop_drop(struct loop_source *source)
{
	if (source != NULL) {
		source->loop->ops->drop(source);
		list_remove(&source->link);
		free(source);
	}
	return NULL;
}
