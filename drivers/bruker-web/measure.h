/* SPDX-License-Identifier: Apache-2.0 */
/* The slots that use the link; their contract is in <assay/driver.h>. */
#ifndef BRUKER_WEB_MEASURE_H
#define BRUKER_WEB_MEASURE_H

#include <assay/driver.h>

/* One frame: the file as the instrument sends it, and room for its values beside it in a record. */
#define FILE_MAX_BYTES (5u << 20)

/* Zeroed before identify. */
struct bruker {
	uint64_t last; /* a hash of the file that came last; 0: none */
	uint64_t end;  /* of the wait in acquire() */
	int64_t done;  /* scans at the last poll */
	bool is_measuring, is_scanned;
};

int bruker_identify(struct assay_instrument *ins, struct assay_identity *id);
int bruker_configure(struct assay_instrument *ins);
int bruker_start(struct assay_instrument *ins);
int bruker_acquire(struct assay_instrument *ins, struct assay_raw *raw);
int bruker_stop(struct assay_instrument *ins);

#endif
