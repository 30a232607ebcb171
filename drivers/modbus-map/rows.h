/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the settings in the form that decode() needs: read once, not at every poll.  Pure;
 * texts are borrowed from the settings.
 */
#ifndef ASSAY_MODBUS_MAP_ROWS_H
#define ASSAY_MODBUS_MAP_ROWS_H

#include <assay/driver.h>

#include "component.h"
#include "part.h"
#include "plan.h"
#include "row.h"
#include "scaling.h"

/* A row of `points`. */
struct rows_point {
	size_t number; /* of the row in its table, from 1 */
	struct row_place place;
	const char *option; /* to which it belongs, or NULL */
	struct scaling scaling;
	struct row_limits limits;
	int parts[PART_USES];    /* their numbers, -1: none; PART_COUNT_MAX: no such part */
	struct assay_variable v; /* without the value; adjusted by the rows of `adjust` */
};

/* A row of `status`. */
struct rows_status {
	struct row_place place;
	const char *option;
	struct row_condition condition;
};

/* Without the rows of options that are not listed.  check_settings() rejects more rows than fit. */
struct rows {
	size_t point_count, status_count, part_count;
	struct rows_point points[PLAN_ITEMS_MAX];
	struct rows_status statuses[PLAN_ITEMS_MAX];
	struct part parts[PART_COUNT_MAX];
	struct components components;
};

/* The driver's prepare slot; `prepared` is a struct rows. */
void rows_prepare(const struct assay_settings *settings, void *prepared);

#endif
