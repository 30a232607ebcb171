/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with files of arbitrary paths and bytes. */
#include "harness.h"

extern const struct format format_agilent_d;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return import_fuzz(&format_agilent_d, "run.D/", data, size);
}
