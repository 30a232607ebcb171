/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ANDI (AIA), which is netCDF of agreed names: ASTM E2077 for mass spectra, E1947 for chromatograms.
 * Names of variables are in the column `andi` of config/names.csv.
 */
#ifndef ASSAY_EXPORT_ANDI_H
#define ASSAY_EXPORT_ANDI_H

#include "cdf.h"
#include "export.h"

#define ANDI_UNKNOWN (-9999.0) /* a number that is not known */

/* The name of a variable of ours. */
const char *andi_name(const char *name);

/* A text attribute of the file; nothing if the text is empty. */
void andi_text(struct cdf *cdf, const char *name, const char *text);

/* "20261129213000+0000" */
void andi_time(struct cdf *cdf, const char *name, uint64_t ns);

/* The attributes that both kinds have; `revision` is the name of their template's. */
void andi_common(
	struct cdf *cdf, const struct export *e, const char *revision, const char *version);

#endif
