/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a recording out of memory.  Trusts nothing: lengths are checked against what is there,
 * every checksum is compared.
 */
#ifndef ASSAY_CAPTURE_READ_H
#define ASSAY_CAPTURE_READ_H

#include "capture/capture.h"

/*
 * The head at data[0 ... len).  Returns its size, 0 when more bytes are needed, or -EBADMSG for
 * what is no recording, is damaged, or is of a version that this program does not know.
 */
long capture_read_head(const uint8_t *data, size_t len, struct capture_head *head);

/*
 * The record at data[0 ... len): its size, with `record` borrowing from `data`; 0 when more bytes
 * are needed; -EBADMSG when it is damaged.
 */
long capture_read(const uint8_t *data, size_t len, struct capture_record *record);

/* Of a MISSING record. */
void capture_read_missing(const struct capture_record *record, uint64_t *records, uint64_t *bytes);

/* True when data[0 ... len) is nothing but whole records, none of them END. */
bool capture_are_records(const uint8_t *data, size_t len);

#endif
