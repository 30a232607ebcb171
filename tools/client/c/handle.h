/* SPDX-License-Identifier: Apache-2.0 */
/* What a struct assay_client is made of; for the files of this folder. */
#ifndef ASSAY_CLIENT_HANDLE_H
#define ASSAY_CLIENT_HANDLE_H

#include <assay/client.h>

#include "requester.h"
#include "delivery.h"
#include "parts.h"
#include "runs.h"

#define CURSOR_NAME_MAX 32

struct assay_client {
	struct prefixes prefixes;
	char live_endpoint[300], replay_endpoint[300];
	char cursor[CURSOR_NAME_MAX + 1];
	bool by_runs, stop_at_head;
	int receive_hwm;

	void *context, *live, *replay; /* SUB, DEALER; NULL before the first wait */
	struct requester *requester;   /* runs and acknowledgements, beside the delivery */
	struct delivery *delivery;
	bool has_cursor; /* what the daemon keeps has been read, or there is nothing to read */
	struct runs runs;
	struct marks given, acked; /* of items; what the daemon has stored */

	struct parts page; /* the entries being looked at: parts from page_at on */
	size_t page_at;
	bool is_paging;
	struct parts heard; /* the live message, while its entry is the item */
	bool has_note;
	struct delivery_note note; /* given after the runs that it cuts */

	uint64_t asked_at; /* when the open question was sent; 0: none is open */
	uint64_t retry_at; /* no question before */
	uint64_t
		beat_at; /* of the last heartbeat or connecting, moved on by pauses of the caller */
	uint64_t left_at;  /* when the last wait ended */
	uint64_t heard_at; /* when anything came that makes sense; 0: never */
	uint64_t reconnects;

	struct assay_client_item item;
	struct run run; /* of the item */
	struct parts run_page;
	size_t run_page_at;
	uint64_t run_next, run_seen; /* where to ask on, 0: all was asked; entries given */
	struct assay_client_entry run_entry;
	char error[200];
};

/* Keeps a text for assay_client_error() and returns `code`. */
int client_fail(struct assay_client *client, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for an error that the daemon answered: -EACCES or -EPROTO. */
int client_refused(struct assay_client *client, const struct message *message);

/* The position that the daemon keeps.  0; -EAGAIN: not in this time; negative. */
int client_read_cursor(struct assay_client *client, int timeout_ms);

/* Makes a run the item. */
void client_give_run(struct assay_client *client);

#endif
