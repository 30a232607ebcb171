/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives of a core on a disk that fails: a script that uses all of the journal, with each kind of
 * fault at each of its calls, and random lives. After each life core_check compares the journal
 * with the published entries. All of it follows from numbers, so that a finding can be repeated.
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

/* The script with a fault at its `k`-th call. NULL, or the fault of the journal afterwards. */
const char *campaign_script(enum trouble trouble, uint64_t k, uint32_t sync_ms);

/* How lives at random are led: mistakes that the core, or the kernel, may make. */
struct mistakes {
	bool publishes_early;
	unsigned lies; /* calls of the disk that do nothing */
};

/*
 * `lives` random lives, six on each disk, starting with number `first`. NULL, or the fault; then
 * `*number` is that of the life.
 */
const char *campaign_random(
	uint64_t first, uint64_t lives, const struct mistakes *mistakes, uint64_t *number);

#endif
