/* SPDX-License-Identifier: Apache-2.0 */
/* The slot that makes a frame of an OPUS file; its contract is in <assay/driver.h>. */
#ifndef BRUKER_WEB_DECODE_H
#define BRUKER_WEB_DECODE_H

#include <assay/driver.h>

/* Choices of the setting `result`; each is computed from the one before it. */
extern const char *const result_names[];

int bruker_decode(const struct assay_decoding *in, struct assay_frame *out);

#endif
