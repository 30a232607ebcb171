/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that may decide if a file is old.  A synchronised clock is believed.  Without
 * synchronisation a clock is believed if it agrees with the last believed time and the time that
 * has passed since then by the uptime; at a start the machine may have been off in between, but
 * not for longer than a limit.  Otherwise the last believed time and the uptime count alone: a file
 * stays too long, never too short.
 *
 * The last believed time is in the file <path>/clock: boot id, CLOCK_BOOTTIME and UTC in ns, and the
 * CRC-32C of these.  Without that file it is the journal's last commit.  Main thread.
 */
#ifndef ASSAY_CORE_KEEP_TRUST_H
#define ASSAY_CORE_KEEP_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/io.h"

/* A time for which the machine may have been off; and the limit for an `age` (0: none). */
#define TRUST_OFF_MAX (31 * 24 * 3600 * UINT64_C(1000000000))
uint64_t trust_off_max(uint64_t age_ns);

/* UTC that was believed at a CLOCK_BOOTTIME of that start of the machine. */
struct trusted_time {
	uint8_t boot_id[IO_BOOT_SIZE];
	uint64_t boot, utc;
};

struct trust {
	const char *path; /* the journal's, borrowed */
	struct trusted_time last;
	bool is_doubted;
};

/* `last_tc` is the last commit time before this start.  Reads and writes the file. */
void trust_start(struct trust *trust, const char *path, uint64_t last_tc, uint64_t off_max);

/*
 * The time that may decide.  Logs a change between belief and doubt, and notes the time in the file,
 * without a sync: a torn one is ignored.
 */
uint64_t trust_now(struct trust *trust);

/*
 * The time to believe at `now`, which is of the same start of the machine or a later one; `slack` is
 * how far the clock may be ahead of what is certain.
 */
uint64_t trust_judge(const struct trusted_time *last, const struct trusted_time *now,
	bool is_synchronised, uint64_t slack);

#endif
