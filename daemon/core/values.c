/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/values.h"
#include "record/read.h"

static int read_quantity(struct reader *r, double *value, struct assay_string *unit)
{
	size_t pairs;
	struct assay_string key;
	if (read_map(r, &pairs) < 0)
		return -1;
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "v"))
			read_double(r, value);
		else if (assay_string_is(key, "u"))
			read_text(r, unit);
		else
			read_skip(r);
	}
	return r->error;
}

void values_format(char *text, size_t size, const uint8_t *data, size_t len)
{
	struct reader r;
	size_t pairs, at = 0;
	struct assay_string name;
	text[0] = '\0';
	read_init(&r, data, len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && at < size; pairs--) {
		double value = 0;
		struct assay_string unit = {0};
		if (read_quantity(&r, &value, &unit) < 0)
			return;
		bool plain = unit.len == 0 || assay_string_is(unit, "1") || unit.data[0] == '{';
		int n = snprintf(text + at, size - at, "%s%.*s %.6g%s%.*s", at > 0 ? ", " : "",
			(int)name.len, name.data, value, plain ? "" : " ",
			plain ? 0 : (int)unit.len, plain ? "" : unit.data);
		at += n > 0 ? (size_t)n : 0;
	}
}
