/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Any value but 0.  Without it the library opens /dev/urandom, which a worker must not. */
#define HASH_SEED      1
#define NAME_MAX_BYTES 64
#define TEXT_MAX_BYTES 200
#define RATE_MAX       1e6
#define RATE_MIN       1e-6

const char *run_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL && strlen(text) <= TEXT_MAX_BYTES ? text : "";
}

double run_peak_number(const json_t *peak, const char *key)
{
	const json_t *value = json_object_get(peak, key);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool are_all(const json_t *array, bool (*is_right)(const json_t *value))
{
	bool result = json_is_array(array);
	for (size_t i = 0; result && i < json_array_size(array); i++)
		result = is_right(json_array_get(array, i));
	return result;
}

static bool is_number(const json_t *value)
{
	return json_is_number(value);
}

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool read_detector(const char *name, const json_t *from, struct detector *out)
{
	const json_t *expected = json_object_get(from, "nValuesExpected");
	const json_t *analysis = json_object_get(from, "analysis");
	*out = (struct detector){.name = name,
		.values = json_object_get(from, "values"),
		.rate = json_number_value(json_object_get(from, "nValuesPerSecond")),
		.expected = (size_t)json_integer_value(expected),
		.peaks = json_object_get(analysis, "peaks")};
	size_t len = strlen(name);
	return len > 0 && len <= NAME_MAX_BYTES && json_array_size(out->values) > 0 &&
	       json_is_integer(expected) && json_integer_value(expected) >= 0 &&
	       out->rate >= RATE_MIN && out->rate <= RATE_MAX && are_all(out->values, is_number) &&
	       (out->peaks == NULL || are_all(out->peaks, is_object));
}

static int compare_names(const void *a, const void *b)
{
	const struct detector *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static bool read_detectors(const json_t *from, struct run *out, char why[WHY_MAX])
{
	const char *name;
	const json_t *one;
	snprintf(why, WHY_MAX, "expected 1 to %d detectors, found %zu", DETECTORS_MAX,
		json_object_size(from));
	if (json_object_size(from) == 0 || json_object_size(from) > DETECTORS_MAX)
		return false;
	json_object_foreach((json_t *)(uintptr_t)from, name, one)
	{
		struct detector *to = &out->detectors[out->detector_count++];
		if (!read_detector(name, one, to)) {
			snprintf(why, WHY_MAX,
				"detector %zu: expected values, nValuesPerSecond, nValuesExpected",
				out->detector_count);
			return false;
		}
		out->peak_count += json_array_size(to->peaks);
	}
	qsort(out->detectors, out->detector_count, sizeof(out->detectors[0]), compare_names);
	snprintf(why, WHY_MAX, "more than %d peaks", PEAKS_MAX);
	return out->peak_count <= PEAKS_MAX;
}

json_t *run_parse(const void *body, size_t len, char why[WHY_MAX])
{
	json_error_t error;
	json_object_seed(HASH_SEED);
	json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (root == NULL)
		snprintf(why, WHY_MAX, "no JSON: line %d, column %d", error.line, error.column);
	return root;
}

bool run_read(const void *body, size_t len, struct run *out, char why[WHY_MAX])
{
	json_t *root = run_parse(body, len, why);
	*out = (struct run){.root = root,
		.id = run_text(root, "$id"),
		.method = run_text(root, "methodName"),
		.time = run_text(root, "runTimeStamp"),
		.version = run_text(json_object_get(root, "softwareVersion"), "version")};
	if (root != NULL && read_detectors(json_object_get(root, "detectors"), out, why))
		return true;
	run_free(out);
	return false;
}

void run_free(struct run *run)
{
	json_decref(run->root);
	*run = (struct run){NULL};
}

bool run_is_whole(const struct run *run)
{
	for (size_t i = 0; i < run->detector_count; i++)
		if (run->detectors[i].peaks == NULL ||
			json_array_size(run->detectors[i].values) < run->detectors[i].expected)
			return false;
	return true;
}
