/* SPDX-License-Identifier: Apache-2.0 */
/* Places in the journal as people say them. */
#ifndef ASSAY_ASSAYCTL_WHEN_H
#define ASSAY_ASSAYCTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* The whole text is a number without sign; false for anything else. */
bool when_number(const char *text, uint64_t *value);

/* "2026-11-22", "2026-11-22T08:00:00Z": ns since 1970; of a day its beginning, or its end. */
bool when_time(const char *text, bool end, uint64_t *ns);

/* The same, or a duration such as "2h", "90 min", "7 d", before now. */
bool when_ago(const char *text, uint64_t *ns);

#endif
