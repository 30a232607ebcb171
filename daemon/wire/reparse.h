/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `assay-worker --reparse DRIVER` reads and writes: frames' raw blocks, and what the driver's
 * decode() makes of them.
 *
 * Both ways messages follow one another, each a u32 size (little-endian) and that many bytes of
 * CBOR.
 *
 *	worker	{driver, version}		once, when the driver is loaded
 *	other	[settings, raw, references]	settings as the driver got them; raw blocks as in a frame
 *	worker	{kind, vars}			as in a frame; or
 *	worker	{error}				decode() or the settings failed: why
 *
 * The end of the input is the end.
 */
#ifndef ASSAY_WIRE_REPARSE_H
#define ASSAY_WIRE_REPARSE_H

#include <assay/record.h>

#define REPARSE_SIZE_BYTES 4
#define REPARSE_MAX        (2 * ASSAY_RECORD_MAX) /* of one message */

#endif
