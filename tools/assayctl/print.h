/* SPDX-License-Identifier: Apache-2.0 */
/* Output for people and for programs, and the replies that it is made from. */
#ifndef ASSAY_ASSAYCTL_PRINT_H
#define ASSAY_ASSAYCTL_PRINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/keys.h"

/* One CBOR item as one line of JSON, as record/json.h maps it. */
void print_json(struct assay_span item);

/* An entry as one line of JSON.  0, -EBADMSG or -ENOMEM, without a line. */
int print_entry_json(struct assay_span entry);

/* Prints an object of libjansson as one line, and takes it.  NULL, of json_pack(), is an error. */
void print_object(json_t *object);

/* A text from elsewhere, cut to `size` with its terminator, by text_make_printable(). */
void print_safe(char *to, size_t size, struct assay_string text);

/* Prints the text of a refusal on standard error. */
void print_rejected(struct assay_string text);

/* A setting of the record format as the configuration would have it: "60 s", "true", "[18, 28]". */
void print_setting(FILE *to, struct assay_span value);

/* "2026-11-22 20:15:03Z" */
#define PRINT_TIME_SIZE 24
void print_time(char to[PRINT_TIME_SIZE], uint64_t utc);

/*
 * The time of the reader's zone, which is that of the computer or TZ, and beside it UTC:
 * "2026-11-22 21:15:03 CET (20:15:03Z)", with the day if it is another one.  As print_time() where
 * the zone is UTC.
 */
#define PRINT_BOTH_SIZE 64
void print_both(char to[PRINT_BOTH_SIZE], uint64_t utc);

/*
 * The time of day in the reader's zone with its offset, "21:15+01" or "20:15Z"; with the day before
 * it, "11-22 21:15+01", if that is not the day "20261122".
 */
#define PRINT_CLOCK_SIZE 24
void print_clock(char to[PRINT_CLOCK_SIZE], uint64_t utc, const char *day);

/*
 * Rows for tables of replies (record/keys.h) whose keys are named as the members.  The member of a
 * ROW_TEXT is a char array.  It becomes the value as people read it, cut to size: texts by
 * print_safe(), numbers, "yes" or "no", byte strings in hexadecimal; lists and maps leave it alone.
 */
#define ROW_TEXT(type, member)                                                     \
	{                                                                          \
#member, KEY_OTHER, KEY_AT(type, member), .read = print_read_value \
	}
#define ROW_UINT(type, member)                          \
	{                                               \
#member, KEY_UINT, KEY_AT(type, member) \
	}
#define ROW_BOOL(type, member)                          \
	{                                               \
#member, KEY_BOOL, KEY_AT(type, member) \
	}
#define ROW_RAW(type, member)                          \
	{                                              \
#member, KEY_RAW, KEY_AT(type, member) \
	}
#define ROW_MAP(type, member, table)                                     \
	{                                                                \
#member, KEY_MAP, KEY_AT(type, member), .keys = &(table) \
	}

int print_read_value(struct reader *r, const struct key *key, void *to);

/*
 * Finds the list `key` in a map and leaves the reader before its first item.  Returns the number
 * of items; 0 also for a map without this list.
 */
size_t print_open_list(struct assay_span map, const char *key, struct reader *r);

#endif
