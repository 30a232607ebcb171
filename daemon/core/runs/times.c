/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/clock.h"
#include "core/runs/times.h"

#define TOLERANCE  NS_PER_S
#define SLEW_SHARE 10 /* a clock that is slewed gains or loses less than this */

int times_check(struct times *times, uint64_t since, const struct times *now)
{
	if (times->mono > now->mono + TOLERANCE || times->mono + TOLERANCE < since)
		return -EBADMSG;
	uint64_t passed = now->mono > times->mono ? now->mono - times->mono : 0;
	uint64_t right = now->utc - passed;
	uint64_t off = times->utc > right ? times->utc - right : right - times->utc;
	if (off <= TOLERANCE + passed / SLEW_SHARE)
		return 0;
	times->utc = right;
	return 1;
}
