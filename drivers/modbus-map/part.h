/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of the table `parts`: a register that is no variable of its own.  Values of points are
 * computed from it, it has a field of the instrument's time, or it decides when there is a frame.
 */
#ifndef ASSAY_MODBUS_MAP_PART_H
#define ASSAY_MODBUS_MAP_PART_H

#include <assay/driver.h>

#include "reply.h"
#include "row.h"

#define PART_COUNT_MAX 200
#define PART_CODES_MAX 32

/* Columns of `points` that name a part. */
enum part_use {
	PART_EXPONENT,
	PART_DECIMALS,
	PART_FACTOR,
	PART_HIGH,
	PART_SIGN,
	PART_COMPONENT,
	PART_USES
};

enum part_time {
	PART_YEAR,
	PART_MONTH,
	PART_DAY,
	PART_HOUR,
	PART_MINUTE,
	PART_SECOND,
	PART_EPOCH,
	PART_TIMES /* no field of the time */
};

enum part_frame {
	PART_CHANGE, /* a frame only when it changed */
	PART_RISE,   /* a frame only when it became other than 0 */
	PART_FRAMES  /* has nothing to do with it */
};

struct part {
	struct row_place place;
	const char *option; /* to which it belongs, or NULL */
	enum part_time time;
	enum part_frame frame;
	int64_t add; /* to a field of the time */
	struct part_code {
		int64_t code;
		double number;
	} codes[PART_CODES_MAX];
	size_t code_count;
};

extern const char *const part_use_names[PART_USES];
extern const char *const part_time_names[PART_TIMES + 1];   /* and NULL */
extern const char *const part_frame_names[PART_FRAMES + 1]; /* and NULL */

#define PART_COLUMNS                                                                    \
	{.name = "codes",                                                               \
		.type = ASSAY_TEXT,                                                     \
		.flags = ASSAY_LIST,                                                    \
		.help = "numbers that its codes stand for, such as 0=1, 1=0.1"},        \
		{.name = "time",                                                        \
			.type = ASSAY_CHOICE,                                           \
			.choices = part_time_names,                                     \
			.help = "it is this field of the instrument's time"},           \
		{.name = "add",                                                         \
			.type = ASSAY_INT,                                              \
			.min = -10000,                                                  \
			.max = 10000,                                                   \
			.help = "to that field, such as 2000 to a year of two digits"}, \
	{                                                                               \
		.name = "frame", .type = ASSAY_CHOICE, .choices = part_frame_names,     \
		.help = "a frame only when it changed, or rose from 0"                  \
	}

/* Entries of `codes` that are none are left out; part_code_read() finds them. */
void part_read(const struct row_walk *walk, struct part *part);

/* Reads "1=0.1" or "0x10=10".  False if it is no such entry. */
bool part_code_read(const struct assay_host *host, const char *text, struct part_code *code);

/*
 * The number of the row of `parts`, counted with copies, that the text `name` of a point means: the
 * copy of the same number, or the row itself.  -1: there is none.
 */
int part_find(const struct assay_settings *settings, const struct row_common *common,
	const char *name, unsigned copy);

/*
 * The part's number, by its codes if it has some.  REGISTER_NOTHING with a reason in *failure, or
 * with NULL if no block has its place.
 */
struct register_value part_value(
	struct replies *replies, const struct part *part, const char **failure);

#endif
