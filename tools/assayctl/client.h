/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the daemon, with messages for people. */
#ifndef ASSAY_ASSAYCTL_CLIENT_H
#define ASSAY_ASSAYCTL_CLIENT_H

#include "command.h"
#include "control.h"

#define ASK_SECONDS 5 /* most requests are answered at once */

/*
 * Sends the request to the control socket, and waits at most `seconds` for the reply, which the
 * caller finishes in every case.  0, or 1 after a message; with --json a rejection is printed as
 * the daemon's reply.
 */
int client_ask(const struct options *options, struct control_request *request, int seconds,
	struct control_reply *reply);

/* The same, with ASK_SECONDS; prints the reply for --json, otherwise the line `done`. */
int client_ask_and_print(
	const struct options *options, struct control_request *request, const char *done);

/* The same without messages, as control_send(). */
int client_try(const struct options *options, struct control_request *request, int seconds,
	struct control_reply *reply);

/* Prints the message for an error of control_send(), 1 or negative.  Returns 1. */
int client_explain(const struct options *options, int error, const struct control_reply *reply);

/*
 * Can this ipc:// socket be connected to?  0, or 1 after a message: the daemon does not run, or this
 * user has no permission.  Other endpoints: 0.
 */
int client_reach(const char *endpoint);

/* Prints the message for an error of a requester.  Returns 1. */
int client_no_answer(const char *endpoint, int error);

#endif
