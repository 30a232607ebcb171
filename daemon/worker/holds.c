/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "record/encode.h"
#include "record/keys.h"
#include "worker/holds.h"

#define NEAR 1e-3 /* relative: of a value that was read back only */

/* A number, alone or as {v, u}; the units are those of the driver's table. */
static bool number_of(struct assay_span value, double *number)
{
	struct assay_span inner = keys_value(value, string_of("v"));
	struct reader r;
	if (inner.len > 0)
		value = inner;
	read_init(&r, value.data, value.len);
	switch (read_peek(&r)) {
	case READ_UINT:
	case READ_NEGINT:
	case READ_FLOAT32:
	case READ_FLOAT64: return read_double(&r, number) == 0;
	default: return false;
	}
}

static bool is_same(struct assay_span a, struct assay_span b, double near)
{
	double x, y;
	if (a.len == 0 || b.len == 0)
		return false;
	if (number_of(a, &x) && number_of(b, &y))
		return fabs(x - y) <= near * fabs(y);
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

bool holds_are_met(struct assay_span holds, struct assay_span sent, struct assay_span used)
{
	struct reader r;
	struct assay_string name;
	struct assay_span held;
	size_t pairs;
	read_init(&r, holds.data, holds.len);
	if (read_map(&r, &pairs) < 0)
		return false;
	for (; pairs > 0; pairs--) {
		if (read_key(&r, &name) < 0 || read_raw(&r, &held) < 0)
			return false;
		struct assay_span value = keys_value(sent, name);
		if (!is_same(value.len > 0 ? value : keys_value(used, name), held,
			    value.len > 0 ? 0 : NEAR))
			return false;
	}
	return true;
}

static bool is_calibration(const struct assay_setting *table, struct assay_string name)
{
	for (; table != NULL && table->name != NULL; table++) {
		if (assay_string_is(name, table->name))
			return (table->flags & ASSAY_CALIBRATION) != 0;
	}
	return false;
}

int holds_strip(struct assay_span sent, const struct assay_setting *table, struct buffer *out)
{
	struct reader r;
	struct map map;
	size_t pairs = 0;
	int error = 0;
	buffer_reset(out);
	read_init(&r, sent.data, sent.len);
	map_open(&map, out);
	if (sent.len > 0)
		error = read_map(&r, &pairs);
	for (; error == 0 && pairs > 0; pairs--) {
		struct assay_string name;
		struct assay_span value;
		if (read_key(&r, &name) < 0 || read_raw(&r, &value) < 0)
			error = -EBADMSG;
		else if (!is_calibration(table, name)) {
			map.pairs++;
			encode_text_n(out, name.data, name.len);
			encode_raw(out, value.data, value.len);
		}
	}
	map_close(&map);
	return error < 0 ? error : out->failed ? -ENOMEM : 0;
}
