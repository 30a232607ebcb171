/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by libcrypto, which is loaded at first use: it would double the memory of every worker,
 * and few need it (`raw: hash`, and --describe).
 */
#ifndef ASSAY_WORKER_SHA256_H
#define ASSAY_WORKER_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

/* Loads the library; call it before the worker confines itself.  0 or -ENOSYS. */
int sha256_load(void);

/* 0 or -ENOSYS, of the bytes of one call. */
int sha256(const void *data, size_t len, uint8_t digest[SHA256_BYTES]);

/* Of bytes that come in pieces.  Zero is a sum that was not started. */
struct sha256_sum {
	void *context;
};

int sha256_start(struct sha256_sum *sum); /* 0, -ENOSYS or -ENOMEM */
void sha256_add(struct sha256_sum *sum, const void *data, size_t len);
void sha256_end(struct sha256_sum *sum, uint8_t digest[SHA256_BYTES]);
void sha256_finish(struct sha256_sum *sum); /* frees; legal at any time */

#endif
