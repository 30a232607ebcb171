/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots that use the link: identity, optional areas, and polls.
 */
#ifndef ASSAY_MODBUS_MAP_POLL_H
#define ASSAY_MODBUS_MAP_POLL_H

#include <assay/driver.h>

#include "plan.h"
#include "trigger.h"

/* The driver's state. */
struct map {
	struct plan plan;
	struct trigger trigger;
	uint64_t readings; /* delivered in this measurement */
	/* The poll under way, which can take several calls. */
	size_t next;      /* block */
	bool has_fired;   /* the blocks behind the triggers are read */
	size_t confirmed; /* blocks of triggers that are as they were before the others */
	size_t answered;
	size_t failed;                /* the last block that did */
	int repeats;                  /* of the next block's request */
	int results[PLAN_BLOCKS_MAX]; /* of the blocks before it */
	uint8_t wire[PLAN_BLOCKS_MAX][TABLE_BYTES_MAX];
};

/* The slots of <assay/driver.h>. */
int poll_identify(struct assay_instrument *ins, struct assay_identity *id);
int poll_configure(struct assay_instrument *ins);
int poll_start(struct assay_instrument *ins);
int poll_acquire(struct assay_instrument *ins, struct assay_raw *raw);

#endif
