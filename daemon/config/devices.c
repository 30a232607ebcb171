/* SPDX-License-Identifier: Apache-2.0 */
#include <glob.h>

#include "config/devices.h"

#define SHOWN_MAX 4

const char *devices_text(struct arena *arena)
{
	static const char *const patterns[] = {
		"/dev/serial/by-id/*", "/dev/ttyUSB*", "/dev/ttyACM*"};
	const char *text = "";
	size_t count = 0;
	for (size_t i = 0; i < 3; i++) {
		glob_t found;
		if (i == 1 && count > 0)
			break; /* the same adapters by names that change */
		if (glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc && count < SHOWN_MAX; k++, count++)
			text = arena_printf(arena, "%s%s%s", text,
				count == 0 ? "; now there are " : ", ", found.gl_pathv[k]);
		globfree(&found);
	}
	return count > 0 ? text : "; no serial adapter is plugged in now";
}
