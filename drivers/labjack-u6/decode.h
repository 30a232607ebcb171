/* SPDX-License-Identifier: Apache-2.0 */
/* From the packets of a stream to a piece of a chromatogram. */
#ifndef LABJACK_DECODE_H
#define LABJACK_DECODE_H

#include <assay/driver.h>

int labjack_decode(const struct assay_decoding *in, struct assay_frame *out);

#endif
