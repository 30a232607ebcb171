/* SPDX-License-Identifier: Apache-2.0 */
/* The channels of a scan by the settings, and its points.  Pure. */
#ifndef PRISMAPRO_PLAN_H
#define PRISMAPRO_PLAN_H

#include <assay/driver.h>

#define MASS_MAX   300
#define IONS_MAX   100
#define POINTS_MAX (MASS_MAX * 100 + 2)

/* Masses are in hundredths of 1 u, the instrument's smallest step. */
struct plan {
	bool is_sweep, has_total;
	unsigned first, last, per_u; /* of a sweep */
	size_t ions;                 /* of single masses: a channel each */
	unsigned dwell_ms;
	size_t points; /* values of a scan: ion currents, then the total pressure */
};

/* False if settings contradict each other. */
bool plan_read(const struct assay_settings *s, struct plan *out);

/* The mass of a single ion. */
unsigned plan_ion(const struct assay_settings *s, size_t i);

/* The number of channels, which are counted from 1. */
unsigned plan_channels(const struct plan *plan);

/* The parameters of a channel, as they are sent: "channelMode=Sweep&startMass=0&...". */
void plan_channel(const struct plan *plan, const struct assay_settings *s, unsigned channel,
	char *text, size_t size);

/* The sum of the dwell times of a scan. */
uint64_t plan_scan_ms(const struct plan *plan);

/* 0, or -EINVAL with the reason. */
int plan_refuse(struct assay_instrument *ins);

void plan_check(const struct assay_settings *s, struct assay_check *out);

#endif
