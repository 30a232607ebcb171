/* SPDX-License-Identifier: Apache-2.0 */
/* Reports the facts that a file states, as texts of the run-start. */
#ifndef FILE_IMPORT_FACTS_H
#define FILE_IMPORT_FACTS_H

#include "find.h"

/* Choices of the setting `sample_from`. */
extern const char *const facts_samples[];

/*
 * Calls assay_began() with the sample id by the setting, or with none if it is no id, and reports the other
 * facts.  In start(), for a data set that is a run.
 */
void facts_report(struct assay_instrument *ins, const struct source *s, const struct found *found);

#endif
