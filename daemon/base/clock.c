/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <time.h>

#include "base/clock.h"

static const struct clock_source *replaced; /* NULL: the kernel's clocks */

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_utc(void)
{
	return replaced != NULL ? replaced->utc(replaced->arg) : read_clock(CLOCK_REALTIME);
}

uint64_t clock_boot(void)
{
	return replaced != NULL ? replaced->boot(replaced->arg) : read_clock(CLOCK_BOOTTIME);
}

int clock_ms_until(uint64_t deadline)
{
	uint64_t now = clock_boot();
	if (now >= deadline)
		return 0;
	uint64_t ms = (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

uint64_t clock_to_second(void)
{
	return NS_PER_S - clock_boot() % NS_PER_S;
}

void clock_replace(const struct clock_source *source)
{
	replaced = source;
}
