/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head's STATUS byte and the six error bytes behind it, in words.  Pure: no link, no state.
 */
#ifndef ASSAY_SRS_RGA_STATUS_H
#define ASSAY_SRS_RGA_STATUS_H

#include <assay/driver.h>

/* Error bytes, in the order of rga_details[]. */
enum rga_detail {
	RGA_COMMUNICATION, /* EC? */
	RGA_FILAMENT,      /* EF? */
	RGA_MULTIPLIER,    /* EM? */
	RGA_QUADRUPOLE,    /* EQ? */
	RGA_ELECTROMETER,  /* ED? */
	RGA_SUPPLY,        /* EP? */
	RGA_DETAILS
};

/* What a bit of STATUS points to: its number and the query that tells more. */
struct rga_detail_row {
	unsigned status_bit;
	const char *query;
};
extern const struct rga_detail_row rga_details[RGA_DETAILS];

/* `status` is the answer to ER?; a detail is 0 unless its bit in `status` is set. */
struct rga_status {
	uint8_t status;
	uint8_t detail[RGA_DETAILS];
};

/*
 * Writes what is wrong into text[0 ... size), e.g. "filament: pressure too high".  Nothing wrong
 * gives "".  Cuts at the end of the buffer.
 */
void rga_status_text(const struct rga_status *status, char *text, size_t size);

/* True when the head reports that it cannot hold the emission: the filament is off or going. */
bool rga_status_filament_lost(const struct rga_status *status);

/* Lowers the frame's quality to what the status leaves of it, with the reasons. */
void rga_status_judge(
	const struct rga_status *status, bool multiplier_used, struct assay_frame *frame);

#endif
