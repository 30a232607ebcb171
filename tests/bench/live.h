/* SPDX-License-Identifier: Apache-2.0 */
/* One raw PUB and one SUB process over ipc, with messages of two parts like those of assayd. */
#ifndef ASSAY_BENCH_LIVE_H
#define ASSAY_BENCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <zmq.h>

/* As long as the topics of the benchmark's instruments. */
#define LIVE_TOPIC "a1/sim-data/xrf/bench/bench-1/gen-1/"

struct live {
	void *context, *socket;
	pid_t subscriber;
	uint64_t sent;
};

/*
 * Forks the subscriber, which runs subscribe(socket, arg) on a connected SUB socket and exits
 * with 0, and opens the PUB socket; returns when the subscription has arrived.  `endpoint` is
 * bound by the publisher.
 */
void live_open(struct live *live, const char *endpoint,
	void (*subscribe)(void *socket, const void *arg), const void *arg);

/*
 * Sends one message; the bytes must stay valid until the program ends. False soon after the
 * subscriber's end.
 */
bool live_send(struct live *live, const void *body, size_t len);

/* Waits for the subscriber's end; dies when it failed. */
void live_close(struct live *live);

/* For the subscriber: receives a message; the body is in `body`, which the caller initialised. */
void live_receive(void *socket, zmq_msg_t *body);

#endif
