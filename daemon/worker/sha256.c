/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>

#include "worker/sha256.h"

/* Of libcrypto, as its headers declare them. */
static struct {
	unsigned char *(*sha256)(const unsigned char *data, size_t len, unsigned char *out);
	const void *(*kind)(void);
	void *(*create)(void);
	void (*destroy)(void *context);
	int (*start)(void *context, const void *kind, void *engine);
	int (*add)(void *context, const void *data, size_t len);
	int (*end)(void *context, unsigned char *digest, unsigned *len);
} crypto;

static const struct {
	const char *name;
	void *function;
} symbols[] = {
	{"SHA256", &crypto.sha256},
	{"EVP_sha256", &crypto.kind},
	{"EVP_MD_CTX_new", &crypto.create},
	{"EVP_MD_CTX_free", &crypto.destroy},
	{"EVP_DigestInit_ex", &crypto.start},
	{"EVP_DigestUpdate", &crypto.add},
	{"EVP_DigestFinal_ex", &crypto.end},
};

int sha256_load(void)
{
	if (crypto.sha256 != NULL)
		return 0;
	void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library != NULL && i < sizeof symbols / sizeof *symbols; i++) {
		void *function = dlsym(library, symbols[i].name);
		*(void **)symbols[i].function = function;
		if (function == NULL)
			library = NULL;
	}
	if (library == NULL) {
		crypto.sha256 = NULL;
		return -ENOSYS;
	}
	uint8_t digest[SHA256_BYTES];
	crypto.sha256(
		(const unsigned char *)"", 0, digest); /* the first one reads its configuration */
	return 0;
}

int sha256(const void *data, size_t len, uint8_t digest[SHA256_BYTES])
{
	int r = sha256_load();
	if (r == 0)
		crypto.sha256(data, len, digest);
	return r;
}

int sha256_start(struct sha256_sum *sum)
{
	int r = sha256_load();
	sum->context = r == 0 ? crypto.create() : NULL;
	if (r < 0 || sum->context == NULL)
		return r < 0 ? r : -ENOMEM;
	return crypto.start(sum->context, crypto.kind(), NULL) == 1 ? 0 : -ENOMEM;
}

void sha256_add(struct sha256_sum *sum, const void *data, size_t len)
{
	crypto.add(sum->context, data, len);
}

void sha256_end(struct sha256_sum *sum, uint8_t digest[SHA256_BYTES])
{
	crypto.end(sum->context, digest, NULL);
}

void sha256_finish(struct sha256_sum *sum)
{
	if (sum->context != NULL)
		crypto.destroy(sum->context);
	sum->context = NULL;
}
