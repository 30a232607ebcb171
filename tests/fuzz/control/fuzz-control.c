/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the control socket, to a core without workers.  Every reply is one map. */
#include <stdlib.h>

#include "core/commit/commit.h"
#include "record/read.h"
#include "roof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct roof roof;

static void close_roof(void)
{
	roof_close(&roof);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (roof.core.control == NULL) {
		roof_open(&roof);
		atexit(close_roof);
	}
	size_t replies = roof.replies;
	roof_ask(&roof, data, size);
	struct reader r;
	read_init(&r, roof.reply.data, roof.reply.len);
	if (roof.replies > replies &&
		(read_peek(&r) != READ_MAP || read_skip(&r) < 0 || read_finish(&r) < 0))
		abort();
	commit_collect(roof.core.commit);
	return 0;
}
