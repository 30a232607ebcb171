/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument in its worker: what its driver is given, and its slots.  Everything here belongs
 * to the driver's thread; what is shared is behind `core`, `commands` and `channel`.
 */
#ifndef ASSAY_WORKER_DEVICE_H
#define ASSAY_WORKER_DEVICE_H

#include <assay/driver.h>

#include "wire/port.h"
#include "worker/channel.h"
#include "worker/frame.h"
#include "worker/link/modbus.h"
#include "worker/module.h"
#include "worker/commands.h"
#include "worker/core-link.h"
#include "worker/raw.h"
#include "worker/report.h"
#include "worker/settings.h"

#define EXPLAIN_MAX 400

/* What all instruments of a worker share. */
struct services {
	struct core_link *core;
	struct commands *commands;
	struct channel *channel;
	struct modbus *modbus; /* NULL: no Modbus link */
	struct assay_host host;
};

struct device {
	struct assay_instrument ins; /* first: the driver's view */
	struct services *services;
	unsigned index; /* of the unit on the port */
	const struct unit *config;
	struct module module;
	const struct assay_driver *driver;

	struct settings *settings; /* as ins.settings */
	void *prepared;            /* of them, for decode; NULL: not yet, or nothing */
	struct assay_span sent;    /* their CBOR: of SETUP, or in `own` */
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
 * borrowed.  Either way finish with device_finish().
 */
int device_init(struct device *device, struct services *services, unsigned index,
	const struct unit *config, const char *drivers, unsigned link, char why[MODULE_WHY]);
void device_finish(struct device *device);

/*
 * Takes other settings (CBOR, copied; len 0: those of SETUP).  0 when they are in use already, 1
 * when they have to be configured, or a negative errno with `why`.
 */
int device_use_settings(
	struct device *device, const uint8_t *data, size_t len, char why[SETTINGS_WHY]);

/*
 * The slots, each with its bookkeeping: the heartbeat, the present unit, the explanation.  Stop and
 * make_safe cannot be interrupted.  A slot that the driver does not have returns 0.
 */
int device_identify(struct device *device, struct assay_identity *id);
int device_configure(struct device *device);
int device_start(struct device *device);
int device_acquire(struct device *device);
int device_decode(struct device *device);
int device_stop(struct device *device);
int device_make_safe(struct device *device);

/* Why the last slot failed: the driver's words, or those of the error. */
const char *device_reason(const struct device *device, int error);

/* The errno's name, such as "ETIMEDOUT"; "" for 0. */
const char *device_code(int error);

/* Tells the core that something harmful is on, or off again; it has been told on return. */
void device_report_hazard(struct device *device, bool on);

/* One line to the core's log, whatever the driver logged before. */
void device_log(struct device *device, enum assay_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
