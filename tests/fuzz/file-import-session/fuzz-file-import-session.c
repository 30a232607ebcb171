/* SPDX-License-Identifier: Apache-2.0 */
/* A data set of arbitrary files in arbitrary formats: a name, '/' at the end for a folder, NUL, and what import_fuzz() takes. */
#include <string.h>

#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
	if (end == NULL || end == data || data[0] == '/' || end - data > 90)
		return 0;
	return import_fuzz(NULL, (const char *)data, end + 1, size - (size_t)(end + 1 - data));
}
