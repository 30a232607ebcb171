/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/timex.h>

#include "base/clock.h"
#include "record/encode.h"
#include "record/stamp.h"
#include "record/words.h"

/* 2024-01-01: a clock before this was never set since the board lost its battery. */
#define UTC_PLAUSIBLE (UINT64_C(1704067200) * NS_PER_S)

/* The state of the kernel's clock; read again after `until` (CLOCK_BOOTTIME). */
struct clock_state {
	uint64_t until, unc;
	bool is_synchronised;
};

struct stamp stamp_now(void)
{
	static _Thread_local struct clock_state known;
	struct stamp stamp = {.utc = clock_utc(), .mono = clock_boot()};
	if (stamp.mono >= known.until) {
		/* phc2sys and chronyd set the same kernel flags: ptp cannot be told from ntp. */
		struct timex now = {.modes = 0};
		int state = adjtimex(&now);
		bool good = state >= 0 && state != TIME_ERROR && (now.status & STA_UNSYNC) == 0;
		known.until = stamp.mono + NS_PER_S; /* the kernel's own interval */
		known.unc = good && now.maxerror > 0 ? (uint64_t)now.maxerror * 1000 : 0;
		known.is_synchronised = good;
	}
	stamp.unc = known.unc;
	stamp.sync = known.is_synchronised        ? ASSAY_SYNC_NTP
		     : stamp.utc >= UTC_PLAUSIBLE ? ASSAY_SYNC_RTC
						  : ASSAY_SYNC_NONE;
	return stamp;
}

void stamp_encode(struct buffer *to, const struct stamp *stamp)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "utc", stamp->utc);
	if (stamp->mono != 0)
		map_uint(&map, "mono", stamp->mono);
	map_text(&map, "sync", assay_sync_name(stamp->sync));
	if (stamp->unc != 0)
		map_uint(&map, "unc", stamp->unc);
	map_text(&map, "dev", stamp->dev);
	map_close(&map);
}
