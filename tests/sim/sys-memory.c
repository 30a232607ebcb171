/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's allocations: a set of pointers, so that a killed daemon leaves nothing behind. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

static struct {
	void **slots; /* open addressing */
	size_t count, size;
} memory;

static size_t hash(const void *p)
{
	return (size_t)(((uintptr_t)p >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static size_t find(const void *p)
{
	size_t at = hash(p) & (memory.size - 1);
	while (memory.slots[at] != NULL && memory.slots[at] != p)
		at = (at + 1) & (memory.size - 1);
	return at;
}

static void grow(void)
{
	void **old = memory.slots;
	size_t size = memory.size;
	memory.size = size != 0 ? 2 * size : 1 << 12;
	memory.slots = calloc(memory.size, sizeof *memory.slots);
	assert(memory.slots != NULL);
	for (size_t i = 0; i < size; i++) {
		if (old[i] != NULL)
			memory.slots[find(old[i])] = old[i];
	}
	free(old);
}

static void *add(void *p)
{
	if (2 * (memory.count + 1) > memory.size)
		grow();
	if (p != NULL) {
		memory.slots[find(p)] = p;
		memory.count++;
	}
	return p;
}

/* Pointers that libraries allocated are not in the set. */
static void take_out(const void *p)
{
	if (p == NULL || memory.size == 0)
		return;
	size_t at = find(p);
	if (memory.slots[at] == NULL)
		return;
	memory.slots[at] = NULL;
	memory.count--;
	for (size_t next = (at + 1) & (memory.size - 1); memory.slots[next] != NULL;
		next = (next + 1) & (memory.size - 1)) {
		void *moved = memory.slots[next];
		memory.slots[next] = NULL;
		memory.slots[find(moved)] = moved;
	}
}

void memory_drop(void)
{
	for (size_t i = 0; i < memory.size; i++) {
		free(memory.slots[i]);
		memory.slots[i] = NULL;
	}
	memory.count = 0;
}

size_t system_memory(void)
{
	return memory.count;
}

/*
 * The leak sanitizer: off.  Memory that libraries allocated for a killed daemon is not freed; a
 * daemon that ends by itself must have freed its own, see run_daemon().
 */
int __lsan_is_turned_off(void)
{
	return 1;
}

/* --- calls of the daemon --------------------------------------------------------------------- */

void *sim_malloc(size_t size)
{
	return add(malloc(size));
}

void *sim_calloc(size_t count, size_t size)
{
	return add(calloc(count, size));
}

void *sim_realloc(void *p, size_t size)
{
	take_out(p);
	return add(realloc(p, size));
}

void sim_free(void *p)
{
	take_out(p);
	free(p);
}

char *sim_strdup(const char *text)
{
	return add(strdup(text));
}

char *sim_strndup(const char *text, size_t len)
{
	return add(strndup(text, len));
}

int sim_vasprintf(char **out, const char *format, va_list args)
{
	int n = vasprintf(out, format, args);
	if (n >= 0)
		add(*out);
	return n;
}

int sim_asprintf(char **out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = sim_vasprintf(out, format, args);
	va_end(args);
	return n;
}

int sim_mallopt(int parameter, int value)
{
	return 1;
}
