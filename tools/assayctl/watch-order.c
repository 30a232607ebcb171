/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the list of watch. */
#include <string.h>

#include "watch.h"

size_t watch_order(const struct watch *watch, const struct seen *order[SEEN_MAX])
{
	size_t count = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < watch->count; i++) {
			const struct seen *s = watch->seen[i];
			bool is_shown = watch->wanted == NULL || strcmp(watch->wanted, s->key) == 0;
			if (is_shown && (strcmp(s->state, "fault") == 0) == (pass == 0))
				order[count++] = s;
		}
	}
	return count;
}
