/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "print.h"
#include "record/decimal.h"
#include "record/json.h"
#include "record/uuid.h"

#define TIME_OF_DAY 11 /* its place in the text of print_time() */

void print_json(struct assay_span item)
{
	struct buffer text = {0};
	if (json_write(&text, item.data, item.len) == 0 && !text.failed)
		printf("%.*s\n", (int)text.len, (const char *)text.data);
	buffer_finish(&text);
}

int print_entry_json(struct assay_span entry)
{
	struct buffer text = {0};
	int r = json_write_entry(&text, entry.data, entry.len);
	if (r == 0 && text.failed)
		r = -ENOMEM;
	if (r == 0)
		printf("%.*s\n", (int)text.len, (const char *)text.data);
	buffer_finish(&text);
	return r;
}

void print_object(json_t *object)
{
	if (object == NULL ||
		json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15)) < 0)
		fputs("assayctl: no memory for JSON, or a text that is not UTF-8\n", stderr);
	else
		putchar('\n');
	json_decref(object);
}

void print_safe(char *to, size_t size, struct assay_string text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = text.data[i] != '\0' ? text.data[i] : '?';
	to[len] = '\0';
	text_make_printable(to);
}

void print_rejected(struct assay_string text)
{
	char shown[1000];
	print_safe(shown, sizeof shown, text);
	fprintf(stderr, "assayctl: rejected: %s\n", shown);
}

void print_time(char to[PRINT_TIME_SIZE], uint64_t utc)
{
	struct tm tm;
	time_t seconds = (time_t)(utc / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(to, PRINT_TIME_SIZE, "%Y-%m-%d %H:%M:%SZ", &tm);
}

void print_both(char to[PRINT_BOTH_SIZE], uint64_t utc)
{
	struct tm here, there;
	time_t seconds = (time_t)(utc / NS_PER_S);
	char local[24], zulu[PRINT_TIME_SIZE];
	localtime_r(&seconds, &here);
	gmtime_r(&seconds, &there);
	print_time(zulu, utc);
	strftime(local, sizeof local, "%Y-%m-%d %H:%M:%S", &here);
	if (here.tm_gmtoff == 0)
		snprintf(to, PRINT_BOTH_SIZE, "%s", zulu);
	else
		snprintf(to, PRINT_BOTH_SIZE, "%s %.8s (%s)", local, here.tm_zone,
			here.tm_mday == there.tm_mday ? zulu + TIME_OF_DAY : zulu);
}

void print_clock(char to[PRINT_CLOCK_SIZE], uint64_t utc, const char *day)
{
	struct tm here;
	time_t seconds = (time_t)(utc / NS_PER_S);
	char today[12], clock[20];
	localtime_r(&seconds, &here);
	strftime(today, sizeof today, "%Y%m%d", &here);
	bool is_other = strncmp(today, day, strlen(today)) != 0;
	size_t len = strftime(clock, sizeof clock, is_other ? "%m-%d %H:%M%z" : "%H:%M%z", &here);
	if (here.tm_gmtoff == 0)
		snprintf(clock + len - 5, 6, "Z");
	else if (here.tm_gmtoff % 3600 == 0)
		clock[len - 2] = '\0';
	snprintf(to, PRINT_CLOCK_SIZE, "%s", clock);
}

int print_read_value(struct reader *r, const struct key *key, void *member)
{
	char *to = member;
	size_t size = key->size;
	struct assay_string text;
	struct assay_span bytes;
	double number = 0;
	uint64_t n = 0;
	int64_t integer = 0;
	bool flag = false, is_single;
	char decimal[DECIMAL_SIZE];
	switch (read_peek(r)) {
	case READ_TEXT:
		if (read_text(r, &text) == 0)
			print_safe(to, size, text);
		break;
	case READ_BYTES:
		if (read_bytes(r, &bytes) == 0 && HEX_SIZE(bytes.len) <= size)
			hex_write(to, bytes.data, bytes.len);
		break;
	case READ_UINT:
		read_uint(r, &n);
		snprintf(to, size, "%" PRIu64, n);
		break;
	case READ_BOOL:
		read_bool(r, &flag);
		snprintf(to, size, "%s", flag ? "yes" : "no");
		break;
	case READ_NEGINT:
		read_int(r, &integer);
		snprintf(to, size, "%" PRId64, integer);
		break;
	case READ_FLOAT32:
	case READ_FLOAT64:
		is_single = read_peek(r) == READ_FLOAT32;
		if (read_double(r, &number) < 0 || !isfinite(number))
			break;
		if (is_single)
			decimal_from_float(decimal, (float)number);
		else
			decimal_from_double(decimal, number);
		snprintf(to, size, "%s", decimal);
		break;
	default: return read_skip(r);
	}
	return r->error;
}

/* --- settings -------------------------------------------------------------------------------- */

struct quantity_texts {
	char v[200], u[40];
};

static const struct keys quantity_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct quantity_texts, v),
		ROW_TEXT(struct quantity_texts, u), {0}},
	.open = true};

static void put_setting(FILE *to, struct reader *r)
{
	struct quantity_texts quantity = {0};
	size_t count;
	bool flag;
	switch (read_peek(r)) {
	case READ_MAP:
		keys_read(r, &quantity_keys, &quantity, NULL);
		fputs(quantity.v, to);
		if (quantity.u[0] != '\0' && strcmp(quantity.u, "1") != 0)
			fprintf(to, " %s", quantity.u);
		break;
	case READ_ARRAY:
		read_array(r, &count);
		if (read_peek(r) == READ_ARRAY) {
			fprintf(to, "%zu rows", count);
			break;
		}
		fputc('[', to);
		for (size_t i = 0; i < count && r->error == 0; i++) {
			fputs(i > 0 ? ", " : "", to);
			put_setting(to, r);
		}
		fputc(']', to);
		break;
	case READ_BOOL:
		read_bool(r, &flag);
		fputs(flag ? "true" : "false", to);
		break;
	default: print_read_value(r, quantity_keys.rows, quantity.v); fputs(quantity.v, to);
	}
}

void print_setting(FILE *to, struct assay_span value)
{
	struct reader r;
	read_init(&r, value.data, value.len);
	put_setting(to, &r);
}

size_t print_open_list(struct assay_span map, const char *key, struct reader *r)
{
	size_t items = 0;
	struct assay_span list = keys_value(map, string_of(key));
	read_init(r, list.data, list.len);
	return read_array(r, &items) == 0 ? items : 0;
}
