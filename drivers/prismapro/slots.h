/* SPDX-License-Identifier: Apache-2.0 */
/* The slots; their contract is in <assay/driver.h>. */
#ifndef PRISMAPRO_SLOTS_H
#define PRISMAPRO_SLOTS_H

#include <assay/driver.h>

#include "plan.h"

/* The raw blocks: replies as they came, named "scan" or as the status word. */
#define JSON_MEDIA "application/json"
#define SCAN_BLOCK "scan"

/* Zeroed before identify. */
struct prismapro {
	struct plan plan;
	uint32_t before; /* the number of the last scan before this measurement; 0: none */
	uint32_t seen;   /* the highest number of a scan that is complete */
	uint32_t done;   /* the number of the scan that was delivered last */
	int64_t count;   /* of delivered scans */
	bool is_numbered, is_unsure; /* `done` is known; a reply with it was perhaps lost */
	uint64_t end;                /* of the wait for the next scan */
	uint64_t idle_at;            /* unless a scan is active before */
	bool is_scanning;
	bool is_lost;  /* the emission or the multiplier, by itself */
	bool is_on[2]; /* emission, multiplier: by this run */
};

int prismapro_identify(struct assay_instrument *ins, struct assay_identity *id);
int prismapro_start(struct assay_instrument *ins);
int prismapro_acquire(struct assay_instrument *ins, struct assay_raw *raw);
int prismapro_stop(struct assay_instrument *ins);
int prismapro_poll(struct assay_instrument *ins, struct assay_values *out);
int prismapro_make_safe(struct assay_instrument *ins);
int prismapro_decode(const struct assay_decoding *in, struct assay_frame *out);

/* Takes the control, and stops a scan that runs. */
int setup_take_control(struct assay_instrument *ins);

/* Sends the channels and the number of scans; -EPROTO if one is not read back as it was sent. */
int setup_send(struct assay_instrument *ins);

/* Switches emission and multiplier as their settings request, and waits until it is so. */
int hazard_on(struct assay_instrument *ins);

/* Switches off the parts that hazard_on() switched on. */
int hazard_off(struct assay_instrument *ins);

#endif
