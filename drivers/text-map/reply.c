/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

unsigned reply_choice(const char *const *names, const char *name)
{
	unsigned i = 0;
	while (strcmp(names[i], name) != 0)
		i++;
	return i;
}

const char *reply_escaped(const char *bytes, size_t len, char out[WHY_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < len && i < 60; i++) {
		bool is_plain = bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\';
		n += (size_t)snprintf(out + n, WHY_MAX - n, is_plain ? "%c" : "\\x%02X",
			is_plain ? bytes[i] : (unsigned char)bytes[i]);
	}
	snprintf(out + n, WHY_MAX - n, "%s", len > 60 ? "..." : "");
	return out;
}

static size_t mark_read(const char *text, char mark[MARK_MAX])
{
	long n = text != NULL ? pattern_unescape(text, mark, MARK_MAX) : 0;
	return n > 0 ? (size_t)n : 0;
}

void reply_form_read(const struct assay_settings *settings, const struct assay_settings *row,
	struct reply_form *form)
{
	const char *end = assay_text(row, "end");
	*form = (struct reply_form){
		.length = (size_t)assay_int(row, "length"),
		.is_lines = assay_flag(row, "lines"),
		.is_after_end = assay_flag(settings, "checksum_after_end"),
		.checksum_skip = (size_t)assay_int(settings, "checksum_skip"),
	};
	form->begin_len = mark_read(assay_text(row, "begin"), form->begin);
	form->end_len = mark_read(end != NULL ? end : assay_text(settings, "end"), form->end);
	form->checksum_form = (enum checksum_form)reply_choice(
		checksum_forms, assay_text(settings, "checksum_form"));
	if (!assay_flag(row, "unchecked"))
		form->checksum = reply_choice(checksum_names, assay_text(settings, "checksum"));
}

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

ssize_t reply_length(const struct reply_form *form, const char *bytes, size_t len)
{
	size_t after = form->is_after_end ? checksum_width(form->checksum, form->checksum_form) : 0;
	size_t n = 0;
	if (form->length > 0)
		return len >= form->length ? (ssize_t)form->length : 0;
	if (form->end_len > 0) {
		while (n + form->end_len <= len && memcmp(bytes + n, form->end, form->end_len) != 0)
			n++;
		n = n + form->end_len <= len ? n + form->end_len + after : 0;
	} else {
		while (n < len && !is_line_end(bytes[n]))
			n++;
		n = n < len ? n + 1 : 0;
	}
	if (n > REPLY_MAX || (n == 0 && len >= REPLY_MAX))
		return -EBADMSG;
	return n <= len ? (ssize_t)n : 0;
}

/* Takes frame and checksum off the reply; NULL or the fault. */
static const char *unwrap(const struct reply_form *form, const char **bytes, size_t *len)
{
	size_t width = checksum_width(form->checksum, form->checksum_form);
	const char *all = *bytes;
	if (form->length == 0 && form->end_len == 0)
		while (*len > 0 && is_line_end(all[*len - 1]))
			--*len;
	size_t end_len = form->length > 0 ? 0 : form->end_len;
	if (*len < form->checksum_skip + width + end_len)
		return "shorter than its checksum and its end";
	size_t body = *len - width - end_len;
	size_t end_at = form->is_after_end ? body : body + width;
	size_t sum_at = form->is_after_end ? body + end_len : body;
	if (memcmp(all + end_at, form->end, end_len) != 0)
		return "without its end";
	if (width > 0 &&
		!checksum_fits(form->checksum, form->checksum_form, all + form->checksum_skip,
			sum_at - form->checksum_skip, all + sum_at))
		return "with a wrong checksum";
	if (body < form->begin_len || memcmp(all, form->begin, form->begin_len) != 0)
		return "without its beginning";
	*bytes += form->begin_len;
	*len = body - form->begin_len;
	return NULL;
}

static bool match_line(const struct assay_settings *row, const char *address, const char *line,
	size_t len, struct parts *parts)
{
	for (size_t i = 0; i < assay_count(row, "reply"); i++)
		if (pattern_match(assay_text_at(row, "reply", i), address, line, len, parts))
			return true;
	return false;
}

static bool has_words(const struct assay_settings *settings, const struct part *part)
{
	struct parts one = {.count = 1, .list[0] = *part};
	for (size_t i = 0; i < assay_count(settings, "words"); i++)
		if (parts_find(&one, assay_text(assay_row(settings, "words", i), "part")) != NULL)
			return true;
	return false;
}

int reply_read(const struct assay_settings *settings, const struct assay_settings *row,
	const char *bytes, size_t len, struct parts *parts, bool *is_checked, char why[WHY_MAX])
{
	char shown[WHY_MAX];
	struct reply_form form;
	size_t before = parts->count, n;
	const char *line = bytes, *given = assay_text(settings, "address");
	const char *address = given != NULL ? given : "";
	size_t left = len;
	reply_form_read(settings, row, &form);
	const char *fault = unwrap(&form, &line, &left);
	for (bool is_first = true; fault == NULL && (is_first || left > 0); is_first = false) {
		for (n = 0; n < left && !(form.is_lines && is_line_end(line[n])); n++)
			;
		if (!(form.is_lines && n == 0) && !match_line(row, address, line, n, parts)) {
			snprintf(why, WHY_MAX, "the reply '%s' fits no pattern of the profile",
				reply_escaped(line, n, shown));
			return -EBADMSG;
		}
		n += n < left;
		line += n;
		left -= n;
	}
	if (fault != NULL) {
		snprintf(why, WHY_MAX, "a reply %s: '%s'", fault, reply_escaped(bytes, len, shown));
		return -EBADMSG;
	}
	if (parts->is_double) {
		parts->is_double = false;
		snprintf(why, WHY_MAX, "a part came twice, or there are more than %d: '%s'",
			PARTS_MAX, reply_escaped(bytes, len, shown));
		return -EBADMSG;
	}
	*is_checked = form.checksum > 0 || parts->count == before;
	for (size_t i = before; i < parts->count; i++)
		*is_checked = *is_checked || has_words(settings, &parts->list[i]);
	return 0;
}
