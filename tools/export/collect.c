/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "record/text.h"
#include "spectrum.h"

/* Room for one more element. */
static int grow(void **list, size_t count, size_t *size, size_t element)
{
	if (count < *size)
		return 0;
	size_t more = *size > 0 ? 2 * *size : 16;
	void *grown = reallocarray(*list, more, element);
	if (grown == NULL)
		return -ENOMEM;
	*list = grown;
	*size = more;
	return 0;
}

static double *copy_numbers(struct collection *c, const struct assay_var_view *var, int *error)
{
	uint64_t bytes = var->count * sizeof(double);
	double *numbers = c->bytes + bytes <= COLLECT_MAX ? malloc((size_t)bytes) : NULL;
	*error = numbers != NULL ? 0 : c->bytes + bytes > COLLECT_MAX ? -EFBIG : -ENOMEM;
	for (size_t i = 0; numbers != NULL && i < var->count; i++)
		numbers[i] = assay_var_number(var, i);
	c->bytes += numbers != NULL ? bytes : 0;
	return numbers;
}

static void describe(struct collect_variable *to, const struct assay_var_view *var)
{
	*to = (struct collect_variable){.is_single = true};
	text_copy(to->name, sizeof to->name, var->name);
	text_escape(to->unit, sizeof to->unit, var->unit);
	size_t len = (size_t)snprintf(to->label, sizeof to->label, "%s", to->name);
	char part[80];
	text_escape(part, sizeof part, var->analyte);
	if (var->analyte.data != NULL)
		len += (size_t)snprintf(to->label + len, sizeof to->label - len, " %s", part);
	text_escape(part, sizeof part, var->channel);
	if (var->channel.data != NULL && len < sizeof to->label)
		len += (size_t)snprintf(to->label + len, sizeof to->label - len, " {%s}", part);
	if (len < sizeof to->label)
		snprintf(to->label + len, sizeof to->label - len, " [%s]", to->unit);
}

/* --- groups ----------------------------------------------------------------------------------- */

static bool has_axis(const struct collect_group *group, const struct collect_variable *x,
	const struct assay_var_view *axis)
{
	if (group->points_count != axis->count || strcmp(group->x.label, x->label) != 0)
		return false;
	for (size_t i = 0; i < axis->count; i++) {
		double point = assay_var_number(axis, i);
		if (memcmp(&group->points[i], &point, sizeof point) != 0)
			return false;
	}
	return true;
}

/* The group of this axis, maybe a new one; NULL after an error. */
static struct collect_group *find_group(
	struct collection *c, const struct assay_var_view *axis, int *error)
{
	struct collect_variable x;
	describe(&x, axis);
	for (size_t i = 0; i < c->count; i++) {
		if (has_axis(&c->groups[i], &x, axis))
			return &c->groups[i];
	}
	*error = c->count == EXPORT_TABLES_MAX ? -E2BIG : 0;
	struct collect_group *groups = *error == 0 ? reallocarray(c->groups, c->count + 1,
							     sizeof *groups)
						   : NULL;
	if (groups == NULL) {
		*error = *error < 0 ? *error : -ENOMEM;
		return NULL;
	}
	c->groups = groups;
	groups[c->count] = (struct collect_group){.x = x, .points_count = axis->count};
	groups[c->count].points = copy_numbers(c, axis, error);
	if (*error < 0)
		return NULL;
	return &groups[c->count++];
}

/* The variable's place in the group; COLLECT_VARS: there are too many. */
static size_t find_variable(struct collect_group *group, const struct assay_var_view *var)
{
	struct collect_variable variable;
	size_t i = 0;
	describe(&variable, var);
	while (i < group->variables_count && strcmp(group->variables[i].label, variable.label) != 0)
		i++;
	if (i == group->variables_count && i < COLLECT_VARS)
		group->variables[group->variables_count++] = variable;
	if (i < COLLECT_VARS)
		group->variables[i].is_single &= var->form == ASSAY_FORM_ARRAY &&
						 var->element == ASSAY_ELEMENT_F32;
	return i;
}

static int add_frame(struct collect_group *group, const struct assay_frame_view *frame)
{
	size_t count = group->frames_count;
	if (count > 0 && group->frames[count - 1].n == frame->record.n)
		return 0;
	void *frames = group->frames;
	int r = grow(&frames, count, &group->frames_size, sizeof *group->frames);
	group->frames = frames;
	if (r < 0)
		return r;
	group->frames[group->frames_count++] = (struct collect_frame){
		.n = frame->record.n, .utc = frame->record.t.utc, .quality = frame->quality};
	return 0;
}

static int add_spectrum(
	struct export *e, const struct assay_frame_view *frame, const struct spectrum *s)
{
	struct collection *c = e->own;
	int r = 0;
	struct collect_group *group = find_group(c, &s->x, &r);
	size_t variable = group != NULL ? find_variable(group, &s->y) : 0;
	if (group == NULL)
		return r;
	if (variable == COLLECT_VARS) {
		export_note(e, "spectra left out: too many variables over one axis", 1);
		return 0;
	}
	void *spectra = group->spectra;
	r = grow(&spectra, group->spectra_count, &group->spectra_size, sizeof *group->spectra);
	group->spectra = spectra;
	if (r == 0)
		r = add_frame(group, frame);
	double *y = r == 0 ? copy_numbers(c, &s->y, &r) : NULL;
	if (y != NULL)
		group->spectra[group->spectra_count++] = (struct collect_spectrum){
			.frame = group->frames_count - 1, .variable = variable, .y = y};
	return r;
}

int collect_add(struct export *e, const struct export_item *item)
{
	struct spectrum s;
	size_t i = 0;
	int r = 0;
	if (!item->is_frame)
		return 0;
	if (e->own == NULL)
		e->own = calloc(1, sizeof(struct collection));
	if (e->own == NULL)
		return -ENOMEM;
	for (; r == 0 && spectrum_at(&item->frame, i, &s) == 0; i++) {
		if (spectrum_has_axis(&s))
			r = add_spectrum(e, &item->frame, &s);
		else
			export_note(e,
				"spectra left out: their axis has values that are not numbers", 1);
	}
	if (i == 0)
		export_note(e, "frames of another kind left out: no numbers over one axis", 1);
	return r;
}

int collect_next(struct export *e, const struct collect_group **group)
{
	struct collection *c = e->own;
	bool is_new;
	if (c == NULL || c->next == c->count)
		return 0;
	*group = &c->groups[c->next++];
	int r = export_choose_file(e, c->next, &is_new);
	return r < 0 ? r : 1;
}

int collect_more(const struct export *e)
{
	const struct collection *c = e->own;
	return c != NULL && c->next < c->count;
}

const double *collect_find(
	const struct collect_group *group, size_t frame, size_t variable, size_t *from)
{
	const struct collect_spectrum *s = group->spectra;
	while (*from < group->spectra_count && s[*from].frame < frame)
		(*from)++;
	for (size_t i = *from; i < group->spectra_count && s[i].frame == frame; i++) {
		if (s[i].variable == variable)
			return s[i].y;
	}
	return NULL;
}

void collect_forget(struct export *e)
{
	struct collection *c = e->own;
	for (size_t i = 0; i < c->count; i++) {
		struct collect_group *group = &c->groups[i];
		for (size_t k = 0; k < group->spectra_count; k++)
			free(group->spectra[k].y);
		free(group->spectra);
		free(group->frames);
		free(group->points);
	}
	free(c->groups);
	free(c);
}
