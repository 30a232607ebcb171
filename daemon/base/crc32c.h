/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli, reflected, as in RFC 3720).  Any thread. */
#ifndef ASSAY_BASE_CRC32C_H
#define ASSAY_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of what `crc` already covers followed by `data`; begin with 0, or with a secret or
 * random value that makes the result differ from anybody else's.  Uses the processor's instruction
 * where it has one.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the instruction; for processors that lack it, and for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
