/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pace.h"

static uint64_t next_multiple(uint64_t every, uint64_t utc, uint64_t boot)
{
	return boot + (every - utc % every);
}

void pace_begin(struct pace *pace, uint64_t every, uint64_t utc, uint64_t boot)
{
	pace->every = every;
	pace->due = every != 0 ? next_multiple(every, utc, boot) : 0;
}

uint64_t pace_next(struct pace *pace, uint64_t utc, uint64_t boot)
{
	if (pace->every == 0)
		return 0;
	uint64_t before = pace->due;
	pace->due = next_multiple(pace->every, utc, boot);
	/* A wake-up a little before the multiple, or a slewed clock: the same one is not due twice.
	 */
	if (before != 0 && pace->due < before + pace->every / 2)
		pace->due += pace->every;
	if (before == 0 || pace->due <= before)
		return 0;
	uint64_t steps = (pace->due - before + pace->every / 2) / pace->every;
	return steps > 1 ? steps - 1 : 0;
}
