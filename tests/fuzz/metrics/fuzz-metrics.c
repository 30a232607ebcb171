/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of the daemon becomes a page of printable lines. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counts counts = {0};
	struct buffer page = {0};
	page_write(&page, (struct assay_span){data, size}, &counts);
	assert(!page.failed && page.len > 0 && page.data[page.len - 1] == '\n');
	for (size_t i = 0; i < page.len; i++)
		assert(page.data[i] >= ' ' || page.data[i] == '\n');
	buffer_finish(&page);
	return 0;
}
