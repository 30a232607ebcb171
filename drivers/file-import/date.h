/* SPDX-License-Identifier: Apache-2.0 */
/* Times of vendors' files as "2016-07-06T19:43:13", without a zone; "" if it is no time. */
#ifndef FILE_IMPORT_DATE_H
#define FILE_IMPORT_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATE_TEXT 32

/* False, and "", unless it is a day of the calendar and a time of a day; the years are 1 to 9999. */
bool date_write(char to[DATE_TEXT], int year, int month, int day, int hour, int minute, int second);

/* Seconds since 1970-01-01, leap seconds not counted. */
bool date_from_unix(char to[DATE_TEXT], int64_t seconds);

/* Units of 100 ns since 1601-01-01: FILETIME. */
bool date_from_filetime(char to[DATE_TEXT], uint64_t ticks);

/* Days since 1899-12-30 with their fraction: OLE automation.  To the nearest second. */
bool date_from_ole(char to[DATE_TEXT], double days);

/* Jan ... Dec in any case and length of three letters or more: 1 ... 12; 0: none. */
int date_month(const char *name, size_t len);

#endif
