/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "tool.h"

void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void refuse(const char *text)
{
	fprintf(stderr, "not a number in range: %s\n", text);
	exit(2);
}

uint64_t argument(const char *text, uint64_t max)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value == 0 || value > max)
		refuse(text);
	return value;
}

uint64_t argument_seconds(const char *text)
{
	char *end;
	unsigned long whole = strtoul(text, &end, 10);
	uint64_t ns = whole * NS_PER_S;
	if (end == text || whole > 3600)
		refuse(text);
	if (*end == '.') {
		uint64_t digit = NS_PER_S;
		for (end++; *end >= '0' && *end <= '9'; end++)
			ns += (uint64_t)(*end - '0') * (digit /= 10);
	}
	if (*end != '\0')
		refuse(text);
	return ns;
}

uint8_t *noise(size_t size)
{
	uint8_t *data = malloc(size);
	if (data == NULL)
		die("malloc");
	for (size_t at = 0; at < size;) {
		ssize_t n = getrandom(data + at, size - at, 0);
		if (n < 0)
			die("getrandom");
		at += (size_t)n;
	}
	return data;
}

void samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->count == samples->size) {
		samples->size = samples->size == 0 ? 4096 : samples->size * 2;
		samples->ns = realloc(samples->ns, samples->size * sizeof *samples->ns);
		if (samples->ns == NULL)
			die("realloc");
	}
	samples->ns[samples->count++] = ns;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static double percentile(const struct samples *samples, size_t percent)
{
	if (samples->count == 0)
		return 0;
	return (double)samples->ns[(samples->count - 1) * percent / 100] / 1e3;
}

void samples_print(const char *name, struct samples *samples)
{
	if (samples->count > 0)
		qsort(samples->ns, samples->count, sizeof *samples->ns, by_time);
	printf("\"%s\":{\"count\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name,
		samples->count, percentile(samples, 50), percentile(samples, 99),
		percentile(samples, 100));
	free(samples->ns);
	*samples = (struct samples){0};
}

void append(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);
		if (n < 0)
			die("pwrite");
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
}
