/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

struct core core;

int set_up(void **state)
{
	core_init(&core, 1);
	if (core_open(&core) != 0)
		return -1;
	core_accept(&core);
	return 0;
}

int tear_down(void **state)
{
	core_finish(&core);
	return 0;
}

void fill(size_t segments)
{
	for (size_t i = 0; i < segments * PER_SEGMENT; i++) {
		core_commit(&core, core_topic((uint32_t)i), ENTRY);
		if (i % PER_SEGMENT == PER_SEGMENT - 1)
			assert_int_equal(journal_roll(core.journal), 0);
	}
}
