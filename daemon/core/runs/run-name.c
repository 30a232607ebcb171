/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runs/run-name.h"

int run_name_read(struct reader *r, const struct key *key, void *to)
{
	struct run_name *name = to;
	struct assay_string text;
	struct assay_span bytes;
	size_t at = r->at;
	if (read_peek(r) == READ_TEXT) {
		if (read_text(r, &text) == 0 && text.len > 0 &&
			text_copy(name->number, sizeof name->number, text))
			return 0;
	} else if (read_peek(r) == READ_BYTES && read_bytes(r, &bytes) == 0 &&
		   bytes.len == ASSAY_UUID_SIZE) {
		name->id = bytes.data;
		return 0;
	}
	return read_fail(r, at,
		"must be a number such as bench-3/xrf-1/20261122-007, or a UUID of 16 bytes");
}

struct runs_search run_name_search(const struct run_name *name)
{
	return (struct runs_search){
		.id = name->id, .number = name->id == NULL ? name->number : NULL};
}
