/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw blocks of one poll, and the numbers in them by table and address.
 */
#ifndef ASSAY_MODBUS_MAP_REPLY_H
#define ASSAY_MODBUS_MAP_REPLY_H

#include <assay/driver.h>

#include "plan.h"
#include "row.h"

struct reply {
	enum table table;
	unsigned address, count;
	const uint8_t *data; /* NULL: the request failed */
	const char *failure; /* then: a reason of the record format */
};

struct replies {
	struct reply list[PLAN_BLOCKS_MAX];
	size_t count;
	size_t last; /* index of the reply with the last value: mostly it has the next one, too */
};

/* Returns 0, or -EBADMSG if a block's length does not fit its name. */
int replies_read(const struct assay_bytes *raw, size_t count, struct replies *replies);

/*
 * The bytes of a place in registers; of a bit those of its block, in which it is number *at.  NULL
 * if there are none: *failure is the reason, or NULL if no block covers the place.
 */
const uint8_t *replies_find(
	struct replies *replies, const struct row_place *place, const char **failure, size_t *at);

/* The number at that place; if there is none its kind is REGISTER_NOTHING, *failure as above. */
struct register_value replies_value(
	struct replies *replies, const struct row_place *place, const char **failure);

#endif
