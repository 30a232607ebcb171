/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that reads a folder for a confined worker, which can open no file.  It has the folder, to
 * read only, and a socket to the worker (folder-message.h); it never looks at the content of a file,
 * and it ends with the worker.  A share that hangs keeps this process waiting, not the worker.
 */
#ifndef ASSAY_WORKER_LINK_FOLDER_KEEPER_H
#define ASSAY_WORKER_LINK_FOLDER_KEEPER_H

#include "worker/link/folder-watch.h"

struct folder_plan {
	const char *path;
	struct folder_rules rules;
	uint64_t poll;           /* ns between two looks at the folder */
	struct assay_span taken; /* as of struct wire_setup */
};

/* In the process, after fork(); `fd` is a socket of SOCK_SEQPACKET. */
_Noreturn void folder_keeper_run(int fd, const struct folder_plan *plan);

#endif
