/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "config/hint.h"
#include "config/reading.h"
#include "config/warnings.h"
#include "record/text.h"

void load_found(struct load *load, const struct node *node, const char *format, ...)
{
	char found[80], expected[300], hint[100] = "";
	va_list args;
	va_start(args, format);
	vsnprintf(expected, sizeof expected, format, args);
	va_end(args);
	if (node->type == NODE_SCALAR)
		hint_value(node->text, hint, sizeof hint);
	if (node->is_cut && node_is_nothing(node))
		snprintf(hint, sizeof hint, "; " WARN_CUT);
	load_error(load, node->mark, "found %s, %s%s", node_found(node, found, sizeof found),
		expected, hint);
}

bool load_seen(struct load *load, const struct node *node)
{
	char why[300], shown[240];
	if (text_check_id(string_of(node->text), why, sizeof why) == 0)
		return true;
	text_escape(shown, sizeof shown, string_of(node->text));
	load_error(load, node->mark,
		"found '%s', expected a text without control or invisible characters, and without "
		"blanks at its ends",
		shown);
	return false;
}

struct assay_span load_keep(struct load *load, struct buffer *from)
{
	const uint8_t *bytes = from->failed ? NULL : arena_copy(load->arena, from->data, from->len);
	struct assay_span kept = {bytes, bytes != NULL ? from->len : 0};
	load->arena->failed |= from->failed;
	buffer_finish(from);
	return kept;
}
