/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of the tables `points` and `status`, read from the settings.  Texts are borrowed from
 * them until the slot returns.
 */
#ifndef ASSAY_MODBUS_MAP_ROW_H
#define ASSAY_MODBUS_MAP_ROW_H

#include <assay/driver.h>

#include "registers.h"
#include "table.h"

#define ROW_VARS_MAX    250
#define ROW_NOTHING_MAX 8  /* numbers that mean no value, per point */
#define ROW_NAME_MAX    63 /* of what is written; a variable's name has at most 32 */
#define ROW_TEXT_MAX    32 /* registers of a text */

/* The tables whose rows are places. */
enum row_table { ROW_POINTS, ROW_STATUS, ROW_PARTS, ROW_TABLES };

/* Settings for all rows; read once per slot. */
struct row_common {
	enum register_order order;
	int address_offset;
	const char *basis;
	size_t options; /* number of listed options */
};

/* The place of a value; the columns of all three tables. */
struct row_place {
	char name[ROW_NAME_MAX + 1]; /* of a copy of a repeated row with its number: "flow_2" */
	unsigned copy;               /* from 1; 0: the row is not repeated */
	enum table table;
	long address;   /* on the wire, the offset applied; may be outside 0 ... 65535 */
	unsigned width; /* places of the table that it takes */
	enum register_type type;
	enum register_order order;
	uint64_t mask;             /* the bits of the number that count; 0: all */
	char of[ROW_NAME_MAX + 1]; /* "": none */
	const char *label;
	const char *analyte, *basis; /* with the name they identify a variable */
};

/* Walks through the rows of a table that are wanted; a repeated row comes once per copy. */
struct row_walk {
	const struct assay_settings *settings;
	const struct row_common *common;
	enum row_table table;
	/* The present row. */
	const struct assay_settings *row;
	size_t index;       /* in its table, from 0 */
	const char *option; /* to which it belongs, or NULL */
	struct row_place place;
	size_t next;
	unsigned next_copy, copies;
};

/* Numbers of a point that are no measurement. */
struct row_limits {
	struct row_nothing {
		bool is_integer;
		int64_t integer; /* as written, or the register's bits */
		double real;
	} nothing[ROW_NOTHING_MAX];
	size_t nothing_count;
	bool has_min, has_max;
	double min, max; /* of the value, after scaling */
};

/* A row of `status`: its condition, and its effect if the condition holds. */
struct row_condition {
	int bit;      /* of the register, -1: the whole value */
	int position; /* in a flags variable made of several rows, -1: none */
	bool has_equals, has_unless;
	double equals, unless;
	enum assay_quality quality; /* 0: none */
	const char *reason, *text;
};

extern const char *const row_table_names[ROW_TABLES];
extern const struct assay_setting row_point_columns[];
extern const struct assay_setting row_part_columns[];
extern const struct assay_setting row_status_columns[];
extern const struct assay_setting row_adjust_columns[];

void row_common_read(const struct assay_settings *settings, struct row_common *common);

/* The next row into walk->row, place ...; false after the last.  Starts as {settings, common, table}. */
bool row_next(struct row_walk *walk);

/* Entries of `none` that are no number are left out; row_nothing_read() finds them. */
void row_limits_read(const struct assay_settings *row, struct row_limits *limits);

/* Reads "65535", "0x8000" or "-999.9".  False if it is not a number. */
bool row_nothing_read(const struct assay_host *host, const char *text, struct row_nothing *nothing);

/* Whether a number of the register, before scaling, is one that means no value. */
bool row_is_nothing(const struct row_limits *limits, const struct row_place *place,
	const struct register_value *value);

/* Whether the value, after scaling, is inside `min` and `max`. */
bool row_is_inside(const struct row_limits *limits, const struct register_value *value);

void row_condition_read(const struct assay_settings *row, struct row_condition *condition);

/* True if two variables have the same analyte and basis; NULL is equal to NULL only. */
bool row_is_same_substance(
	const char *analyte, const char *basis, const char *other_analyte, const char *other_basis);

/* Whether the condition holds for the value. */
bool row_condition_holds(const struct row_condition *condition, const struct register_value *value);

/* The value that the condition looks at: the whole, or its bit as 0 or 1. */
struct register_value row_condition_value(
	const struct row_condition *condition, const struct register_value *value);

#endif
