/* SPDX-License-Identifier: Apache-2.0 */
/* A file of arbitrary bytes. */
#include "harness.h"

extern const struct format format_spx;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return import_fuzz(&format_spx, "a.spx", data, size);
}
