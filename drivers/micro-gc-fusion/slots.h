/* SPDX-License-Identifier: Apache-2.0 */
/* The slots; their contract is in <assay/driver.h>. */
#ifndef MICRO_GC_FUSION_SLOTS_H
#define MICRO_GC_FUSION_SLOTS_H

#include <assay/driver.h>

#define RUN_MAX_BYTES (5u << 20)
#define ID_MAX        64

/* Zeroed before identify. */
struct fusion {
	char before[ID_MAX]; /* the last run before this one; "": none */
	uint64_t begin, end; /* of this run, and of the wait for it */
	bool is_running;
};

int fusion_identify(struct assay_instrument *ins, struct assay_identity *id);
int fusion_start(struct assay_instrument *ins);
int fusion_acquire(struct assay_instrument *ins, struct assay_raw *raw);
int fusion_decode(const struct assay_decoding *in, struct assay_frame *out);
int fusion_stop(struct assay_instrument *ins);
void fusion_check(const struct assay_settings *s, struct assay_check *out);
int fusion_poll(struct assay_instrument *ins, struct assay_values *out);

#endif
