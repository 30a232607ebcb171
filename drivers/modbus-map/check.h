/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that a map keeps, beyond the types and ranges of its columns.  Pure. */
#ifndef ASSAY_MODBUS_MAP_CHECK_H
#define ASSAY_MODBUS_MAP_CHECK_H

#include <assay/driver.h>

#include "plan.h"

struct check_place {
	const char *setting;
	long row; /* of a table, from 0; -1: the setting itself */
	const char *column;
};

typedef void check_report(
	void *arg, enum assay_level level, const struct check_place *place, const char *text);

/* Reports every error and warning in order; returns the number of errors. */
size_t check_settings(const struct assay_settings *settings, check_report *report, void *arg);

/* Checks ins->settings and makes their plan.  0 or -EINVAL, explained with the first error. */
int check_plan(struct assay_instrument *ins, struct plan *plan);

/* The driver's check slot. */
void map_check(const struct assay_settings *settings, struct assay_check *out);

#endif
