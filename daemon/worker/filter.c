/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "worker/filter.h"

/* splitmix64 */
static uint64_t next(struct filter_way *way)
{
	uint64_t z = way->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void filter_set(struct filter *filter, const struct faults *faults)
{
	*filter = (struct filter){.faults = *faults,
		.is_on = faults_are_any(faults),
		.in = {.random = faults->seed},
		.out = {.random = ~(uint64_t)faults->seed}};
}

/* Each piece takes the same count of numbers, so that one fault does not move the others. */
size_t filter_pass(struct filter *filter, struct filter_way *way, uint8_t *data, size_t len,
	uint64_t now, uint64_t *arrives)
{
	const struct faults *faults = &filter->faults;
	bool is_dropped = next(way) % FAULTS_MILLION < faults->drop;
	bool is_cut = next(way) % FAULTS_MILLION < faults->truncate;
	bool is_bent = next(way) % FAULTS_MILLION < faults->corrupt;
	uint64_t cut = next(way), bit = next(way);
	if (is_cut && len > 0)
		len = cut % len;
	if (is_bent && len > 0)
		data[bit / 8 % len] ^= (uint8_t)(1u << bit % 8);
	if (way->free_at < now)
		way->free_at = now;
	if (faults->rate > 0)
		way->free_at += len * NS_PER_S / faults->rate;
	*arrives = way->free_at + faults->delay_ms * NS_PER_MS;
	return is_dropped ? 0 : len;
}
