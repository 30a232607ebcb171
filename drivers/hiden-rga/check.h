/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that contradict each other, whichever unit it is: the slots check and configure. */
#ifndef ASSAY_HIDEN_RGA_CHECK_H
#define ASSAY_HIDEN_RGA_CHECK_H

#include <assay/driver.h>

void hiden_check(const struct assay_settings *settings, struct assay_check *out);
int hiden_configure(struct assay_instrument *ins);

#endif
