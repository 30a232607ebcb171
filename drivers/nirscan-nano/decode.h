/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NIRSCAN_DECODE_H
#define NIRSCAN_DECODE_H

#include <assay/driver.h>

/* The reply to "read errors" after a scan. */
#define ERRORS_MEDIA "application/x-nirscan-errors"
#define ERRORS_MAX   64

/* Of the first 32 bits of that reply: the scan itself failed. */
#define ERROR_SCAN 0x001

extern const char *const nano_results[];

/* The causes of a failed scan as words, for its code. */
void nano_scan_causes(unsigned code, char *out, size_t size);

int nano_decode(const struct assay_decoding *in, struct assay_frame *out);

#endif
