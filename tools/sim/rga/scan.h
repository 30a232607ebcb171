/* SPDX-License-Identifier: Apache-2.0 */
/* Scans and single readings: each word of ion current is sent when it has been measured. */
#ifndef ASSAY_SIM_RGA_SCAN_H
#define ASSAY_SIM_RGA_SCAN_H

#include "rga.h"

/* Points of a scan as AP? and HP? report them, without the total pressure. */
int scan_points(const struct rga *rga, enum rga_scan_kind kind);

/* SC, HS: starts `n` scans, UINT32_MAX without end; 0 does nothing. */
void scan_start(struct rga *rga, enum rga_scan_kind kind, uint32_t n);

/* MR, 1..M_MAX, and TP?. */
void scan_start_mass(struct rga *rga, int mass);
void scan_start_total(struct rga *rga);

/* Sends the words that are due until `now`; the head is idle after the last one. */
void scan_advance(struct rga *rga, uint64_t now);

#endif
