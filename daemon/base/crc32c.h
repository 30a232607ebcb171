/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli, reflected, as in RFC 3720).  Any thread. */
#ifndef ASSAY_BASE_CRC32C_H
#define ASSAY_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Continues the checksum `crc` over `data`.  Start with 0, or with a random value (a salt) so that
 * equal data has another checksum elsewhere.  Uses the processor's instruction if it has one.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the instruction; for processors that lack it, and for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
