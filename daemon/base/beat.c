/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "base/beat.h"

static _Thread_local struct beat *own;

void beat_bind(struct beat *beat)
{
	own = beat;
	if (own != NULL)
		atomic_store(&own->is_bound, true);
}

void beat_release(void)
{
	if (own != NULL)
		atomic_store(&own->is_bound, false);
	own = NULL;
}

void beat_pass(void)
{
	if (own != NULL)
		atomic_fetch_add(&own->passes, 1);
}

void beat_wait(bool waits)
{
	if (own != NULL)
		atomic_store(&own->waits, waits);
	if (!waits)
		beat_pass();
}

void beat_bytes(uint64_t count)
{
	if (own != NULL)
		atomic_fetch_add(&own->bytes, count);
}
