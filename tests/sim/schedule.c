/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#include "schedule.h"
#include "virtual-loop.h"

#define THREADS_MAX 8
#define STACK_SIZE  (512u << 10)
#define SPIN_MAX    2000000 /* turns without that time passes */

struct event {
	uint64_t when, number;
	void (*fn)(void *arg);
	void *arg;
};

enum thread_state { FREE, READY, BLOCKED, ENDED };

/*
 * A thread is entered by swapcontext(), and later continued by _longjmp(), which leaves the signal
 * mask alone: that saves two system calls.
 */
struct thread {
	enum thread_state state;
	bool is_entered;
	ucontext_t context;
	jmp_buf jump;
	uint8_t *stack;
	void *(*fn)(void *arg);
	void *arg;
	const void *on;   /* it waits for this */
	uint64_t timeout; /* event's number; 0: none */
	bool timed_out;
};

static struct {
	uint64_t random[2];
	uint64_t boot, utc;
	struct event *heap; /* by time, then by number */
	size_t count, size;
	uint64_t last_number, turns, turns_then;
	struct thread threads[THREADS_MAX];
	struct thread *self;
	ucontext_t context;
	jmp_buf jump;
	const void *stack; /* of the events, for the address sanitizer */
	size_t stack_size;
	bool stopping;
	void (*after_kill)(void *arg);
	void *after_arg;
} sched;

/* --- dice: xoroshiro128+, seeded by splitmix64 ----------------------------------------------- */

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

uint64_t dice64(void)
{
	uint64_t a = sched.random[0], b = sched.random[1], value = a + b;
	b ^= a;
	sched.random[0] = rotate(a, 24) ^ b ^ b << 16;
	sched.random[1] = rotate(b, 37);
	return value;
}

uint64_t dice(uint64_t bound)
{
	return bound == 0 ? 0 : (dice64() >> 8) % bound;
}

bool dice_one_in(uint64_t count)
{
	return count != 0 && dice(count) == 0;
}

uint64_t dice_between(uint64_t low, uint64_t high)
{
	return low + dice(high - low + 1);
}

uint64_t dice_time(uint64_t low, uint64_t high)
{
	double at = (double)dice(1u << 20) / (1u << 20);
	return (uint64_t)((double)low * pow((double)high / (double)low, at));
}

