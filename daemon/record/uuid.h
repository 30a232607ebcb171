/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers and hashes as bytes and as hexadecimal text.  Any thread. */
#ifndef ASSAY_RECORD_UUID_H
#define ASSAY_RECORD_UUID_H

#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#define HEX_SIZE(len) (2 * (len) + 1)

/* A random one (version 4, RFC 9562).  Ends the program when the kernel gives no random bytes. */
void uuid_random(uint8_t uuid[ASSAY_UUID_SIZE]);

/* Writes 2 * len digits and a terminator; returns `out`. */
char *hex_write(char *out, const void *data, size_t len);

/* Reads exactly `len` bytes from 2 * len digits; dashes between bytes are passed over.  -EINVAL. */
int hex_read(struct assay_string text, uint8_t *data, size_t len);

#endif
