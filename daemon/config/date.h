/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as people write them, always UTC. */
#ifndef ASSAY_CONFIG_DATE_H
#define ASSAY_CONFIG_DATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads "2027-04-01" or "2027-04-01T12:00:00Z" as ns since 1970; of a day its start, or with `end`
 * the start of the next one.  0, or -EINVAL for other texts and for days that do not exist.
 */
int date_parse(const char *text, bool end, uint64_t *ns);

#endif
