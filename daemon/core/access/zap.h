/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ZAP handler (ZeroMQ RFC 27): libzmq sends it the key of each peer that connects by TCP, and
 * lets the peer in if the reply is 200.  Without a handler libzmq lets everyone in, so this one is
 * there before the first listener and until libzmq is shut down, and replies to every request.
 *
 * It has a thread of its own, which waits for nothing else.
 */
#ifndef ASSAY_CORE_ACCESS_ZAP_H
#define ASSAY_CORE_ACCESS_ZAP_H

#include "core/access/keys.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_PARTS    7 /* version, request id, domain, address, socket, mechanism, key */
#define ZAP_PROOF    "proof"

/* The names of the sockets in requests, by enum config_role. */
extern const char *const zap_sockets[CONFIG_ROLES];

struct zap;

/*
 * Binds and starts the thread.  `table` is borrowed.  `proof_key` is the only one that may use a
 * socket named ZAP_PROOF: that of the self-test.  Owned through `out`, or a negative errno.
 */
int zap_start(struct zap **out, void *context, struct key_table *table,
	const uint8_t proof_key[KEY_FILE_SIZE]);

/* Ends the thread, which ends with the context: shuts it down.  NULL is legal. */
void zap_stop(struct zap *zap);

#endif
