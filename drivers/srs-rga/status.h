/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head's STATUS byte and its six error bytes, in words.  Pure: no link, no state.
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

/* A bit of STATUS, and the query of its error byte. */
struct rga_detail_row {
	unsigned status_bit;
	const char *query;
};
extern const struct rga_detail_row rga_details[RGA_DETAILS];

/* `status` is the reply to ER?; a detail is 0 unless its bit in `status` is set. */
struct rga_status {
	uint8_t status;
	uint8_t detail[RGA_DETAILS];
};

/*
 * Writes the faults into text[0 ... size), e.g. "filament: pressure too high"; "" if there are
 * none.  Cuts at the end of the buffer.
 */
void rga_status_text(const struct rga_status *status, char *text, size_t size);

/* Whether the head reports that it cannot hold the emission: the filament is or will be off. */
bool rga_status_filament_lost(const struct rga_status *status);

/* Lowers the frame's quality by the faults of the status, with the reasons. */
void rga_status_quality(
	const struct rga_status *status, bool multiplier_used, struct assay_frame *frame);

#endif
