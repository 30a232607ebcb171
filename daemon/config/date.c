/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "config/date.h"

#define YEARS_MAX 400 /* after 1900, so that nanoseconds fit */
#define DAY       "%Y-%m-%d"
#define MOMENT    DAY "T%H:%M:%SZ"

int date_parse(const char *text, bool end, uint64_t *ns)
{
	bool is_day = strchr(text, 'T') == NULL;
	char back[32] = "";
	struct tm tm = {0};
	const char *rest = strptime(text, is_day ? DAY : MOMENT, &tm);
	if (rest == NULL || *rest != '\0' || tm.tm_year > YEARS_MAX)
		return -EINVAL;
	/* timegm() makes March 1 of February 29; strptime() takes single digits and spaces. */
	time_t seconds = timegm(&tm);
	strftime(back, sizeof back, is_day ? DAY : MOMENT, &tm);
	if (seconds < 0 || strcmp(back, text) != 0)
		return -EINVAL;
	if (end && is_day)
		seconds += 24 * 3600;
	*ns = (uint64_t)seconds * 1000000000u;
	return 0;
}
