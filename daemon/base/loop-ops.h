/* SPDX-License-Identifier: Apache-2.0 */
/* For implementations of a loop: base/event-loop.c, and the virtual one of the tests. */
#ifndef ASSAY_BASE_LOOP_OPS_H
#define ASSAY_BASE_LOOP_OPS_H

#include "base/list.h"
#include "base/loop.h"

enum loop_kind {
	LOOP_TIMER,
	LOOP_FD,
	LOOP_IDLE,
	LOOP_CHILD,
	LOOP_SIGNAL,
	LOOP_FOLDER,
	LOOP_DEVICES
};

struct loop_source {
	struct loop *loop;
	struct list link; /* loop.owned, or on no list */
	enum loop_kind kind;
	union {
		void (*call)(void *arg); /* timer, idle, signal, folder, devices */
		void (*ready)(void *arg, uint32_t events);
		void (*exited)(void *arg, const siginfo_t *info);
	} fn;
	void *arg;
	int fd, signal;   /* LOOP_FD, LOOP_SIGNAL */
	uint32_t events;  /* LOOP_FD */
	pid_t pid;        /* LOOP_CHILD */
	const char *path; /* LOOP_FOLDER: borrowed while it is added */
	void *data;       /* the implementation's */
};

struct loop_ops {
	int (*add)(struct loop_source *source); /* 0 or a negative errno */
	/* Timer: a delay in ns.  Descriptor: its events.  Idle: 0 or 1. */
	void (*set)(struct loop_source *source, uint64_t value);
	void (*drop)(struct loop_source *source);
	int (*run)(struct loop *loop);
	void (*stop)(struct loop *loop, int code);
	void (*close)(struct loop *loop); /* frees; all sources are dropped */
};

struct loop {
	const struct loop_ops *ops;
	struct list owned; /* sources that belong to the loop */
};

static inline void loop_init(struct loop *loop, const struct loop_ops *ops)
{
	loop->ops = ops;
	list_init(&loop->owned);
}

#endif
