/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a pair of CURVE keys: a person may have edited it, or given another file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/key-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[KEY_FILE_ERRORS] = "";
	uint8_t key[KEY_FILE_SIZE];
	struct key_pair pair;
	int r = key_file_parse((const char *)data, size, &pair, why);
	if (r == 0 ? !key_file_decode(pair.public_key, key) : why[0] == '\0')
		abort();
	return 0;
}