static uint64_t split(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void schedule_start(uint64_t seed)
{
	sched.random[0] = split(&seed);
	sched.random[1] = split(&seed);
	sched.boot = 1000 * S;
	sched.utc = VIRTUAL_UTC + dice(86400) * S;
	sched.count = 0;
	sched.stopping = false;
	sched.turns = sched.turns_then = 0;
}

void schedule_finish(void)
{
	for (size_t i = 0; i < THREADS_MAX; i++)
		sched.threads[i].state = FREE;
	free(sched.heap);
	sched.heap = NULL;
	sched.count = sched.size = 0;
}

/* --- time ------------------------------------------------------------------------------------ */

uint64_t now_boot(void)
{
	return sched.boot;
}

uint64_t now_utc(void)
{
	return sched.utc;
}

void clock_step(int64_t ns)
{
	sched.utc += (uint64_t)ns;
}

static bool is_before(const struct event *a, const struct event *b)
{
	return a->when < b->when || (a->when == b->when && a->number < b->number);
}

static void swap(size_t a, size_t b)
{
	struct event event = sched.heap[a];
	sched.heap[a] = sched.heap[b];
	sched.heap[b] = event;
}

static void sift_up(size_t at)
{
	for (; at > 0 && is_before(&sched.heap[at], &sched.heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(at, (at - 1) / 2);
}

static void sift_down(size_t at)
{
	for (;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sched.count;
			child++) {
			if (is_before(&sched.heap[child], &sched.heap[least]))
				least = child;
		}
		if (least == at)
			return;
		swap(at, least);
		at = least;
	}
}

uint64_t event_at(uint64_t when, void (*fn)(void *arg), void *arg)
{
	if (sched.count == sched.size) {
		sched.size = sched.size != 0 ? 2 * sched.size : 256;
		sched.heap = realloc(sched.heap, sched.size * sizeof *sched.heap);
		assert(sched.heap != NULL);
	}
	sched.heap[sched.count] = (struct event){
		when > sched.boot ? when : sched.boot, ++sched.last_number, fn, arg};
	sift_up(sched.count++);
	return sched.last_number;
}

uint64_t event_in(uint64_t delay, void (*fn)(void *arg), void *arg)
{
	return event_at(sched.boot + delay, fn, arg);
}

static void remove_at(size_t at)
{
	swap(at, --sched.count);
	if (at < sched.count) {
		sift_down(at);
		sift_up(at);
	}
}

void event_cancel(uint64_t number)
{
	for (size_t i = 0; number != 0 && i < sched.count; i++) {
		if (sched.heap[i].number == number) {
			remove_at(i);
			return;
		}
	}
}

/* --- threads --------------------------------------------------------------------------------- */

/* The address sanitizer must know which stack is in use. */
#ifdef __SANITIZE_ADDRESS__
static void to_stack(const void *stack, size_t size)
{
	__sanitizer_start_switch_fiber(NULL, stack, size);
}

static void on_stack(const void **former, size_t *size)
{
	__sanitizer_finish_switch_fiber(NULL, former, size);
}

static void clear_stack(const void *stack, size_t size)
{
	__asan_unpoison_memory_region(stack, size);
}
#else
static void to_stack(const void *stack, size_t size)
{
}
static void on_stack(const void **former, size_t *size)
{
}
static void clear_stack(const void *stack, size_t size)
{
}
#endif

struct thread *thread_self(void)
{
	return sched.self;
}

static void leave(struct thread *thread)
{
	sched.self = NULL;
	to_stack(sched.stack, sched.stack_size);
	if (_setjmp(thread->jump) == 0)
		_longjmp(sched.jump, 1);
	on_stack(&sched.stack, &sched.stack_size);
}

static void enter(struct thread *thread)
{
	sched.self = thread;
	if (_setjmp(sched.jump) != 0) {
		on_stack(NULL, NULL);
		return;
	}
	to_stack(thread->stack, STACK_SIZE);
	if (thread->is_entered)
		_longjmp(thread->jump, 1);
	thread->is_entered = true;
	swapcontext(&sched.context, &thread->context);
}

static void run_thread(void)
{
	struct thread *self = sched.self;
	on_stack(&sched.stack, &sched.stack_size);
	self->fn(self->arg);
	self->state = ENDED;
	thread_wake(self, true);
	leave(self);
}

static void prepare(struct thread *thread)
{
	clear_stack(thread->stack, STACK_SIZE);
	getcontext(&thread->context);
	thread->context.uc_stack.ss_sp = thread->stack;
	thread->context.uc_stack.ss_size = STACK_SIZE;
	thread->context.uc_link = NULL;
	makecontext(&thread->context, run_thread, 0);
}

struct thread *thread_create(void *(*fn)(void *arg), void *arg)
{
	struct thread *thread = sched.threads;
	while (thread < sched.threads + THREADS_MAX && thread->state != FREE)
		thread++;
	if (thread == sched.threads + THREADS_MAX)
		return NULL;
	if (thread->stack == NULL) {
		thread->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		assert(thread->stack != MAP_FAILED);
		mprotect(thread->stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
	}
	prepare(thread);
	thread->is_entered = false;
	thread->fn = fn;
	thread->arg = arg;
	thread->state = READY;
	return thread;
}

bool thread_has_ended(const struct thread *thread)
{
	return thread->state == ENDED;
}

void thread_free(struct thread *thread)
{
	assert(thread->state == ENDED);
	thread->state = FREE;
}

static void on_timeout(void *arg)
{
	struct thread *thread = arg;
	thread->timeout = 0;
	thread->timed_out = true;
	thread->state = READY;
}

bool thread_block(const void *on, uint64_t until)
{
	struct thread *self = sched.self;
	assert(self != NULL);
	if (until <= sched.boot)
		return false;
	self->on = on;
	self->timed_out = false;
	self->timeout = until != NEVER ? event_at(until, on_timeout, self) : 0;
	self->state = BLOCKED;
	leave(self);
	return !self->timed_out;
}

void thread_wake(const void *on, bool all)
{
	for (size_t i = 0; i < THREADS_MAX; i++) {
		struct thread *thread = &sched.threads[i];
		if (thread->state != BLOCKED || thread->on != on)
			continue;
		event_cancel(thread->timeout);
		thread->state = READY;
		if (!all)
			return;
	}
}

void thread_yield(uint64_t count)
{
	struct thread *self = sched.self;
	if (self != NULL && dice_one_in(count))
		leave(self);
}

static void drop_threads(void)
{
	for (size_t i = 0; i < THREADS_MAX; i++) {
		struct thread *thread = &sched.threads[i];
		if (thread->state == BLOCKED)
			event_cancel(thread->timeout);
		thread->state = FREE;
	}
}

void threads_kill(void (*after)(void *arg), void *arg)
{
	struct thread *self = sched.self;
	if (self == NULL) {
		drop_threads();
		after(arg);
		return;
	}
	sched.after_kill = after;
	sched.after_arg = arg;
	leave(self);
	abort();
}

/* --- running --------------------------------------------------------------------------------- */

static struct thread *choose_thread(void)
{
	struct thread *ready[THREADS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < THREADS_MAX; i++) {
		if (sched.threads[i].state == READY)
			ready[count++] = &sched.threads[i];
	}
	return count == 0 ? NULL : count == 1 ? ready[0] : ready[dice(count)];
}

static void resume(struct thread *thread)
{
	enter(thread);
	if (sched.after_kill == NULL)
		return;
	void (*after)(void *) = sched.after_kill;
	sched.after_kill = NULL;
	drop_threads();
	after(sched.after_arg);
}

/* False: there is none until then. */
static bool run_event(uint64_t until)
{
	if (sched.count == 0 || sched.heap[0].when > until)
		return false;
	struct event event = sched.heap[0];
	remove_at(0);
	if (event.when > sched.boot) {
		sched.utc += event.when - sched.boot;
		sched.boot = event.when;
		sched.turns_then = sched.turns;
	}
	event.fn(event.arg);
	return true;
}

const char *schedule_run(uint64_t until)
{
	sched.stopping = false;
	while (!sched.stopping) {
		struct thread *thread = choose_thread();
		if (++sched.turns - sched.turns_then > SPIN_MAX)
			return "something runs without end";
		if (thread != NULL)
			resume(thread);
		else if (!run_event(until))
			break;
	}
	if (!sched.stopping && sched.count == 0)
		return "everything waits for nothing";
	if (!sched.stopping && until != NEVER && until > sched.boot) {
		sched.utc += until - sched.boot;
		sched.boot = until;
	}
	return NULL;
}

void schedule_stop(void)
{
	sched.stopping = true;
}

uint64_t schedule_turns(void)
{
	return sched.turns;
}
