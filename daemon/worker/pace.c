/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pace.h"

static uint64_t next_multiple(uint64_t every, uint64_t utc, uint64_t boot)
{
	return boot + (every - utc % every);
}

void pace_start(struct pace *pace, uint64_t every, uint64_t utc, uint64_t boot)
{
	pace->every = every;
	pace->is_ahead = false;
	pace->due = every != 0 ? next_multiple(every, utc, boot) : 0;
}

void pace_at_once(struct pace *pace)
{
	pace->is_ahead = true;
}

void pace_idle(struct pace *pace, uint64_t utc, uint64_t boot)
{
	if (pace->every == 0)
		return;
	uint64_t next = next_multiple(pace->every, utc, boot);
	uint64_t due = pace->is_ahead ? next : next - pace->every;
	if (due > pace->due)
		pace->due = due;
}

static uint64_t steps(const struct pace *pace, uint64_t from)
{
	return pace->due > from ? (pace->due - from + pace->every / 2) / pace->every : 0;
}

uint64_t pace_next(struct pace *pace, uint64_t utc, uint64_t boot)
{
	if (pace->every == 0)
		return 0;
	uint64_t before = pace->due;
	pace->due = next_multiple(pace->every, utc, boot);
	if (pace->is_ahead) {
		pace->is_ahead = false;
		return steps(pace, before);
	}
	/* Woken a little before the multiple, or the clock is slewed: do not take it twice. */
	if (pace->due < before + pace->every / 2)
		pace->due += pace->every;
	uint64_t n = steps(pace, before);
	return n > 1 ? n - 1 : 0;
}
