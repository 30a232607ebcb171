/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by libcrypto: leaf hashes of entries and digests of runs.  One thread per digest.
 */
#ifndef ASSAY_RECORD_DIGEST_H
#define ASSAY_RECORD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

/* A running hash.  Zero is legal for digest_finish(). */
struct digest {
	void *context;
};

/* Starts a hash; 0 or -ENOMEM. */
int digest_init(struct digest *digest);
void digest_finish(struct digest *digest);

void digest_update(struct digest *digest, const void *data, size_t len);

/* Writes the hash of all that was given.  Only digest_finish() may follow. */
void digest_final(struct digest *digest, uint8_t hash[ASSAY_SHA256_SIZE]);

#endif
