/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that the benchmark programs share: arguments, failing, percentiles. */
#ifndef ASSAY_BENCH_TOOL_H
#define ASSAY_BENCH_TOOL_H

#include <stddef.h>
#include <stdint.h>

/* The file whose bytes are appended; its folder decides which disk is measured. */
#define BENCH_FILE "bench-append.tmp"

/* Ends the program with status 1 and the failed call, with errno's text. */
_Noreturn void die(const char *what);

/* A whole number of 1 to `max`, or the program ends with status 2. */
uint64_t argument(const char *text, uint64_t max);

/* A time in seconds such as "1.5", as nanoseconds; or the program ends with status 2. */
uint64_t argument_seconds(const char *text);

/* `size` bytes that no file system can compress away; owned by the caller. */
uint8_t *noise(size_t size);

/* Times in nanoseconds. */
struct samples {
	uint64_t *ns;
	size_t count, size;
};

void samples_add(struct samples *samples, uint64_t ns);

/* Prints "name":{"count":..,"p50":..,"p99":..,"max":..}, in microseconds, and frees them. */
void samples_print(const char *name, struct samples *samples);

/* Appends the bytes at the offset, all of them. */
void append(int fd, const uint8_t *data, size_t len, uint64_t offset);

#endif
