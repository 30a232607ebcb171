/* SPDX-License-Identifier: Apache-2.0 */
/* The spectra of gases under electron impact at 70 eV: masses of the fragments, intensities. */
#ifndef ASSAY_SIM_RGA_GAS_H
#define ASSAY_SIM_RGA_GAS_H

#include <stddef.h>
#include <stdint.h>

#define RGA_FRAGMENTS_MAX 12

struct rga_gas {
	const char *name;
	double ionization; /* relative to nitrogen */
	struct rga_fragment {
		uint16_t mass;  /* 0 ends the list */
		double percent; /* of the base peak */
	} fragments[RGA_FRAGMENTS_MAX + 1];
};

/* The gas of that name (upper or lower case), static, or NULL. */
const struct rga_gas *rga_gas_find(const char *name, size_t len);

/* All of them, ended by a NULL name. */
extern const struct rga_gas rga_gases[];

#endif
