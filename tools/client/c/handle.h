/* SPDX-License-Identifier: Apache-2.0 */
/* The members of struct assay_client, for the files of this folder. */
#ifndef ASSAY_CLIENT_HANDLE_H
#define ASSAY_CLIENT_HANDLE_H

#include <assay/client.h>

#include "requester.h"
#include "secure.h"
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
	size_t largest; /* bytes of a live message so far */
	bool is_broken; /* -ENOMEM: an item may be lost */

	void *context, *live, *replay; /* SUB, DEALER; NULL before the first wait */
	struct secure_keys keys;
	struct secure_watch live_watch, replay_watch;
	struct requester *requester; /* for runs and acknowledgements; the delivery uses `replay` */
	struct delivery *delivery;
	uint64_t taken_at; /* the cursor was requested last */
	bool has_cursor;   /* the cursor has been read from the daemon, or the client has none */
	struct runs runs;
	struct marks given, acked; /* marks of items; marks that the daemon has stored */

	struct parts page; /* the entries to process: parts from page_at on */
	size_t page_at;
	bool is_paging;
	struct parts live_message; /* the live message, while its entry is the item */
	bool has_note;
	struct delivery_note note; /* to deliver after the runs that it cuts */

	uint64_t sent_at;     /* time of the request that has no reply yet; 0: none */
	uint64_t retry_at;    /* no request before */
	uint64_t beat_at;     /* last heartbeat or connection, plus pauses of the caller */
	uint64_t left_at;     /* end of the last wait */
	uint64_t received_at; /* last valid message; 0: never */
	uint64_t reconnects;

	struct buffer waiting; /* an entry whose run's start is being fetched; empty: none */
	uint64_t waiting_from; /* the next seq to request, 0: all is there */

	struct assay_client_item item;
	struct run run; /* of the item */
	struct parts run_page;
	size_t run_page_at;
	uint64_t run_next, run_seen; /* next seq to request, 0: none is left; entries delivered */
	struct assay_client_entry run_entry;
	char error[200];
};

/* Keeps a text for assay_client_error() and returns `code`. */
int client_fail(struct assay_client *client, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for an error from the daemon: -EACCES or -EPROTO. */
int client_refused(struct assay_client *client, const struct reply_view *message);

/* Connects both sockets, after their former connections are ended.  0 or a negative errno. */
int client_connect(struct assay_client *client);
void client_disconnect(struct assay_client *client);

/* An error of secure.h becomes -EACCES with its words; others stay. */
int client_result(struct assay_client *client, int error);

/* Reads the cursor from the daemon.  0; -EAGAIN: not in this time; negative. */
int client_read_cursor(struct assay_client *client, int timeout_ms);

/* Tells the daemon from time to time that the cursor is in use.  0, or negative. */
int client_keep_cursor(struct assay_client *client, int timeout_ms);

/*
 * Fetches the entries of the run of `upto` before it, which is borrowed.  0; -EAGAIN: not in this
 * time; negative.
 */
int client_read_start(
	struct assay_client *client, const struct assay_entry_view *upto, int timeout_ms);

/* Makes a run the item. */
void client_give_run(struct assay_client *client);

#endif
