/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the raw blocks of one poll to a frame.  Pure.
 */
#ifndef ASSAY_MODBUS_MAP_DECODE_H
#define ASSAY_MODBUS_MAP_DECODE_H

#include <assay/driver.h>

/* Register bytes in wire order, or bits packed as on the wire (the first in bit 0). */
#define MAP_MEDIA_REGISTERS "application/x-modbus-registers"
/* If the request failed: "timeout", "malformed" or "exception 2". */
#define MAP_MEDIA_FAILURE   "application/x-modbus-failure"

/* The driver's decode slot. */
int map_decode(const struct assay_decoding *in, struct assay_frame *out);

#endif
