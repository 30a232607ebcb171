/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"
#include "tool.h"

#define WAIT_MS 10000

static void set(void *socket, int option, int value)
{
	if (zmq_setsockopt(socket, option, &value, sizeof value) < 0)
		die("zmq_setsockopt");
}

static _Noreturn void run_subscriber(
	const char *endpoint, void (*subscribe)(void *socket, const void *arg), const void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_SUB);
	set(socket, ZMQ_RCVTIMEO, WAIT_MS);
	set(socket, ZMQ_RECONNECT_IVL, 5);
	if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) < 0 || zmq_connect(socket, endpoint) < 0)
		die(endpoint);
	subscribe(socket, arg);
	fflush(stdout);
	zmq_close(socket);
	zmq_ctx_term(context);
	_exit(0);
}

void live_open(struct live *live, const char *endpoint,
	void (*subscribe)(void *socket, const void *arg), const void *arg)
{
	live->subscriber = fork();
	if (live->subscriber < 0)
		die("fork");
	if (live->subscriber == 0)
		run_subscriber(endpoint, subscribe, arg);
	live->context = zmq_ctx_new();
	live->socket = zmq_socket(live->context, ZMQ_XPUB);
	set(live->socket, ZMQ_XPUB_NODROP, 1);
	set(live->socket, ZMQ_LINGER, 0);
	set(live->socket, ZMQ_SNDTIMEO, WAIT_MS);
	set(live->socket, ZMQ_RCVTIMEO, WAIT_MS);
	char subscription[8];
	if (zmq_bind(live->socket, endpoint) < 0 ||
		zmq_recv(live->socket, subscription, sizeof subscription, 0) < 0)
		die(endpoint);
}

/* Looking costs about as much as sending a small message, so most calls do not. */
static bool has_unsubscribed(struct live *live)
{
	char message[8];
	return live->sent++ % 64 == 0 &&
	       zmq_recv(live->socket, message, sizeof message, ZMQ_DONTWAIT) >= 0;
}

bool live_send(struct live *live, const void *body, size_t len)
{
	zmq_msg_t message;
	/* The bytes are never freed, so libzmq neither copies nor frees. */
	if (zmq_msg_init_data(&message, (void *)(uintptr_t)body, len, NULL, NULL) < 0)
		die("zmq_msg_init_data");
	if (zmq_send(live->socket, LIVE_TOPIC, strlen(LIVE_TOPIC), ZMQ_SNDMORE) < 0 ||
		zmq_msg_send(&message, live->socket, 0) < 0)
		die("zmq_send");
	return !has_unsubscribed(live);
}

void live_close(struct live *live)
{
	int status;
	if (waitpid(live->subscriber, &status, 0) < 0)
		die("waitpid");
	zmq_close(live->socket);
	zmq_ctx_term(live->context);
	if (status != 0)
		exit(1);
}

void live_receive(void *socket, zmq_msg_t *body)
{
	if (zmq_msg_recv(body, socket, 0) < 0 || !zmq_msg_more(body) ||
		zmq_msg_recv(body, socket, 0) < 0)
		die("zmq_recv");
}
