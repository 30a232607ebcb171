/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/serials.h"

static const struct {
	const char *driver;
	unsigned long first, last;
} reserved[] = {
#define RESERVED(driver, first, last) {#driver, first, last},
#include "reserved-serials.inc"
#undef RESERVED
};

bool serial_is_reserved(const char *driver, const char *serial)
{
	char *end;
	errno = 0;
	unsigned long number = strtoul(serial, &end, 10);
	if (errno != 0 || end == serial || *end != '\0')
		return false;
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if (strcmp(reserved[i].driver, driver) == 0 && number >= reserved[i].first &&
			number <= reserved[i].last)
			return true;
	}
	return false;
}
