/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a recording from memory.  Lengths are checked against the bytes present, and every checksum
 * is compared.
 */
#ifndef ASSAY_CAPTURE_READ_H
#define ASSAY_CAPTURE_READ_H

#include "capture/capture.h"

/*
 * The head at data[0 ... len).  Returns its size, 0 if more bytes are needed, or -EBADMSG for bytes
 * that are not a recording, are damaged, or have a version that this program does not know.
 */
long capture_read_head(const uint8_t *data, size_t len, struct capture_head *head);

/*
 * The record at data[0 ... len): its size, with `record` borrowing from `data`; 0 when more bytes
 * are needed; -EBADMSG when it is damaged.
 */
long capture_read(const uint8_t *data, size_t len, struct capture_record *record);

/* Of a MISSING record. */
void capture_read_missing(const struct capture_record *record, uint64_t *records, uint64_t *bytes);

/* True if data[0 ... len) consists of whole records, none of them END. */
bool capture_are_records(const uint8_t *data, size_t len);

#endif
