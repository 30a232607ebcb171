/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a peer: the verdict is the same wherever they are split, and the counts stay in bounds. */
#include <stdlib.h>

#include "base/zmtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct zmtp whole = {.is_publisher = data[0] & 1, .needs_curve = data[0] & 2},
		    split = whole;
	size_t step = 1 + data[0] / 2, at = 0;
	bool is_fine = true;
	data++;
	size--;
	for (; is_fine && at < size; at += step)
		is_fine = zmtp_take(&split, data + at, step < size - at ? step : size - at);
	must(zmtp_take(&whole, data, size) == is_fine);
	must(!is_fine || (split.parts <= ZMTP_PARTS_MAX && split.bytes <= ZMTP_MESSAGE_MAX));
	must(!is_fine || (split.changes <= ZMTP_CHANGES_MAX && split.topics <= ZMTP_TOPICS_MAX));
	return 0;
}
