/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "record/element.h"
#include "record/format.h"

static int read_view(const void *body, size_t len, struct assay_frame_view *view)
{
	struct reader r;
	struct schema_walk walk = {.r = &r};
	memset(view, 0, sizeof *view);
	if (len > ASSAY_RECORD_MAX)
		return -EBADMSG;
	read_init(&r, body, len);
	if (format_read_record(&walk, view) == 0)
		read_finish(&r);
	view->record.body = (struct assay_span){body, len};
	return r.error;
}

int assay_record_read(const void *body, size_t len, struct assay_record_view *record)
{
	struct assay_frame_view view;
	int error = read_view(body, len, &view);
	*record = error == 0 ? view.record : (struct assay_record_view){0};
	return error;
}

int assay_frame_read(const void *body, size_t len, struct assay_frame_view *frame)
{
	int error = read_view(body, len, frame);
	if (error == 0 && frame->record.type != ASSAY_RECORD_FRAME)
		error = -EINVAL;
	if (error == 0 && frame->vars.data == NULL)
		error = -EBADMSG;
	if (error < 0) {
		*frame = (struct assay_frame_view){0};
		return error;
	}
	struct reader r;
	read_init(&r, frame->vars.data, frame->vars.len);
	if (read_array(&r, &frame->vars_count) < 0)
		return -EBADMSG;
	assay_frame_rewind(frame);
	return 0;
}

/* Starts behind the array's head, whose length follows from its count. */
void assay_frame_rewind(struct assay_frame_view *frame)
{
	struct reader r;
	size_t items;
	read_init(&r, frame->vars.data, frame->vars.len);
	read_array(&r, &items);
	frame->next_var = 0;
	frame->next_at = r.at;
}

int assay_frame_next(struct assay_frame_view *frame, struct assay_var_view *var)
{
	struct reader r;
	struct schema_walk walk = {.r = &r};
	if (frame->next_var >= frame->vars_count)
		return 0;
	memset(var, 0, sizeof *var);
	read_init(&r, frame->vars.data + frame->next_at, frame->vars.len - frame->next_at);
	if (schema_read_map(&walk, &format_variable, var) < 0)
		return -EBADMSG;
	if (var->form == 0)
		return -EBADMSG;
	frame->next_var++;
	frame->next_at += r.at;
	return 1;
}

int assay_frame_find(
	const struct assay_frame_view *frame, const char *name, struct assay_var_view *var)
{
	struct assay_frame_view walk = *frame;
	assay_frame_rewind(&walk);
	while (assay_frame_next(&walk, var) == 1)
		if (assay_string_is(var->name, name))
			return 0;
	return -ENOENT;
}

static bool has_elements(const struct assay_var_view *var)
{
	return var->form == ASSAY_FORM_ARRAY || var->form == ASSAY_FORM_ND;
}

double assay_var_number(const struct assay_var_view *var, size_t i)
{
	assert(i < var->count);
	if (has_elements(var))
		return element_number(var->element, var->data.data, i);
	switch (var->form) {
	case ASSAY_FORM_LINEAR: return var->start + (double)i * var->step;
	case ASSAY_FORM_INT: return (double)var->i;
	case ASSAY_FORM_UINT: return (double)var->u;
	case ASSAY_FORM_FLOAT: return var->f;
	default: return NAN;
	}
}

bool assay_var_integer(const struct assay_var_view *var, size_t i, uint64_t *u, bool *negative)
{
	assert(i < var->count);
	*negative = false;
	if (has_elements(var) && !element_is_float(var->element)) {
		*u = element_integer(var->element, var->data.data, i, negative);
		return true;
	}
	if (var->form == ASSAY_FORM_INT) {
		*negative = var->i < 0;
		*u = *negative ? -(uint64_t)var->i : (uint64_t)var->i;
	} else {
		*u = var->u;
	}
	return var->form == ASSAY_FORM_INT || var->form == ASSAY_FORM_UINT;
}

struct assay_string assay_var_text(const struct assay_var_view *var, size_t i)
{
	struct reader r;
	struct assay_string text = {0};
	size_t items;
	assert(i < var->count);
	if (var->form == ASSAY_FORM_TEXT)
		return var->text;
	if (var->form != ASSAY_FORM_TEXTS)
		return text;
	read_init(&r, var->data.data, var->data.len);
	read_array(&r, &items);
	for (size_t at = 0; at <= i; at++)
		read_text(&r, &text);
	return text;
}
