/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a calibration holds for the settings of a measurement, and settings without it. */
#ifndef ASSAY_WORKER_HOLDS_H
#define ASSAY_WORKER_HOLDS_H

#include <assay/driver.h>
#include <assay/record.h>
#include <stdbool.h>

#include "base/buffer.h"

/*
 * `holds`, `sent` and `used` are CBOR maps name => setting; `used` has the values read back.  A
 * value that was sent must be the one that the calibration holds for: the driver has made sure that
 * the instrument took it.  One that was only read back may differ by a thousandth, because people
 * write the nominal value.  A value that is not known does not hold.
 */
bool holds_are_met(struct assay_span holds, struct assay_span sent, struct assay_span used);

/* Appends `sent` without the values flagged ASSAY_CALIBRATION.  0, -EBADMSG or -ENOMEM. */
int holds_strip(struct assay_span sent, const struct assay_setting *table, struct buffer *out);

#endif
