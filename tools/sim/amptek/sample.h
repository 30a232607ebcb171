/* SPDX-License-Identifier: Apache-2.0 */
/* The samples: name and mass fractions of the elements. */
#ifndef ASSAY_SIM_AMPTEK_SAMPLE_H
#define ASSAY_SIM_AMPTEK_SAMPLE_H

struct component {
	int element; /* atomic number; 0 ends the list */
	double mass; /* fraction; the fractions of a sample are scaled to a sum of one */
};

struct sample {
	const char *name, *summary;
	struct component components[24];
};

/* Ends with a NULL name. */
extern const struct sample samples[];

/* For options_choice(): the names in the same order, then NULL. */
extern const char *const sample_names[];

#endif
