/* SPDX-License-Identifier: Apache-2.0 */
/* The values of an instrument's state as one line for people: "real_time 12.5 s, counts 3000". */
#ifndef ASSAY_CORE_VALUES_H
#define ASSAY_CORE_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* Writes what fits of the CBOR map name => {v, u}; unreadable bytes give what was read before. */
void values_format(char *text, size_t size, const uint8_t *data, size_t len);

#endif
