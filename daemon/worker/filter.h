/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter between a link and its channel: spoils the bytes of a simulated instrument.  A piece is a
 * datagram, a transfer, the bytes of one write, or those that arrived together on a stream.
 *
 * Its random numbers follow from the seed, those of each direction apart: the same pieces are
 * spoiled in the same way.  Pure: no I/O, no clock.
 */
#ifndef ASSAY_WORKER_FILTER_H
#define ASSAY_WORKER_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "wire/faults.h"

struct filter_way {
	uint64_t random;  /* the state of the numbers */
	uint64_t free_at; /* with `rate`: when the last piece has passed */
};

/* All zero: passes everything. */
struct filter {
	struct faults faults;
	bool is_on;
	struct filter_way in, out;
};

void filter_set(struct filter *filter, const struct faults *faults);

/*
 * Spoils data[0 ... len), len > 0, which goes `way` (of this filter) at `now`.  Returns the bytes that
 * are left, 0 if the piece is lost, and when they arrive.
 */
size_t filter_pass(struct filter *filter, struct filter_way *way, uint8_t *data, size_t len,
	uint64_t now, uint64_t *arrives);

#endif
