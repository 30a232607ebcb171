/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel with an I/O thread and nothing else: for tests that call the services of a driver's
 * slot on their own thread.
 */
#ifndef ASSAY_TESTS_WORKER_PUMP_H
#define ASSAY_TESTS_WORKER_PUMP_H

#include <pthread.h>
#include <stdatomic.h>

#include "worker/channel.h"
#include "worker/link/http.h"
#include "worker/link/modbus.h"

struct pump {
	struct monitor monitor;
	struct link link;
	struct heartbeat heartbeat;
	struct channel channel;
	struct modbus *modbus;
	struct http *http;
	pthread_t thread;
	atomic_bool stop;
	_Atomic uint64_t cancel_at; /* clock_boot(); 0: never */
	_Atomic uint64_t ask_at;    /* the same for a request to stop */
	_Atomic unsigned turns;     /* how often poll(2) returned */
};

/* Opens the port and starts the thread: 0, or the error of link_open(), with nothing to stop. */
int pump_start(struct pump *pump, const struct port *port);
void pump_stop(struct pump *pump);

/* A request to stop in so many milliseconds, until pump_resume(). */
void pump_ask_to_stop_in(struct pump *pump, int ms);

/* An abort in so many milliseconds; pump_resume() makes the channel work again. */
void pump_cancel_in(struct pump *pump, int ms);
void pump_resume(struct pump *pump);

#endif
