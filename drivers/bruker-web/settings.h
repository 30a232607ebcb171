/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's settings, and their contradictions. */
#ifndef BRUKER_WEB_SETTINGS_H
#define BRUKER_WEB_SETTINGS_H

#include <assay/driver.h>

extern const struct assay_setting bruker_settings[];

/* For configure(): 0, or -EINVAL, explained. */
int bruker_settings_refuse(struct assay_instrument *ins);

void bruker_check(const struct assay_settings *settings, struct assay_check *out);

#endif
