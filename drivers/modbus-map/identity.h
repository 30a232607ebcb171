/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Make, model, serial number and firmware from registers.
 */
#ifndef ASSAY_MODBUS_MAP_IDENTITY_H
#define ASSAY_MODBUS_MAP_IDENTITY_H

#include <assay/driver.h>

extern const struct assay_setting identity_columns[];

/* Reads the fields that the table `identity` has; without one the identity is declared. */
int identity_read(struct assay_instrument *ins, struct assay_identity *id);

#endif
