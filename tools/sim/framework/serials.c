/* SPDX-License-Identifier: Apache-2.0 */
#include "serials.h"

#include <stddef.h>
#include <string.h>

#define ROW(driver, first, last) {driver, first, last},
const struct sim_serials sim_serials[] = {SIM_SERIALS(ROW){NULL, 0, 0}};
#undef ROW

int serial_is_reserved(const char *driver, uint32_t serial)
{
	for (const struct sim_serials *s = sim_serials; s->driver != NULL; s++)
		if (strcmp(s->driver, driver) == 0 && serial >= s->first && serial <= s->last)
			return 1;
	return 0;
}
