/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands an MSP file over to NIST MS Search, which runs on a Windows computer: that program looks for
 * the file FILESPEC.FIL (its "second locator"), reads the MSP file that this names, and deletes it.
 */
#ifndef ASSAY_ASSAYCTL_EXPORT_SEARCH_H
#define ASSAY_ASSAYCTL_EXPORT_SEARCH_H

#include <stdint.h>

#define SEARCH_SPECTRA 100 /* of one hand-over */

/* Reads "5" or "5-20".  0 or -EINVAL. */
int search_range(const char *text, uint64_t *first, uint64_t *last);

/*
 * Writes FILESPEC.FIL beside the MSP file `path`, which that computer sees in `folder`.  0; -EEXIST:
 * the program has not taken the last one yet; or another negative errno.
 */
int search_hand_over(const char *path, const char *folder);

#endif
