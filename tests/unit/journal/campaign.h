/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives of a core on a disk that fails: a script that touches everything, with each kind of trouble
 * at each of its calls, and lives at random.  After each life core_check compares what is there
 * with what was published.  All of it follows from numbers, so that a finding can be repeated.
 */
#ifndef ASSAY_TESTS_JOURNAL_CAMPAIGN_H
#define ASSAY_TESTS_JOURNAL_CAMPAIGN_H

#include "core.h"

enum trouble {
	TROUBLE_POWER,       /* the power fails */
	TROUBLE_POWER_TWICE, /* and again while recovering */
	TROUBLE_KILL,        /* the program dies */
	TROUBLE_KILL_TWICE,
	TROUBLE_EIO, /* the call fails, once; then the power */
	TROUBLE_ENOSPC,
	TROUBLE_EIO_KILL,  /* the same; then the program dies */
	TROUBLE_SHORT,     /* a write ends early, once; then the power fails */
	TROUBLE_DEAD_DISK, /* all calls fail from there on; then the power */
	TROUBLE_FULL_DISK,
	TROUBLE_KINDS,
};

const char *trouble_name(enum trouble trouble);

/* How many calls the script makes that may meet trouble. */
uint64_t campaign_calls(uint32_t sync_ms);

/* The script with trouble at its `k`-th call.  NULL, or what is wrong afterwards. */
const char *campaign_script(enum trouble trouble, uint64_t k, uint32_t sync_ms);

/* How lives at random are led: mistakes that the core, or the kernel, may make. */
struct mistakes {
	bool publishes_early;
	unsigned lies; /* calls of the disk that do nothing */
};

/*
 * `lives` at random, six on each disk, starting with number `first`.  NULL, or what is wrong; then
 * `*number` is the life's.
 */
const char *campaign_random(
	uint64_t first, uint64_t lives, const struct mistakes *mistakes, uint64_t *number);

#endif
