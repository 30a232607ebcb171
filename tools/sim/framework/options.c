/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static ssize_t find(const struct sim_options *options, const char *name)
{
	for (size_t i = 0; options->table != NULL && options->table[i].name != NULL; i++) {
		assert(i < SIM_OPTIONS_MAX);
		if (strcmp(options->table[i].name, name) == 0)
			return (ssize_t)i;
	}
	return -ENOENT;
}

int options_set(struct sim_options *options, const char *name, const char *value)
{
	ssize_t i = find(options, name);
	if (i < 0)
		return (int)i;
	options->value[i] = value;
	return 0;
}

const char *options_text(const struct sim_options *options, const char *name)
{
	ssize_t i = find(options, name);
	assert(i >= 0);
	return options->value[i] != NULL ? options->value[i] : options->table[i].fallback;
}

bool options_flag(const struct sim_options *options, const char *name)
{
	return options_text(options, name) != NULL;
}

int options_number(
	const struct sim_options *options, const char *name, double min, double max, double *value)
{
	const char *text = options_text(options, name);
	double v;
	if (text != NULL && number_parse(text, &v) == 0 && v >= min && v <= max) {
		*value = v;
		return 0;
	}
	return options_reject(name, text, "a number from %g to %g", min, max);
}

int options_integer(const struct sim_options *options, const char *name, int64_t min, int64_t max,
	int64_t *value)
{
	const char *text = options_text(options, name);
	double v;
	if (text != NULL && number_parse(text, &v) == 0 && v >= (double)min && v <= (double)max &&
		v == floor(v)) {
		*value = (int64_t)v;
		return 0;
	}
	return options_reject(
		name, text, "a whole number from %lld to %lld", (long long)min, (long long)max);
}

int options_choice(const struct sim_options *options, const char *name, const char *const *words)
{
	const char *text = options_text(options, name);
	for (int i = 0; text != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	char list[512] = "";
	size_t n = 0;
	for (int i = 0; words[i] != NULL && n < sizeof(list); i++)
		n += (size_t)snprintf(
			list + n, sizeof(list) - n, "%s%s", i > 0 ? ", " : "", words[i]);
	return options_reject(name, text, "one of %s", list);
}

int options_reject(const char *name, const char *text, const char *expected, ...)
{
	va_list ap;
	fprintf(stderr, "assay-sim: --%s %s: expected ", name, text != NULL ? text : "");
	va_start(ap, expected);
	vfprintf(stderr, expected, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -EINVAL;
}

/* Reads digits into an integer mantissa and a count of decimals; NULL if there are none. */
static const char *digits(const char *p, uint64_t *mantissa, int *decimals)
{
	bool point = false, any = false;
	for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (*mantissa > UINT64_C(100000000000000000))
			return NULL;
		*mantissa = *mantissa * 10 + (uint64_t)(*p - '0');
		*decimals += point;
		any = true;
	}
	return any ? p : NULL;
}

static const char *number_prefix(const char *text, double *value)
{
	bool negative = *text == '-';
	uint64_t mantissa = 0;
	int decimals = 0;
	const char *end = digits(text + negative, &mantissa, &decimals);
	if (end == NULL)
		return NULL;
	double v = (double)mantissa / pow(10, decimals);
	*value = negative ? -v : v;
	return end;
}

int number_parse(const char *text, double *value)
{
	double v;
	const char *end = number_prefix(text, &v);
	if (end == NULL || *end != '\0')
		return -EINVAL;
	*value = v;
	return 0;
}

int duration_parse(const char *text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"min", 60e9}, {"h", 3600e9}};
	double v;
	const char *end = number_prefix(text, &v);
	for (size_t i = 0; end != NULL && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (v < 0 || v * units[i].ns > 1e18)
			return -EINVAL;
		*ns = (uint64_t)llround(v * units[i].ns);
		return 0;
	}
	return -EINVAL;
}
