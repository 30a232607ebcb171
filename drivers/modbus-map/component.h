/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table `components`: the substances that the codes of an instrument stand for.
 */
#ifndef ASSAY_MODBUS_MAP_COMPONENT_H
#define ASSAY_MODBUS_MAP_COMPONENT_H

#include <assay/driver.h>

#define COMPONENT_COUNT_MAX 200

struct component {
	int64_t code;
	const char *analyte; /* NULL: the code means that there is none */
	const char *cas, *label;
};

struct components {
	struct component list[COMPONENT_COUNT_MAX];
	size_t count;
};

extern const struct assay_setting component_columns[];

/* Texts are borrowed from the settings. */
void components_read(const struct assay_settings *settings, struct components *components);

/* NULL: the table does not have the code. */
const struct component *component_find(const struct components *components, int64_t code);

#endif
