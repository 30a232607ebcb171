/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "config/hint.h"
#include "config/reading.h"

void load_found(struct load *load, const struct node *node, const char *format, ...)
{
	char found[80], expected[300], hint[80] = "";
	va_list args;
	va_start(args, format);
	vsnprintf(expected, sizeof expected, format, args);
	va_end(args);
	if (node->type == NODE_SCALAR)
		hint_missing_space(node->text, hint, sizeof hint);
	load_error(load, node->mark, "found %s, %s%s", node_found(node, found, sizeof found),
		expected, hint);
}

struct assay_span load_keep(struct load *load, struct buffer *from)
{
	const uint8_t *bytes = from->failed ? NULL : arena_copy(load->arena, from->data, from->len);
	struct assay_span kept = {bytes, bytes != NULL ? from->len : 0};
	load->arena->failed |= from->failed;
	buffer_finish(from);
	return kept;
}
