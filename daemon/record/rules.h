/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that the format's tables cannot express, over the kept values of one map. */
#ifndef ASSAY_RECORD_RULES_H
#define ASSAY_RECORD_RULES_H

#include "record/schema.h"

/* A frame, or its worker's part: variables against each other.  walk->context has them. */
int rule_frame(struct schema_walk *walk, const void *kept);

/* One variable: role against form. */
int rule_variable(struct schema_walk *walk, const void *kept);

struct raw_block {
	uint64_t size;
	const uint8_t *sha256;
	struct assay_span data;
};
int rule_raw_block(struct schema_walk *walk, const void *kept);

/* `i` out of `of`; of batches, parts and steps. */
struct portion {
	uint64_t i, of;
};
int rule_portion(struct schema_walk *walk, const void *kept);

#endif
