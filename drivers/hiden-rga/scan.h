/* SPDX-License-Identifier: Apache-2.0 */
/* The unit's table of one scan, named Ascans, and the job that runs it once. */
#ifndef ASSAY_HIDEN_RGA_SCAN_H
#define ASSAY_HIDEN_RGA_SCAN_H

#include <assay/driver.h>

/* Ends the reports and the job, also that of another program. */
int hiden_scan_abort(struct assay_instrument *ins);

/* Writes the table by the settings; the rows are of the operating mode `row_mode` of the state. */
int hiden_scan_write(struct assay_instrument *ins);

/* Runs the scan once, and fetches its data into the state's `text`: one whole cycle. */
int hiden_scan_run(struct assay_instrument *ins);

#endif
