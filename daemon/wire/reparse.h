/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `assay-worker --reparse DRIVER` reads and writes: frames' raw blocks, and what the driver's
 * decode() makes of them.
 *
 * Both ways messages follow one another, each a u32 size (little-endian) and that many bytes of
 * CBOR.  The worker begins with {driver, version}, once the driver is loaded.  Each request is
 * [settings, raw, references]: the settings as the driver got them, raw blocks as in a frame.  Its
 * answer is {kind, vars} as in a frame, or {error}: why decode() or the settings failed.
 *
 * The end of the input is the end.
 */
#ifndef ASSAY_WIRE_REPARSE_H
#define ASSAY_WIRE_REPARSE_H

#include <assay/record.h>

#define REPARSE_SIZE_BYTES 4
#define REPARSE_MAX        (2 * ASSAY_RECORD_MAX) /* of one message */

#endif
