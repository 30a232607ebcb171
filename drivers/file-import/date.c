/* SPDX-License-Identifier: Apache-2.0 */
#include "date.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY             86400
#define DAYS_1601_1970  134774
#define DAYS_OLE_1970   25569
#define TICKS_OF_SECOND 10000000u

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

bool date_write(char to[DATE_TEXT], int year, int month, int day, int hour, int minute, int second)
{
	to[0] = '\0';
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
		day > days_of(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
		second < 0 || second > 59)
		return false;
	snprintf(to, DATE_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, hour, minute,
		second);
	return true;
}

bool date_from_unix(char to[DATE_TEXT], int64_t seconds)
{
	to[0] = '\0';
	int64_t days = seconds / DAY - (seconds % DAY < 0), rest = seconds - days * DAY;
	if (days < -719162 || days > 2932896) /* 0001-01-01, 9999-12-31 */
		return false;
	/* Days since 0000-03-01, in eras of 400 years: the leap day ends a year. */
	int64_t shifted = days + 719468, era = shifted / 146097;
	int in_era = (int)(shifted - era * 146097);
	int year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int part = (5 * of_year + 2) / 153, month = part < 10 ? part + 3 : part - 9;
	int year = (int)era * 400 + year_of_era + (month <= 2);
	return date_write(to, year, month, of_year - (153 * part + 2) / 5 + 1, (int)(rest / 3600),
		(int)(rest / 60 % 60), (int)(rest % 60));
}

bool date_from_filetime(char to[DATE_TEXT], uint64_t ticks)
{
	return date_from_unix(
		to, (int64_t)(ticks / TICKS_OF_SECOND) - (int64_t)DAYS_1601_1970 * DAY);
}

bool date_from_ole(char to[DATE_TEXT], double days)
{
	to[0] = '\0';
	if (!(fabs(days) < 4e6))
		return false;
	return date_from_unix(to, llround((days - DAYS_OLE_1970) * DAY));
}

int date_month(const char *name, size_t len)
{
	static const char names[12][10] = {"january", "february", "march", "april", "may", "june",
		"july", "august", "september", "october", "november", "december"};
	for (int i = 0; i < 12 && len >= 3; i++) {
		size_t same = 0;
		while (same < len && same < strlen(names[i]) &&
			(name[same] | 0x20) == names[i][same])
			same++;
		if (same == len)
			return i + 1;
	}
	return 0;
}
