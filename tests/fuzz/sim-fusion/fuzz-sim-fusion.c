/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, one a line. */
#include "fusion/fusion.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	url_session(&fusion_model, data, len);
	return 0;
}
