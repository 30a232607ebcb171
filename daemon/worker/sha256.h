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

/* 0 or -ENOSYS. */
int sha256(const void *data, size_t len, uint8_t digest[SHA256_BYTES]);

#endif
