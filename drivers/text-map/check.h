/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that a profile keeps, beyond the types and ranges of its columns.  Pure. */
#ifndef ASSAY_TEXT_MAP_CHECK_H
#define ASSAY_TEXT_MAP_CHECK_H

#include <assay/driver.h>

/* The driver's check and configure slots: all findings, or the first error as the explanation. */
void check_settings(const struct assay_settings *settings, struct assay_check *out);
int check_configure(struct assay_instrument *ins);

#endif
