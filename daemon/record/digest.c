/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "record/digest.h"

/* Fetched once: EVP_sha256() would look it up again at each start of a hash. */
static const EVP_MD *sha256;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

int digest_init(struct digest *digest)
{
	pthread_once(&fetched, fetch);
	digest->context = sha256 != NULL ? EVP_MD_CTX_new() : NULL;
	if (digest->context == NULL)
		return -ENOMEM;
	if (EVP_DigestInit_ex2(digest->context, sha256, NULL) == 1)
		return 0;
	digest_finish(digest);
	return -ENOMEM;
}

void digest_finish(struct digest *digest)
{
	EVP_MD_CTX_free(digest->context);
	digest->context = NULL;
}

/* These cannot fail once the context exists; if they do, evidence must not go on. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void digest_update(struct digest *digest, const void *data, size_t len)
{
	must(EVP_DigestUpdate(digest->context, data, len));
}

void digest_final(struct digest *digest, uint8_t hash[ASSAY_SHA256_SIZE])
{
	unsigned len = 0;
	must(EVP_DigestFinal_ex(digest->context, hash, &len));
	assert(len == ASSAY_SHA256_SIZE);
}
