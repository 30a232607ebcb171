/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument in its worker: what its driver is given, and its slots.  Everything here belongs
 * to the driver's thread; what is shared is behind `outlet`, `orders` and `channel`.
 */
#ifndef ASSAY_WORKER_INSTRUMENT_H
#define ASSAY_WORKER_INSTRUMENT_H

#include <assay/driver.h>

#include "wire/port.h"
#include "worker/channel.h"
#include "worker/frame.h"
#include "worker/link/modbus.h"
#include "worker/module.h"
#include "worker/orders.h"
#include "worker/outlet.h"
#include "worker/raw.h"
#include "worker/report.h"
#include "worker/settings.h"

#define EXPLAIN_MAX 400

/* What all instruments of a worker share. */
struct services {
	struct outlet *outlet;
	struct orders *orders;
	struct channel *channel;
	struct modbus *modbus; /* NULL: no Modbus link */
	struct assay_host host;
};

struct instrument {
	struct assay_instrument ins; /* first: the driver's view */
	struct services *services;
	unsigned unit; /* index on the port */
	const struct unit *config;
	struct module module;
	const struct assay_driver *driver;

	struct settings *settings; /* as ins.settings */
	void *prepared;            /* of them, for decode; NULL: not yet, or nothing */
	struct wire_bytes sent;    /* their CBOR: of SETUP, or in `own` */
	struct buffer own;
	struct report report;

	struct raw raw;
	struct frame frame;

	char explained[EXPLAIN_MAX]; /* by the slot that ran last */
	uint32_t retried;            /* since the last frame */
	bool hazard;
	uint64_t told_at; /* progress: at most one message per second */
	uint64_t logged_at;
	unsigned logged, muted;       /* log lines in this second, and those left out */
	char said[WIRE_TEXT_MAX + 1]; /* the last line, and when */
	uint64_t said_at;
};

/* The table of services for drivers; the functions are host.c's. */
void services_init(struct services *services);

/*
 * Loads the driver and reads the settings.  0, or a negative errno with `why`; `config` is
 * borrowed.  Either way finish with instrument_finish().
 */
int instrument_init(struct instrument *instrument, struct services *services, unsigned unit,
	const struct unit *config, const char *drivers, unsigned link, char why[MODULE_WHY]);
void instrument_finish(struct instrument *instrument);

/*
 * Takes other settings (CBOR, copied; len 0: those of SETUP).  0 when they are in use already, 1
 * when they have to be configured, or a negative errno with `why`.
 */
int instrument_use(
	struct instrument *instrument, const uint8_t *data, size_t len, char why[SETTINGS_WHY]);

/*
 * The slots, each with its bookkeeping: the pulse, the present unit, what was explained.  Stop and
 * make_safe cannot be interrupted.  A slot that the driver does not have returns 0.
 */
int instrument_identify(struct instrument *instrument, struct assay_identity *id);
int instrument_configure(struct instrument *instrument);
int instrument_start(struct instrument *instrument);
int instrument_acquire(struct instrument *instrument);
int instrument_decode(struct instrument *instrument);
int instrument_stop(struct instrument *instrument);
int instrument_make_safe(struct instrument *instrument);

/* Why the last slot failed: the driver's words, or those of the error. */
const char *instrument_reason(const struct instrument *instrument, int error);

/* The errno's name, such as "ETIMEDOUT"; "" for 0. */
const char *instrument_code(int error);

/* Tells the core that something harmful is on, or off again; it has been told on return. */
void instrument_tell_hazard(struct instrument *instrument, bool on);

/* One line to the core's log, whatever the driver logged before. */
void instrument_log(struct instrument *instrument, enum assay_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
