/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of the core for each frame before the journal: check the worker's part, build the
 * record and the entry, hash it.  Prints one JSON line per step, in nanoseconds per frame.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "examples.h"
#include "record/check.h"
#include "record/entry.h"
#include "record/techniques.h"

#define FRAMES 20000

static struct buffer part, record, entry;
static size_t pairs;

static int check(void)
{
	return check_frame_part(part.data, part.len, pairs, TECHNIQUE_XRF, NULL);
}

static int encode(void)
{
	buffer_reset(&record);
	buffer_reset(&entry);
	example_frame(&record, &part, pairs);
	example_entry(&entry, EXAMPLE_DATA, &record);
	return entry.failed ? -1 : 0;
}

static int hash(void)
{
	uint8_t leaf[ASSAY_SHA256_SIZE];
	return entry_leaf_hash(entry.data, entry.len, leaf);
}

static int check_whole(void)
{
	return check_entry(entry.data, entry.len, NULL);
}

static int view(void)
{
	struct assay_frame_view frame;
	struct assay_var_view var;
	if (assay_frame_read(record.data, record.len, &frame) < 0)
		return -1;
	while (assay_frame_next(&frame, &var) == 1)
		;
	return 0;
}

static void measure(const char *name, int (*step)(void))
{
	uint64_t best = UINT64_MAX;
	for (int round = 0; round < 5; round++) {
		uint64_t begin = clock_boot();
		for (int i = 0; i < FRAMES / 5; i++)
			if (step() < 0)
				exit(1);
		uint64_t took = clock_boot() - begin;
		best = took < best ? took : best;
	}
	printf("{\"bench\":\"record\",\"step\":\"%s\",\"bytes\":%zu,\"ns\":%.0f}\n", name,
		entry.len, (double)best / (FRAMES / 5));
}

int main(void)
{
	pairs = example_large_part(&part);
	if (encode() < 0)
		return 1;
	measure("check part", check);
	measure("encode entry", encode);
	measure("leaf hash", hash);
	measure("check entry", check_whole);
	measure("read view", view);
	buffer_finish(&part);
	buffer_finish(&record);
	buffer_finish(&entry);
	return 0;
}
