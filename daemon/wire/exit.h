/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exit codes of assay-worker.  The core decides by the code alone; the reason in words comes before
 * the exit as a STATE or LOG message.  A worker that dies by a signal crashed or was killed; its
 * run ends as `lost-device` or `interrupted` like any other.
 */
#ifndef ASSAY_WIRE_EXIT_H
#define ASSAY_WIRE_EXIT_H

enum wire_exit {
	WIRE_EXIT_CLEAN = 0,       /* QUIT, end of the core's socket, or SIGTERM; all is stopped */
	WIRE_EXIT_USAGE = 2,       /* the command line */
	WIRE_EXIT_NOT_OPENED = 10, /* the port could not be opened: retry later */
	WIRE_EXIT_LOST = 11,       /* the port was open and is gone: retry */
	WIRE_EXIT_SETUP = 12,      /* driver or settings of SETUP unusable: do not retry */
	WIRE_EXIT_PROTOCOL = 13,   /* the core broke the rules of wire.h: a bug */
	WIRE_EXIT_DRIVER = 14,     /* the driver broke the rules of <assay/driver.h>: a bug */
	WIRE_EXIT_MEMORY = 15,
	WIRE_EXIT_UNSAFE = 16, /* stopped, but a hazard could not be switched off */
	WIRE_EXIT_OVER = 17,   /* a recording was played to its end: do not retry */
};

#endif
