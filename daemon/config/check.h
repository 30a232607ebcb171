/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of drivers: settings that were read go through the driver's check() in a worker process,
 * and its findings become errors and warnings with file, line and column.
 */
#ifndef ASSAY_CONFIG_CHECK_H
#define ASSAY_CONFIG_CHECK_H

#include "config/reading.h"

/* Settings to be checked, and the nodes that they were made of. */
struct check_item {
	const struct catalog_driver *driver;
	struct assay_span settings;
	const struct node *nodes, *calibration; /* maps by name, or NULL */
	struct config_mark where;               /* of a finding about a default */
	const char *of;                         /* the instrument */
	bool is_step;                           /* of a method, over the instrument's settings */
	struct check_item *next;
};

/* Notes settings that were read without an error; copies the item. */
void check_add(struct load *load, const struct check_item *item);

/* Notes the nodes of a method's step. */
void check_add_step(struct load *load, const struct config_step *step, const struct node *nodes);

/* The steps of all methods, over each instrument of their driver; those without a finding of it. */
void check_add_methods(struct load *load);

/*
 * The answer of `assay-worker --check` about the items of a driver, in their order: findings become
 * errors and warnings.  0, or -EBADMSG, perhaps after some of them.
 */
int check_take_answer(
	struct load *load, const struct catalog_driver *driver, struct assay_span answer);

/* Runs the checks, one process per driver. */
void check_run(struct load *load);

#endif
