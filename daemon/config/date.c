/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "config/date.h"

static bool has_form(const char *text, const char *form)
{
	for (; *form != '\0'; form++, text++)
		if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return *text == '\0';
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

int date_parse(const char *text, bool end, uint64_t *ns)
{
	bool has_time = has_form(text, "0000-00-00T00:00:00Z");
	if (!has_time && !has_form(text, "0000-00-00"))
		return -EINVAL;
	struct tm tm = {
		.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900,
		.tm_mon = two_digits(text + 5) - 1,
		.tm_mday = two_digits(text + 8),
	};
	if (has_time) {
		tm.tm_hour = two_digits(text + 11);
		tm.tm_min = two_digits(text + 14);
		tm.tm_sec = two_digits(text + 17);
	}
	struct tm given = tm;
	time_t seconds = timegm(&tm); /* which makes March 1 of February 29 */
	bool exists = tm.tm_mday == given.tm_mday && tm.tm_mon == given.tm_mon &&
		      tm.tm_hour == given.tm_hour && tm.tm_min == given.tm_min &&
		      tm.tm_sec == given.tm_sec;
	if (!exists || seconds < 0 || given.tm_year < 70 || given.tm_year > 400)
		return -EINVAL;
	if (end && !has_time)
		seconds += 24 * 3600;
	*ns = (uint64_t)seconds * 1000000000u;
	return 0;
}
