/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From raw blocks to a frame, and the names that acquire() and decode() share.  Pure.
 *
 * A frame's raw blocks are the packet of spectrum and status as received, and the text of the
 * configuration as read back before the measurement.  Facts that only acquire() has about a packet
 * are the name of the first block.
 */
#ifndef ASSAY_AMPTEK_DP5_SPECTRUM_H
#define ASSAY_AMPTEK_DP5_SPECTRUM_H

#include "status.h"

#include <assay/driver.h>

#define SPECTRUM_MEDIA "application/x-amptek-fw6"
#define READBACK_MEDIA "text/x-amptek-configuration"

#define SPECTRUM_WHOLE            "spectrum"
#define SPECTRUM_GROWING          "growing spectrum"
#define SPECTRUM_SLICE            "slice"
#define SPECTRUM_SLICE_AFTER_LOSS "slice after a lost reply"
#define SPECTRUM_ENDED_EARLY      "spectrum, ended before its preset"

/* The decode slot. */
int spectrum_decode(const struct assay_decoding *in, struct assay_frame *out);

/*
 * Describes deviations of detector and processor, by status and read-back configuration, beyond the
 * tolerances of the settings; false and no text if there are none.
 */
bool spectrum_warning(const struct assay_host *host, const struct assay_settings *settings,
	const struct status *s, const char *readback, char *text, size_t size);

#endif
