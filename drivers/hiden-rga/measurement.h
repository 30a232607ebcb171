/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement from start to stop: the slots of <assay/driver.h>. */
#ifndef ASSAY_HIDEN_RGA_MEASUREMENT_H
#define ASSAY_HIDEN_RGA_MEASUREMENT_H

#include <assay/driver.h>

#define HIDEN_MEDIA_STATUS "application/x-hiden-rga-status"
#define HIDEN_MEDIA_DATA   "application/x-hiden-rga-data"

/* Ends another job, switches the filament, and writes the scan's table. */
int hiden_start(struct assay_instrument *ins);

/* One scan, and the unit's state after it. */
int hiden_acquire(struct assay_instrument *ins, struct assay_raw *raw);

/* Ends a running scan, and switches off the parts that start switched on. */
int hiden_stop(struct assay_instrument *ins);

/* In decode.c. */
int hiden_decode(const struct assay_decoding *in, struct assay_frame *out);

#endif
