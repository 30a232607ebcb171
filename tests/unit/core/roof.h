/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core without worker processes: a real journal in a folder of its own, a configuration with
 * two instruments, virtual time.  A function that fails ends the test.
 */
#ifndef ASSAY_TESTS_CORE_ROOF_H
#define ASSAY_TESTS_CORE_ROOF_H

#include "core/core.h"
#include "journal/io.h"
#include "record/encode.h"

#define ROOF_CONTROL "inproc://control" /* of core.zmq */

struct roof_plan {
	const char *instruments, *methods; /* YAML of more of them; NULL: none */
	const struct catalog *catalog;     /* drivers of these, which are all then; or NULL */
	bool notes_hazards;                /* as the daemon does; tests of them sync their notes */
	/* Starts workers; NULL: they cannot be started. */
	int (*start)(const char *worker, int fd, int error, pid_t *pid);
	const struct io *io; /* of the journal; NULL: the kernel's */
};

struct roof {
	struct core core;
	struct roof_plan plan;
	char folder[64], file[96]; /* file: the configuration, written by roof_configure() */
	struct buffer reply;       /* the last one */
	struct buffer records;     /* of roof_records() */
	size_t replies, requests;
};

/*
 * Instruments: xrf-1 (amptek-dp5, on demand) and ms-1 (srs-rga, continuous).  Sample ids match
 * S-[0-9]+.  Method "quick" is of amptek-dp5.
 */
void roof_open(struct roof *roof);
void roof_open_as(struct roof *roof, const struct roof_plan *plan);
void roof_close(struct roof *roof); /* and removes the folder */

/* The core ends and starts on the same folder.  Its workers must have ended. */
void roof_restart(struct roof *roof);

/* Writes the configuration with one more line in `journal:`, such as "keep: {size: 1GiB}"; or "". */
void roof_configure(struct roof *roof, const char *journal);

/* Hands a request to control_handle(); the reply may come later. */
void roof_ask(struct roof *roof, const void *data, size_t len);

/* Waits for the commit thread until every request has its reply. */
void roof_wait_reply(struct roof *roof);

/* Waits for the commit thread until all that was written is committed and reported. */
void roof_commit(struct roof *roof);

/* The committed records on the topics of this instrument ("-": of none), a JSON text a line. */
const char *roof_records(struct roof *roof, const char *instrument);

#endif
