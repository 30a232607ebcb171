/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests that fetch all rows of the settings: as few as the protocol allows.
 */
#ifndef ASSAY_MODBUS_MAP_PLAN_H
#define ASSAY_MODBUS_MAP_PLAN_H

#include <assay/driver.h>

#include "table.h"

#define PLAN_BLOCKS_MAX 64
#define PLAN_ITEMS_MAX  500
#define PLAN_NAME_MAX   28

/* One value, or several of one place. */
struct plan_piece {
	unsigned address, width;
};

/* One request.  Its `name`, such as "input 138+34", is the name of its raw block. */
struct plan_block {
	enum table table;
	unsigned address, count;
	bool is_optional;     /* belongs to an option */
	bool is_trigger;      /* has the parts that decide when there is a frame, and no others */
	bool is_absent;       /* optional, and the instrument does not have it */
	bool is_unreadable;   /* as the log says */
	unsigned failures;    /* polls in a row that did not read it */
	bool is_readable;     /* it was read once: a refusal is a fault, no reason to split it */
	size_t first, pieces; /* in the plan's list */
	char name[PLAN_NAME_MAX];
};

struct plan {
	struct plan_block blocks[PLAN_BLOCKS_MAX];
	size_t count;
	struct plan_piece pieces[PLAN_ITEMS_MAX]; /* in order */
	size_t piece_count;
};

/*
 * Makes the plan of settings whose rows are right.  Rows of one option, one group and one table
 * share a request if at most `max_gap` registers or `max_gap_bits` bits are unused between them,
 * within the most `registers` of one request.  The parts that decide when there is a frame have
 * requests of their own, which are the first, and serve rows of the same places, too.  False if there are more requests than
 * PLAN_BLOCKS_MAX.
 */
bool plan_of(const struct assay_settings *settings, unsigned registers, struct plan *plan);

/* True if the block spans places that no row names. */
bool plan_has_gaps(const struct plan *plan, size_t block);

/*
 * Replaces the block by several, without its gaps; one without gaps by its halves.  False if it is
 * a single piece, or the plan is full.
 */
bool plan_split(struct plan *plan, size_t block);

/* Reads such a name; false if it is not one. */
bool plan_name_read(const char *name, enum table *table, unsigned *address, unsigned *count);

#endif
