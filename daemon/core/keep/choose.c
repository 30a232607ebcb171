/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "core/keep/choose.h"

/* Oldest first; segments of one journal in order of seq, because its clock may have been set. */
static int compare(const void *a, const void *b)
{
	const struct retention_segment *x = a, *y = b;
	if (memcmp(x->journal, y->journal, JOURNAL_ID_SIZE) == 0)
		return (x->first > y->first) - (x->first < y->first);
	if (x->first_tc != y->first_tc)
		return x->first_tc < y->first_tc ? -1 : 1;
	return memcmp(x->journal, y->journal, JOURNAL_ID_SIZE);
}

/* `total`: bytes of all segments that stay so far. */
static enum retention_why classify(const struct retention_segment *segment,
	const struct retention_policy *policy, uint64_t total)
{
	bool is_dated = segment->last_tc != 0 && policy->now > segment->last_tc;
	bool is_old = policy->age_ns != 0 && is_dated &&
		      policy->now - segment->last_tc > policy->age_ns;
	bool is_too_much = policy->size != 0 && total > policy->size;
	if (!is_old && !is_too_much)
		return RETENTION_WANTED;
	if (!segment->is_closed)
		return RETENTION_OPEN;
	if (!segment->is_archived)
		return RETENTION_NOT_ARCHIVED;
	if (!segment->is_passed)
		return RETENTION_NOT_PASSED;
	return is_old ? RETENTION_TOO_OLD : RETENTION_TOO_MUCH;
}

size_t retention_choose(
	struct retention_segment *segments, size_t count, const struct retention_policy *policy)
{
	uint64_t total = 0;
	size_t going = 0;
	if (count > 0)
		qsort(segments, count, sizeof *segments, compare);
	for (size_t i = 0; i < count; i++)
		total += segments[i].size;
	for (size_t i = 0; i < count; i++) {
		segments[i].why = classify(&segments[i], policy, total);
		if (!retention_goes(segments[i].why))
			continue;
		total -= segments[i].size;
		going++;
	}
	return going;
}
