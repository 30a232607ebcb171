/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CURVE for the sockets of a client: its keys, and the end of a connection that the daemon refuses.
 * libzmq reports that only to a monitor of the socket, and then does not try again.
 */
#ifndef ASSAY_CLIENT_SECURE_H
#define ASSAY_CLIENT_SECURE_H

#include <errno.h>

#include "base/key-file.h"

/* Errors of this file beside errno's own use of them. */
#define SECURE_REFUSED (-EKEYREJECTED) /* the daemon does not let this key in */
#define SECURE_FAILED  (-EKEYREVOKED)  /* connections end while keys are exchanged */

struct secure_keys {
	char server[KEY_FILE_TEXT]; /* "": no CURVE */
	struct key_pair own;
};

/*
 * Reads the daemon's public key and the client's own pair; both NULL: none.  0, or a negative errno
 * with the reason in `why`.
 */
int secure_load(struct secure_keys *keys, const char *server_file, const char *own_file,
	char why[KEY_FILE_ERRORS]);

/* Sets the keys before the socket connects.  `keys` NULL or empty: nothing. */
int secure_socket(void *socket, const struct secure_keys *keys);

struct secure_watch {
	void *monitor; /* readable when there may be news; NULL: not watched */
	unsigned failures;
};

/* Watches the connections of a socket that has keys.  0, or a negative errno. */
int secure_watch_begin(
	struct secure_watch *watch, void *context, void *socket, const struct secure_keys *keys);
void secure_watch_end(struct secure_watch *watch);

/* 0; SECURE_REFUSED; SECURE_FAILED: several times in a row. */
int secure_watch_look(struct secure_watch *watch);

/* Either of the two in words; NULL: another error. */
const char *secure_error(int error);

#endif
