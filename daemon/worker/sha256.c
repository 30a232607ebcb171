/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>

#include "worker/sha256.h"

typedef unsigned char *sha256_function(const unsigned char *data, size_t len, unsigned char *out);

static sha256_function *function;

int sha256_load(void)
{
	if (function != NULL)
		return 0;
	void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	if (library != NULL)
		*(void **)&function = dlsym(library, "SHA256");
	if (function == NULL)
		return -ENOSYS;
	uint8_t digest[SHA256_BYTES];
	function((const unsigned char *)"", 0, digest); /* the first one reads its configuration */
	return 0;
}

int sha256(const void *data, size_t len, uint8_t digest[SHA256_BYTES])
{
	int r = sha256_load();
	if (r == 0)
		function(data, len, digest);
	return r;
}
