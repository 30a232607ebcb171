/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of libzmq: messages per second from a PUB to a SUB process over ipc, none dropped.
 *
 *	bench-zmq ENDPOINT BODY_BYTES SECONDS
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "live.h"
#include "tool.h"

/* The measurement starts after this part of the time, when the queues are full. */
#define WARM_UP 4

static void subscribe(void *socket, const void *arg)
{
	uint64_t time = *(const uint64_t *)arg;
	zmq_msg_t body;
	zmq_msg_init(&body);
	live_receive(socket, &body);
	uint64_t begin = clock_boot() + time / WARM_UP;
	while (clock_boot() < begin)
		live_receive(socket, &body);
	uint64_t now, count = 0;
	begin = clock_boot();
	do {
		live_receive(socket, &body);
		count++;
		now = clock_boot();
	} while (now < begin + time);
	double seconds = (double)(now - begin) / 1e9;
	printf("{\"messages\":%llu,\"bytes\":%zu,\"seconds\":%.4f,\"per_s\":%.1f}\n",
		(unsigned long long)count, zmq_msg_size(&body), seconds, (double)count / seconds);
	zmq_msg_close(&body);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: bench-zmq ENDPOINT BODY_BYTES SECONDS\n", stderr);
		return 2;
	}
	size_t len = argument(argv[2], 1u << 30);
	uint64_t time = argument_seconds(argv[3]);
	uint8_t *body = noise(len);
	struct live live = {0};
	live_open(&live, argv[1], subscribe, &time);
	while (live_send(&live, body, len))
		;
	live_close(&live);
	free(body);
	return 0;
}
