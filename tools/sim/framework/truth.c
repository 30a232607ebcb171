/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

#include <inttypes.h>

void truth_start(FILE *out, uint64_t t, const char *event)
{
	fprintf(out, "{\"t\":%" PRIu64 ",\"event\":\"%s\"", t, event);
}

void truth_end(FILE *out)
{
	fputs("}\n", out);
	fflush(out);
}
