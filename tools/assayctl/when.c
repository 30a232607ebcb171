/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "config/date.h"
#include "config/quantity.h"
#include "when.h"

bool when_number(const char *text, uint64_t *value)
{
	uint64_t sum = 0;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || sum > (UINT64_MAX - 9) / 10)
			return false;
		sum = sum * 10 + (uint64_t)(*p - '0');
	}
	*value = sum;
	return text[0] != '\0';
}

bool when_time(const char *text, bool end, uint64_t *ns)
{
	return date_parse(text, end, ns) == 0;
}

bool when_ago(const char *text, uint64_t *ns)
{
	char why[QUANTITY_TEXT];
	double seconds;
	if (when_time(text, false, ns))
		return true;
	if (quantity_read(text, "s", &seconds, why) < 0 || seconds < 0)
		return false;
	uint64_t now = clock_utc();
	*ns = seconds * 1e9 < (double)now ? now - (uint64_t)(seconds * 1e9) : 0;
	return true;
}
