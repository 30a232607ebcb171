/* SPDX-License-Identifier: Apache-2.0 */
/* What the two kinds of files of JASCO Spectra Manager have in common. */
#ifndef FILE_IMPORT_JASCO_H
#define FILE_IMPORT_JASCO_H

#include "curve.h"

#define JASCO_X_KIND   0x10000100u /* of an axis: its low byte is the code of the unit */
#define JASCO_NO_VALUE 0x80800000u /* -1.17549435e-38 stands where there is none */

/* False, with the reason, if a code is not known. */
bool jasco_read_units(uint32_t x, const uint8_t *ys, struct curve *c, char why[FORMAT_FACT]);

#endif
