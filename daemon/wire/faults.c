/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wire/faults.h"

#define DELAY_MAX 600000
#define RATE_MAX  100000000
#define SEED_MAX  1000000000
#define LOG_MAX   1000

enum number {
	TIME,  /* 200ms, 1.5s: in milliseconds */
	SHARE, /* 0 ... 1: of a million */
	WHOLE,
};

static const struct fault {
	const char *name;
	enum number type;
	unsigned min, max;
	size_t offset;
	const char *example;
} fault_table[] = {
	{"delay", TIME, 1, DELAY_MAX, offsetof(struct faults, delay_ms), "a time such as 200ms"},
	{"drop", SHARE, 0, FAULTS_MILLION, offsetof(struct faults, drop), "a share of 0 to 1"},
	{"corrupt", SHARE, 0, FAULTS_MILLION, offsetof(struct faults, corrupt),
		"a share of 0 to 1"},
	{"truncate", SHARE, 0, FAULTS_MILLION, offsetof(struct faults, truncate),
		"a share of 0 to 1"},
	{"rate", WHOLE, 1, RATE_MAX, offsetof(struct faults, rate), "bytes per second"},
	{"seed", WHOLE, 0, SEED_MAX, offsetof(struct faults, seed), "a whole number"},
	{"log", WHOLE, 1, LOG_MAX, offsetof(struct faults, log), "lines per second"},
};

/* The digits at *at, with up to six decimals, in millionths; false: there are none, or too many. */
static bool read_millionths(const char **at, uint64_t *out)
{
	uint64_t n = 0, unit = FAULTS_MILLION;
	const char *p = *at;
	while (*p >= '0' && *p <= '9' && p - *at < 12)
		n = n * 10 + (uint64_t)(*p++ - '0');
	bool has_digits = p > *at;
	n *= FAULTS_MILLION;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++) {
			unit /= 10;
			n += unit * (uint64_t)(*p - '0');
		}
	}
	*at = p;
	*out = n;
	return has_digits;
}

static bool read_value(const struct fault *fault, const char *text, unsigned *out)
{
	uint64_t n;
	if (!read_millionths(&text, &n))
		return false;
	if (fault->type == TIME && strcmp(text, "ms") == 0)
		n /= FAULTS_MILLION;
	else if (fault->type == TIME && strcmp(text, "s") == 0)
		n /= FAULTS_MILLION / 1000;
	else if (fault->type == TIME || text[0] != '\0' ||
		 (fault->type == WHOLE && n % FAULTS_MILLION != 0))
		return false;
	else if (fault->type == WHOLE)
		n /= FAULTS_MILLION;
	*out = (unsigned)n;
	return n >= fault->min && n <= fault->max;
}

static int read_one(struct faults *faults, const char *word, char why[FAULTS_WHY])
{
	size_t name = strcspn(word, "=");
	for (size_t i = 0; i < sizeof fault_table / sizeof *fault_table; i++) {
		const struct fault *fault = &fault_table[i];
		if (strlen(fault->name) != name || strncmp(word, fault->name, name) != 0)
			continue;
		unsigned *to = (unsigned *)(void *)((char *)faults + fault->offset);
		if (word[name] == '=' && read_value(fault, word + name + 1, to))
			return 0;
		snprintf(why, FAULTS_WHY, "'%s' needs %s: %s=...", fault->name, fault->example,
			fault->name);
		return -EINVAL;
	}
	snprintf(why, FAULTS_WHY,
		"expected delay=, drop=, corrupt=, truncate=, rate=, seed= or log=, or off");
	return -EINVAL;
}

int faults_read(struct faults *faults, const char *text, char why[FAULTS_WHY])
{
	static const char blanks[] = " ,";
	*faults = (struct faults){.seed = 1};
	int r = 0;
	bool is_off = strcmp(text, "off") == 0;
	while (r == 0 && !is_off) {
		char word[40];
		text += strspn(text, blanks);
		size_t len = strcspn(text, blanks);
		if (len == 0)
			break;
		snprintf(word, sizeof word, "%.*s", len < sizeof word ? (int)len : 0, text);
		text += len;
		r = read_one(faults, word, why);
	}
	if (r < 0)
		*faults = (struct faults){0};
	return r;
}

bool faults_are_any(const struct faults *faults)
{
	return faults->delay_ms > 0 || faults->drop > 0 || faults->corrupt > 0 ||
	       faults->truncate > 0 || faults->rate > 0 || faults->log > 0;
}
