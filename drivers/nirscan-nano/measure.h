/* SPDX-License-Identifier: Apache-2.0 */
/* The slots that use the link; their contract is in <assay/driver.h>. */
#ifndef NIRSCAN_MEASURE_H
#define NIRSCAN_MEASURE_H

#include <assay/driver.h>

#include "exchange.h"
#include "scan.h"

/* Zeroed before identify. */
struct nano {
	struct exchange x;
	uint64_t due, end; /* of the scan: when it may be over, and when it must be */
	uint64_t last;     /* a hash of the file that came last; 0: none */
	uint64_t readings; /* of this run */
	bool is_scanning;
	uint8_t file[FILE_MAX_BYTES];
};

extern const struct assay_setting nano_settings[];
void nano_check(const struct assay_settings *s, struct assay_check *out);

int nano_identify(struct assay_instrument *ins, struct assay_identity *id);
int nano_configure(struct assay_instrument *ins);
int nano_read_back(struct assay_instrument *ins);
int nano_start(struct assay_instrument *ins);
int nano_acquire(struct assay_instrument *ins, struct assay_raw *raw);
int nano_poll(struct assay_instrument *ins, struct assay_values *out);

#endif
