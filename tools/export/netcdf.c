/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NetCDF-3 with 64-bit offsets for xarray and others: the dimensions are `frame` and the axis, with
 * CF's attributes; a file per run and axis.  Values that are missing or not finite have the fill value.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cdf.h"
#include "collect.h"

#define FILL 9.96920996838686905e+36 /* of netCDF, for both sizes of floats */

/* Attributes have names without blanks. */
static void put_facts(struct cdf *cdf, const struct facts *facts)
{
	cdf_text(cdf, CDF_GLOBAL, "Conventions", "CF-1.8");
	for (enum fact_id i = 0; i < FACTS_COUNT; i++) {
		char name[40];
		snprintf(name, sizeof name, "%s", fact_names[i]);
		for (char *blank; (blank = strchr(name, ' ')) != NULL;)
			*blank = '_';
		if (facts->texts[i][0] != '\0')
			cdf_text(cdf, CDF_GLOBAL, name, facts->texts[i]);
	}
}

static void put_attributes(struct cdf *cdf, size_t var, const struct collect_variable *variable)
{
	cdf_text(cdf, var, "units", variable->unit);
	cdf_text(cdf, var, "long_name", variable->label);
}

/* The name of the variable, with its number if an earlier one has the same. */
static void name_variable(const struct collect_group *group, size_t i, char to[CDF_NAME])
{
	size_t same = 1;
	for (size_t k = 0; k < i; k++)
		same += strcmp(group->variables[k].name, group->variables[i].name) == 0;
	if (same == 1)
		snprintf(to, CDF_NAME, "%s", group->variables[i].name);
	else
		snprintf(to, CDF_NAME, "%s_%zu", group->variables[i].name, same);
}

static void declare(struct cdf *cdf, const struct collect_group *group)
{
	size_t dims[] = {cdf_dim(cdf, "frame", group->frames_count),
		cdf_dim(cdf, group->x.name, group->points_count)};
	put_attributes(cdf, cdf_var(cdf, group->x.name, CDF_DOUBLE, 1, &dims[1]), &group->x);
	size_t time = cdf_var(cdf, "time", CDF_DOUBLE, 1, dims);
	cdf_text(cdf, time, "units", "seconds since 1970-01-01 00:00:00");
	cdf_text(cdf, time, "calendar", "standard");
	size_t number = cdf_var(cdf, "frame_number", CDF_INT, 1, dims);
	cdf_text(cdf, number, "long_name", "number of the frame in the run");
	size_t quality = cdf_var(cdf, "quality", CDF_SHORT, 1, dims);
	cdf_text(cdf, quality, "long_name", "1 good, 2 unchecked, 3 suspect, 4 bad, 9 missing");
	for (size_t i = 0; i < group->variables_count; i++) {
		enum cdf_type type = group->variables[i].is_single ? CDF_FLOAT : CDF_DOUBLE;
		char name[CDF_NAME];
		name_variable(group, i, name);
		size_t var = cdf_var(cdf, name, type, 2, dims);
		put_attributes(cdf, var, &group->variables[i]);
		cdf_number(cdf, var, "_FillValue", type, FILL);
	}
}

static void put_values(struct cdf *cdf, const struct collect_group *group, struct buffer *to)
{
	for (size_t i = 0; i < group->points_count; i++)
		cdf_put(cdf, to, group->points[i]);
	for (size_t i = 0; i < group->frames_count; i++)
		cdf_put(cdf, to, (double)group->frames[i].utc / (double)NS_PER_S);
	for (size_t i = 0; i < group->frames_count; i++)
		cdf_put(cdf, to, (double)group->frames[i].n);
	for (size_t i = 0; i < group->frames_count; i++)
		cdf_put(cdf, to, (double)group->frames[i].quality);
	for (size_t v = 0; v < group->variables_count; v++) {
		size_t from = 0;
		for (size_t f = 0; f < group->frames_count; f++) {
			const double *y = collect_find(group, f, v, &from);
			for (size_t i = 0; i < group->points_count; i++)
				cdf_put(cdf, to, y != NULL && isfinite(y[i]) ? y[i] : FILL);
		}
	}
}

static int end(struct export *e)
{
	static struct cdf cdf;
	const struct collect_group *group;
	int r = collect_next(e, &group);
	if (r <= 0)
		return r;
	cdf.is_64 = true;
	put_facts(&cdf, &e->about);
	declare(&cdf, group);
	r = cdf_head(&cdf, &e->to);
	if (r == 0)
		put_values(&cdf, group, &e->to);
	cdf_finish(&cdf);
	return r < 0 ? r : collect_more(e);
}

const struct export_format export_netcdf = {.survey = facts_only,
	.entry = collect_add,
	.end = end,
	.forget = collect_forget,
	.lacks = "settings and setup of the instrument; variables without an axis; reasons of a "
		 "frame's quality; digits of integers above 2^53"};
