/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input and output of `assay-worker --reparse DRIVER`: frames' raw blocks, and the variables that
 * the driver's decode() makes of them.
 *
 * Messages in both directions are a u32 size (little-endian) and as many bytes of CBOR.  The first
 * message of the worker is {driver, version}, once the driver is loaded.  Each request is
 * [settings, raw, references]: the settings as the driver got them, raw blocks as in a frame.  The
 * reply is {kind, vars} as in a frame, or {error}: the reason why decode() or the settings failed.  Each
 * frame is decoded twice: two different results are an error, too.
 *
 * The worker exits at the end of its input.
 */
#ifndef ASSAY_WIRE_REPARSE_H
#define ASSAY_WIRE_REPARSE_H

#include <assay/record.h>

#define REPARSE_SIZE_BYTES 4
#define REPARSE_MAX        (2 * ASSAY_RECORD_MAX) /* of one message */

#endif
