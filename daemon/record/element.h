/* SPDX-License-Identifier: Apache-2.0 */
/* The element types of arrays: sizes, tags of RFC 8746, and reading one element.  Any thread. */
#ifndef ASSAY_RECORD_ELEMENT_H
#define ASSAY_RECORD_ELEMENT_H

#include <assay/record.h>

#define TAG_ND UINT64_C(40) /* an array with dimensions */

/* The tag of an array of these, and the way back: -EINVAL for another tag. */
uint64_t element_tag(enum assay_element element);
int element_from_tag(uint64_t tag);

/* Element `i` of unaligned little-endian data, as a double. */
double element_number(enum assay_element element, const uint8_t *data, size_t i);

/* The same of an integer type: its magnitude, and whether it is negative. */
uint64_t element_integer(enum assay_element element, const uint8_t *data, size_t i, bool *negative);

bool element_is_float(enum assay_element element);

#endif
