/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instrument's own time, from the parts that are its fields.  Pure.
 */
#ifndef ASSAY_MODBUS_MAP_DEVICE_TIME_H
#define ASSAY_MODBUS_MAP_DEVICE_TIME_H

#include <assay/driver.h>

#include "reply.h"
#include "rows.h"

/*
 * As "2026-11-30T12:34:56", to the last field that there is, or the digits of an epoch.  Without
 * these parts, or while one of them has no value or an impossible one, the frame has no such time.
 */
void device_time_set(struct replies *replies, const struct rows *rows, struct assay_frame *out);

#endif
