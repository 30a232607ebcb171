/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a unix datagram socket.  A request is one text of switches separated by
 * spaces ("drop=0.2 delay=100ms", "off", or "" for the state alone), the reply is "ok <state>" or
 * "error <reason>".  Either all switches of a text are set or none.
 */
#ifndef ASSAY_SIM_CONTROL_H
#define ASSAY_SIM_CONTROL_H

#include <stdbool.h>

#include "fault.h"

struct control {
	int fd; /* -1: none */
	const char *path;
};

/* Binds `path` (borrowed), replacing a socket left over there.  0 or a negative errno. */
int control_open(struct control *control, const char *path);

/* Legal when not open; removes the socket. */
void control_close(struct control *control);

/* Serves all requests that have arrived; returns whether a switch was set.  Never blocks. */
bool control_serve(struct control *control, struct sim_faults *faults);

/*
 * The client's side: sends one text to `path` and copies the reply to `reply`.  Returns 0 for
 * "ok", -EINVAL for "error", or another negative errno; waits at most 2 s.
 */
int control_request(const char *path, const char *text, char *reply, unsigned size);

#endif
