/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a link's faults: within its limits, or rejected with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/faults.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[500], why[FAULTS_WHY] = "";
	struct faults f;
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (faults_read(&f, text, why) < 0) {
		if (why[0] == '\0' || faults_are_any(&f))
			abort();
	} else if (f.drop > FAULTS_MILLION || f.corrupt > FAULTS_MILLION ||
		   f.truncate > FAULTS_MILLION || f.delay_ms > 600000 || f.rate > 100000000) {
		abort();
	}
	return 0;
}
