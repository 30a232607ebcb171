/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's description of its drivers; if it is accepted, it is described and made into a schema.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog *catalog;
	char *why;
	if (catalog_read(data, size, &catalog, &why) < 0) {
		assert(catalog == NULL);
		free(why);
		return 0;
	}
	struct buffer text = {0};
	for (size_t i = 0; i < catalog->count; i++)
		catalog_put(&text, &catalog->drivers[i]);
	buffer_finish(&text);
	json_decref(schema_make(catalog));
	catalog_destroy(catalog);
	return 0;
}
