/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit's state after a scan: one line "<device> <number>" per logical device that it has, such as
 * "mode 1\nF1 1\nemission 1000\nfilok 1\n".  Written by acquire, read by decode.
 */
#ifndef ASSAY_HIDEN_RGA_STATUS_H
#define ASSAY_HIDEN_RGA_STATUS_H

#include <assay/driver.h>

#define HIDEN_STATUS_MAX 512

/* Requests the devices that the settings need, into the state's `status`. */
int hiden_status_fetch(struct assay_instrument *ins);

/*
 * The quality of a scan by these lines and by the protection trip of its data (0: none): ASSAY_BAD
 * without emission or with a protection tripped, ASSAY_SUSPECT if the emission is another than that
 * of the settings, or ASSAY_GOOD.  The text has the reasons, or is empty.
 */
enum assay_quality hiden_status_read(const struct assay_host *host,
	const struct assay_settings *settings, const char *lines, size_t len, int trip,
	char text[HIDEN_STATUS_MAX]);

/* Whether an emission in uA is that of the settings. */
bool hiden_status_holds(const struct assay_settings *settings, double emission);

#endif
