/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of an archive: every line that is taken can be found again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest manifest = {0};
	int r = manifest_parse(&manifest, (const char *)data, size);
	for (size_t i = 0; i < manifest.count; i++) {
		assert(manifest.lines[i].path[0] != '\0');
		assert(strlen(manifest.lines[i].path) < sizeof manifest.lines[i].path);
		assert(manifest_find(&manifest, manifest.lines[i].path) != NULL);
	}
	assert(r != 0 || manifest.count > 0 || size == 0);
	manifest_finish(&manifest);
	return 0;
}
