/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Make, model, serial number and firmware from registers.
 */
#ifndef ASSAY_MODBUS_MAP_IDENTITY_H
#define ASSAY_MODBUS_MAP_IDENTITY_H

#include <assay/driver.h>

extern const struct assay_setting identity_columns[];

/* Reads "0x210=ADAM-4017+".  False if it is no such entry; *text is a part of `entry`. */
bool identity_code_read(
	const struct assay_host *host, const char *entry, int64_t *code, const char **text);

/* Reads the fields that the table `identity` has; without one the identity is declared. */
int identity_read(struct assay_instrument *ins, struct assay_identity *id);

#endif
