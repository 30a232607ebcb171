/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop.h"
#include "core/keep/jobs.h"

struct job_chain {
	struct job *first, **end;
};

struct jobs {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job_chain todo, done;
	atomic_bool ending;
	int fd; /* wakes the main thread when a job is done */
	struct loop_source *source;
};

static void chain_init(struct job_chain *chain)
{
	*chain = (struct job_chain){.end = &chain->first};
}

static void chain_put(struct job_chain *chain, struct job *job)
{
	job->next = NULL;
	*chain->end = job;
	chain->end = &job->next;
}

static struct job *chain_take(struct job_chain *chain)
{
	struct job *job = chain->first;
	if (job == NULL)
		return NULL;
	chain->first = job->next;
	if (chain->first == NULL)
		chain->end = &chain->first;
	return job;
}

/* Returns with the lock held. */
static struct job *wait_job(struct jobs *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->todo.first == NULL && !atomic_load(&c->ending))
		pthread_cond_wait(&c->more, &c->lock);
	return atomic_load(&c->ending) ? NULL : chain_take(&c->todo);
}

static void *run(void *arg)
{
	pthread_setname_np(pthread_self(), "disk-job");
	struct jobs *c = arg;
	struct job *job;
	while ((job = wait_job(c)) != NULL) {
		pthread_mutex_unlock(&c->lock);
		job->work(job);
		pthread_mutex_lock(&c->lock);
		chain_put(&c->done, job);
		pthread_mutex_unlock(&c->lock);
		eventfd_write(c->fd, 1);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static struct job *take_done(struct jobs *c)
{
	pthread_mutex_lock(&c->lock);
	struct job *job = chain_take(&c->done);
	pthread_mutex_unlock(&c->lock);
	return job;
}

static void collect(struct jobs *c)
{
	struct job *job;
	while ((job = take_done(c)) != NULL)
		job->done(job, false);
}

static void on_done(void *arg, uint32_t events)
{
	struct jobs *c = arg;
	eventfd_t count;
	eventfd_read(c->fd, &count);
	collect(c);
}

int jobs_start(struct jobs **out, struct loop *loop)
{
	struct jobs *c = calloc(1, sizeof *c);
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

void jobs_stop(struct jobs *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->ending, true);
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	collect(c);
	struct job *job;
	while ((job = chain_take(&c->todo)) != NULL)
		job->done(job, true);
	loop_drop(c->source);
	close(c->fd);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void jobs_put(struct jobs *c, struct job *job)
{
	if (c == NULL) {
		job->work(job);
		job->done(job, false);
		return;
	}
	if (atomic_load(&c->ending)) {
		job->done(job, true);
		return;
	}
	pthread_mutex_lock(&c->lock);
	chain_put(&c->todo, job);
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

bool jobs_are_stopping(struct jobs *c)
{
	return atomic_load(&c->ending);
}
