/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core without sockets and worker processes: a real journal in a folder of its own, a
 * configuration with two instruments, virtual time.  Requests go through control_handle().  A
 * function that fails ends the test.
 */
#ifndef ASSAY_TESTS_CORE_ROOF_H
#define ASSAY_TESTS_CORE_ROOF_H

#include "core/core.h"
#include "record/encode.h"

#define ROOF_TOPIC "a1/sim-data/xrf/site/node/xrf-1/"

struct roof {
	struct core core;
	char folder[64], file[96]; /* file: the configuration, written by roof_configure() */
	struct buffer reply;       /* the last one */
	size_t replies, requests;
};

/*
 * Instruments: xrf-1 (amptek-dp5, on demand) and ms-1 (srs-rga, continuous).  Sample ids match
 * S-[0-9]+.  Method "quick" is of amptek-dp5.
 */
void roof_open(struct roof *roof);
void roof_close(struct roof *roof); /* and removes the folder */

/* Writes the configuration with one more line in `journal:`, such as "keep: {size: 1GiB}"; or "". */
void roof_configure(struct roof *roof, const char *journal);

/* Sends a request; the reply may come later. */
void roof_ask(struct roof *roof, const void *data, size_t len);

/* Waits for the commit thread until every request has its reply. */
void roof_wait_reply(struct roof *roof);

#endif
