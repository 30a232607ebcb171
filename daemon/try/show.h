/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts for the terminal: the bytes of the link, settings, frames.  All that an instrument sent is
 * escaped.  Each function returns lines that the caller frees, or NULL without memory.
 */
#ifndef ASSAY_TRY_SHOW_H
#define ASSAY_TRY_SHOW_H

#include "capture/capture.h"
#include "wire/wire.h"

#define SHOW_BYTES 512 /* of one record; more are counted */

/* One line, formatted; the text arguments have been escaped. */
char *show_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "out 3 bytes", and per 16 bytes a line in hexadecimal with the text beside it. */
char *show_record(const struct capture_record *record);

/* make, model, serial, firmware. */
char *show_identity(const struct wire_identity *identity);

/* The title and a line per setting of a CBOR map. */
char *show_settings(const char *title, struct assay_span settings);

/* Quality, reasons and variables of frame `n`. */
char *show_frame(const struct wire_frame *frame, uint64_t n);

#endif
