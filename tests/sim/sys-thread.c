/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's threads on schedule.h.  Another thread may run whenever a lock is released or
 * something is signalled; a condition may wake without cause, as POSIX allows.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "sys.h"

#define YIELD_EVERY    6
#define SPURIOUS_EVERY 50

/* Lies in the daemon's pthread_mutex_t. */
struct mutex {
	struct thread *owner;
};

static struct mutex *of(pthread_mutex_t *lock)
{
	_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "a mutex must fit");
	return (struct mutex *)lock;
}

int sim_pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attr)
{
	of(lock)->owner = NULL;
	return 0;
}

int sim_pthread_mutex_destroy(pthread_mutex_t *lock)
{
	assert(of(lock)->owner == NULL);
	return 0;
}

int sim_pthread_mutex_lock(pthread_mutex_t *lock)
{
	assert(of(lock)->owner == NULL || of(lock)->owner != thread_self());
	while (of(lock)->owner != NULL)
		thread_block(lock, NEVER);
	of(lock)->owner = thread_self();
	return 0;
}

static void unlock(pthread_mutex_t *lock)
{
	assert(of(lock)->owner == thread_self());
	of(lock)->owner = NULL;
	thread_wake(lock, false);
}

int sim_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	unlock(lock);
	thread_yield(YIELD_EVERY);
	return 0;
}

int sim_pthread_condattr_init(pthread_condattr_t *attr)
{
	return 0;
}

int sim_pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
	assert(clock == CLOCK_MONOTONIC);
	return 0;
}

int sim_pthread_condattr_destroy(pthread_condattr_t *attr)
{
	return 0;
}

int sim_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
	return 0;
}

int sim_pthread_cond_destroy(pthread_cond_t *cond)
{
	return 0;
}

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until)
{
	bool spurious = dice_one_in(SPURIOUS_EVERY);
	unlock(lock);
	bool woken = spurious ? (thread_yield(1), true) : thread_block(cond, until);
	sim_pthread_mutex_lock(lock);
	return woken ? 0 : ETIMEDOUT;
}

int sim_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	return wait_until(cond, lock, NEVER);
}

int sim_pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *t)
{
	return wait_until(
		cond, lock, sys.booted_at + (uint64_t)t->tv_sec * S + (uint64_t)t->tv_nsec);
}

int sim_pthread_cond_signal(pthread_cond_t *cond)
{
	thread_wake(cond, false);
	return 0;
}

int sim_pthread_cond_broadcast(pthread_cond_t *cond)
{
	thread_wake(cond, true);
	return 0;
}

int sim_pthread_create(
	pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *arg), void *arg)
{
	struct thread *thread = thread_create(fn, arg);
	*out = (pthread_t)thread;
	return thread != NULL ? 0 : EAGAIN;
}

int sim_pthread_join(pthread_t which, void **value)
{
	struct thread *thread = (struct thread *)which;
	while (!thread_has_ended(thread))
		thread_block(thread, NEVER);
	thread_free(thread);
	return 0;
}
