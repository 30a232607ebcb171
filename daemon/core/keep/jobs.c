/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop.h"
#include "core/keep/jobs.h"

struct chain {
	struct chore *first, **end;
};

struct chores {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct chain todo, done;
	atomic_bool ending;
	int fd; /* tells the main thread that something is done */
	struct loop_source *source;
};

static void chain_init(struct chain *chain)
{
	*chain = (struct chain){.end = &chain->first};
}

static void chain_put(struct chain *chain, struct chore *chore)
{
	chore->next = NULL;
	*chain->end = chore;
	chain->end = &chore->next;
}

static struct chore *chain_take(struct chain *chain)
{
	struct chore *chore = chain->first;
	if (chore == NULL)
		return NULL;
	chain->first = chore->next;
	if (chain->first == NULL)
		chain->end = &chain->first;
	return chore;
}

/* Returns with the lock held. */
static struct chore *wait_chore(struct chores *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->todo.first == NULL && !atomic_load(&c->ending))
		pthread_cond_wait(&c->more, &c->lock);
	return atomic_load(&c->ending) ? NULL : chain_take(&c->todo);
}

static void *run(void *arg)
{
	struct chores *c = arg;
	struct chore *chore;
	while ((chore = wait_chore(c)) != NULL) {
		pthread_mutex_unlock(&c->lock);
		chore->work(chore);
		pthread_mutex_lock(&c->lock);
		chain_put(&c->done, chore);
		pthread_mutex_unlock(&c->lock);
		eventfd_write(c->fd, 1);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static struct chore *take_done(struct chores *c)
{
	pthread_mutex_lock(&c->lock);
	struct chore *chore = chain_take(&c->done);
	pthread_mutex_unlock(&c->lock);
	return chore;
}

static void collect(struct chores *c)
{
	struct chore *chore;
	while ((chore = take_done(c)) != NULL)
		chore->done(chore, false);
}

static void on_done(void *arg, uint32_t events)
{
	struct chores *c = arg;
	eventfd_t count;
	eventfd_read(c->fd, &count);
	collect(c);
}

int chores_start(struct chores **out, struct loop *loop)
{
	struct chores *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	chain_init(&c->todo);
	chain_init(&c->done);
	atomic_init(&c->ending, false);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = c->fd < 0 ? -errno : loop_add_fd(loop, &c->source, c->fd, EPOLLIN, on_done, c);
	if (r >= 0)
		r = -pthread_create(&c->thread, NULL, run, c);
	if (r < 0) {
		loop_drop(c->source);
		if (c->fd >= 0)
			close(c->fd);
		free(c);
		return r;
	}
	*out = c;
	return 0;
}

void chores_stop(struct chores *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->ending, true);
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	collect(c);
	struct chore *chore;
	while ((chore = chain_take(&c->todo)) != NULL)
		chore->done(chore, true);
	loop_drop(c->source);
	close(c->fd);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void chores_put(struct chores *c, struct chore *chore)
{
	if (atomic_load(&c->ending)) {
		chore->done(chore, true);
		return;
	}
	pthread_mutex_lock(&c->lock);
	chain_put(&c->todo, chore);
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

bool chores_are_ending(struct chores *c)
{
	return atomic_load(&c->ending);
}
