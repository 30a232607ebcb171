/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of archived files: those that are accepted make sense, and the sound part reads the same
 * again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/keep/archived.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t journal[JOURNAL_ID_SIZE] = {1};
	struct archived *archived = NULL;
	if (archived_open(&archived, "/nonexistent") < 0)
		return 0;
	size_t sound = archived_take(archived, journal, data, size);
	assert(sound <= size);
	assert(archived_take(archived, journal, data, sound) == sound);
	for (uint64_t first = 0; first < 4; first++) {
		const struct archived_segment *found = archived_find(archived, journal, first);
		assert(found == NULL ||
			(found->first == first && found->last >= first && first > 0));
	}
	archived_close(archived);
	return 0;
}
