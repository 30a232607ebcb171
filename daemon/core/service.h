/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages to the service manager (sd_notify(3)).  A thread of its own sends those that are due
 * while others work:
 *
 *	WATCHDOG=1		if each thread with a beat moved since the last time, or waits for the
 *				disk: to kill the daemon gives no disk back, and loses what waits for it
 *	EXTEND_TIMEOUT_USEC	while the start reads a large journal, or the end waits for the disk
 *
 * Without a service manager there is no thread, and messages go nowhere.
 */
#ifndef ASSAY_CORE_SERVICE_H
#define ASSAY_CORE_SERVICE_H

#include <stddef.h>

#include "base/beat.h"

enum service_beat {
	SERVICE_MAIN,
	SERVICE_COMMIT,
	SERVICE_BEATS,
};

struct service;

/* Binds the calling thread's beat, SERVICE_MAIN.  Owned through `out`, or a negative errno. */
int service_start(struct service **out);

/* Ends the thread and frees; NULL is legal. */
void service_end(struct service *service);

/* To be bound by its thread; borrowed until service_end(). */
struct beat *service_beat(struct service *service, enum service_beat which);

/* The changes of state; `service` may be NULL. */
void service_ready(struct service *service, size_t instruments);
void service_stopping(struct service *service);

/* A reload begins, and ends. */
void service_reloading(void);
void service_reloaded(size_t instruments);

#endif
