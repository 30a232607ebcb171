/* SPDX-License-Identifier: Apache-2.0 */
/* The gas in a vacuum chamber, for mass spectrometers: the pressure that one shows at a mass. */
#ifndef ASSAY_SIM_RESIDUE_H
#define ASSAY_SIM_RESIDUE_H

struct residue_gas;

/* NULL when there is none of that name; "none" is the residue alone. */
const struct residue_gas *residue_find(const char *name);

/* At `total` Torr, of which a fifth is `added`. */
double residue_at(const struct residue_gas *added, double total, double mass);

#endif
