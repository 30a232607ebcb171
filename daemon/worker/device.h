/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument as its driver sees it: the services, the settings, the slots.  Belongs to the
 * driver's thread.
 */
#ifndef ASSAY_WORKER_DEVICE_H
#define ASSAY_WORKER_DEVICE_H

#include <assay/driver.h>

#include "wire/port.h"
#include "worker/channel.h"
#include "worker/frame.h"
#include "worker/core-link.h"
#include "worker/link/folder-call.h"
#include "worker/link/http.h"
#include "worker/link/modbus.h"
#include "worker/module.h"
#include "worker/raw.h"
#include "worker/report.h"
#include "worker/settings.h"

#define EXPLAIN_MAX 400
#define SAMPLE_MAX  250 /* more than an id may have: the core rejects a longer one */

struct commands;
struct device;

/* Shared by all instruments of a worker. */
struct services {
	struct core_link *core;
	struct commands *commands;
	struct channel *channel;
	struct modbus *modbus; /* NULL: no Modbus link */
	struct http *http;     /* NULL: no link http */
	struct folder *folder; /* NULL: no link folder */
	int quiet_ms;          /* of a line without Modbus that units share: see await_silence() */
	struct assay_host host;
};

/* The values of poll(). */
struct polled {
	struct assay_values handle; /* first: the driver's view */
	struct report report;
};
/* True if the driver itself writes and reads the link's bytes. */
static inline bool services_have_stream(const struct services *services)
{
	return services->modbus == NULL && services->http == NULL && services->folder == NULL;
}

struct device {
	struct assay_instrument ins; /* first: the driver's view */
	struct services *services;
	unsigned index; /* of the unit on the port */
	const struct unit *config;
	const struct assay_driver *driver;
	void (*on_hazard)(struct device *device, bool on);

	struct settings *settings; /* as ins.settings */
	void *prepared;            /* of them, for decode; NULL: not yet, or nothing */
	struct assay_span sent;    /* their CBOR: of SETUP, or in `own` */
	struct buffer own;
	/* The same without the calibration, for decode, where that does not hold; NULL: it holds. */
	struct settings *bare_settings;
	struct buffer bare;
	struct report report;
	bool may_report; /* the slot's reports go into READY or run-start */

	struct raw raw;
	struct raw references; /* of other runs, for decode */
	struct frame frame;
	uint64_t decoded; /* frames of this worker */

	bool is_open;         /* identify ran, and close did not */
	struct polled polled; /* by the last poll, */
	struct buffer shown;  /* and what the core has of it */

	/* By assay_began() in the last start; has_begun false: that measurement is ours. */
	bool is_starting, has_begun;
	struct receipt began;
	char sample[SAMPLE_MAX + 1];

	bool wants_again;  /* the slot that ran last has called assay_again(): */
	uint64_t again_ns; /* how long it wants to wait; 0: not at all */
	bool may_yield;    /* the slot is called again if it returns -EAGAIN for the line */
	char explained[EXPLAIN_MAX]; /* by the slot that ran last */
	char link_why[MODBUS_WHY];   /* of its last exchange, if that failed */
	unsigned unreadable;         /* data sets of a folder, as of the last call */
	uint32_t retried;            /* since the last frame */
	uint64_t progress_at;        /* of the last progress message: at most one per second */
	uint64_t logged_at;
	unsigned logged, muted;       /* log lines in this second, and those left out */
	char line[WIRE_TEXT_MAX + 1]; /* the last one, and when */
	uint64_t line_at;
};

/* The input of decode(), and where its explanation goes. */
struct decoding {
	struct assay_decoding in; /* first: the driver's view */
	char *why;
	size_t size;
};

/* Fills the table of services for drivers (host.c). */
void services_init(struct services *services);

/*
 * Reads the settings of `config`.  Borrows `services`, `config` and `driver`.  `on_hazard` is
 * called when the driver reports a hazard; the core must know it when it returns.  0, or a
 * negative errno with `why`; either way finish with device_finish().
 */
int device_init(struct device *device, struct services *services, unsigned index,
	const struct unit *config, const struct assay_driver *driver, unsigned link,
	void (*on_hazard)(struct device *, bool), char why[MODULE_WHY]);
void device_finish(struct device *device);

/*
 * Takes other settings (CBOR, copied; empty: those of SETUP).  0 if they are in use already, 1 if
 * they have to be configured, or a negative errno, explained.
 */
int device_use_settings(struct device *device, const struct buffer *settings);

/* Takes the raw blocks of other runs (a CBOR array, copied; empty: none).  0 or a negative errno. */
int device_use_references(struct device *device, const struct buffer *references);

/*
 * Decides if the calibration in the settings in use holds, now that the instrument was configured
 * and started: `holds` as in struct wire_start.  If not, decode() gets settings without it.
 */
bool device_calibrate(struct device *device, struct assay_span holds);

/* The settings in use as decode() gets them; borrowed. */
struct assay_span device_sent(const struct device *device);

/*
 * The slots, each with its heartbeat and explanation.  A slot that the driver does not have
 * returns 0.
 */
int device_identify(struct device *device, struct assay_identity *id);

/* The same for a unit that is configured: the driver's state stays as it is. */
int device_identify_aside(struct device *device, struct assay_identity *id);

/* Frees what the state points to, unless that was done. */
void device_close(struct device *device);

/* Values that have changed go to the core; `device->shown` empty: all. */
int device_poll(struct device *device);
int device_configure(struct device *device);
int device_read_back(struct device *device);
int device_start(struct device *device);
/* Before a run is reported as started: the link reports its data set, so that no driver can forget it. */
void device_report_file(struct device *device);
int device_acquire(struct device *device);
int device_decode(struct device *device);
int device_stop(struct device *device);
int device_make_safe(struct device *device);

/* Why the last slot failed: the driver's explanation, or the text of the error. */
const char *device_reason(const struct device *device, int error);

/* The errno's name, such as "ETIMEDOUT"; "" for 0. */
const char *device_code(int error);

/* One line to the core's log, within the driver's limit of lines per second. */
void device_log(struct device *device, enum assay_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
