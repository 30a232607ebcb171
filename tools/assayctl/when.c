/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/date.h"
#include "config/quantity.h"
#include "when.h"

bool when_number(const char *text, uint64_t *value)
{
	char *end;
	errno = 0;
	*value = strtoull(text, &end, 10); /* which takes blanks and signs, too */
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
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
