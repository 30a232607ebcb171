/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock-state.h"
#include "base/clock.h"
#include "record/encode.h"
#include "record/stamp.h"
#include "record/words.h"

/* 2024-01-01: a clock before this was never set since the board lost its battery. */
#define UTC_PLAUSIBLE (UINT64_C(1704067200) * NS_PER_S)

static const char *state_file; /* NULL: the kernel */

void stamp_source(const char *file)
{
	state_file = file;
}

struct stamp stamp_now(void)
{
	static _Thread_local struct clock_state known;
	static _Thread_local uint64_t until;
	struct stamp stamp = {.utc = clock_utc(), .mono = clock_boot()};
	if (stamp.mono >= until) {
		known = state_file != NULL ? clock_state_load(state_file) : clock_state_read();
		until = stamp.mono + NS_PER_S; /* the kernel's own interval */
	}
	stamp.unc = known.unc;
	stamp.is_unread = known.is_unknown;
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
