/* SPDX-License-Identifier: Apache-2.0 */
/* The first difference between the recorded and the decoded variables of a frame. */
#ifndef ASSAY_ASSAYCTL_DIFFER_H
#define ASSAY_ASSAYCTL_DIFFER_H

#include <assay/record.h>
#include <stdbool.h>

#define DIFFER_TEXT 160

/*
 * True if the arrays of variables differ, with the first difference in words: "counts[17]",
 * "temperature: unit", "2 variables instead of 3".
 */
bool vars_differ(struct assay_span recorded, struct assay_span decoded, char text[DIFFER_TEXT]);

#endif
