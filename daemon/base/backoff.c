/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/random.h>

#include "base/backoff.h"

uint64_t backoff_next(struct backoff *backoff, uint64_t first, uint64_t most)
{
	uint64_t wait = backoff->wait == 0 ? first : backoff->wait * 2;
	uint16_t jitter = 0;
	backoff->wait = wait < most ? wait : most;
	ssize_t got = getrandom(&jitter, sizeof jitter, GRND_NONBLOCK);
	(void)got; /* without it the jitter is 0 */
	return backoff->wait - backoff->wait / 4 * jitter / UINT16_MAX;
}
