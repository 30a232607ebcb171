/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of an instrument model.  A model is pure: bytes and time go in, bytes come out,
 * and it has no file descriptor, clock or command line.  So it runs the same behind a
 * pseudo-terminal, a socket, a USB testbed, a unit test and a fuzzer.  Readers: authors of models.
 *
 * Time is the instrument's own, in nanoseconds: it starts at 0 at power-up, never goes back, and
 * with --speed X runs X times as fast as real time.  Durations on the wire (a gap that resets a
 * receiver, a host that is silent) are real: compare them as sim_wire_time(m, ns).
 *
 * Everything here runs on one thread.
 */
#ifndef ASSAY_SIM_SIM_H
#define ASSAY_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"
#include "options.h"
#include "random.h"

struct sim_model;
struct sim_host; /* host.h; only for models with their own `run` */
struct sim_http_request;
struct sim_http_reply;

enum sim_transport {
	SIM_NONE, /* a test, or a model that brings its own `run` */
	SIM_PTY,
	SIM_UDP,
	SIM_TCP,
	SIM_USB,
};

#define SIM_NEVER         UINT64_MAX
#define SIM_DISCOVERY_MAX 512

/* One row of the table in models.h.  Slots may be NULL unless their comment excludes it. */
/* A USB instrument: endpoints of configuration 1, interface 0, as the host sees them. */
struct sim_usb {
	uint16_t vendor, product, packet; /* bytes of a packet */
	uint8_t in, out;
	uint8_t stream;        /* another one to the host; 0: none */
	const char *serial;    /* of the device's descriptor; NULL: none */
	const uint8_t *report; /* HID: their descriptor, and interrupts in place of bulk */
	uint8_t report_len;
};

struct sim_model_ops {
	const char *name;                   /* as on the command line */
	const char *summary;                /* one line for --list */
	const char *driver;                 /* of reserved-serials.csv; NULL: as `name` */
	uint32_t serial_first, serial_last; /* of reserved-serials.csv; 0: none */
	size_t state_size;                  /* zeroed bytes at m->state */
	const struct sim_option *options;   /* ends with a NULL name */
	unsigned transports;                /* bits 1u << SIM_PTY ... */
	const struct sim_usb *usb;          /* with SIM_USB */
	uint64_t peer_hold_ns; /* UDP: serve one host until it is silent this long (real time) */

	/*
	 * Reads its options and fills m->state.  Returns 0 or a negative errno after one line on
	 * standard error; finish() is called after a failure too.  Never NULL.
	 */
	int (*init)(struct sim_model *m, const struct sim_options *o);

	/* Frees the resources that init took. */
	void (*finish)(struct sim_model *m);

	/*
	 * Bytes from the host: any piece of the stream, or exactly one datagram or transfer.
	 * Borrowed.  May emit.  NULL only if there is a `run`.
	 */
	void (*input)(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now);

	/*
	 * Advances to `now`.  Called when next_wakeup() is reached, before each input, and between.
	 */
	void (*tick)(struct sim_model *m, uint64_t now);

	/* When tick() is next needed, or SIM_NEVER.  A time in the past means at once. */
	uint64_t (*next_wakeup)(struct sim_model *m, uint64_t now);

	/* The client left or another one connected: drop half-received requests.  Must not emit. */
	void (*link_reset)(struct sim_model *m, uint64_t now);

	/*
	 * Beside --udp: `discovery` is the model's option for a second UDP port, HOST:PORT or "",
	 * whose datagrams of any host go to `discover`.  It writes at most SIM_DISCOVERY_MAX bytes
	 * to `out` and returns their number, 0 for no answer.
	 */
	const char *discovery;
	size_t (*discover)(struct sim_model *m, const uint8_t *data, size_t len, uint8_t *out);

	/* Of an instrument with a web server, whose `run` is sim_http_run(); see http.h. */
	void (*respond)(struct sim_model *m, const struct sim_http_request *request,
		struct sim_http_reply *reply);

	/*
	 * Replaces the framework's loop for a model whose library owns its socket (libmodbus).
	 * See host.h; returns 0 or a negative errno.
	 */
	int (*run)(struct sim_model *m, const struct sim_options *o, struct sim_host *host);
	unsigned run_transports; /* bits: where `run` serves; elsewhere the framework does */
};

/* The surroundings of a model.  `speed` and `random` must be set, all else may be zero. */
struct sim_env {
	void (*emit)(void *context, const uint8_t *data, size_t len); /* borrows; may be NULL */
	void (*emit_stream)(void *context, const uint8_t *data, size_t len); /* may be NULL */
	bool (*stream_has_room)(void *context);                              /* NULL: always */
	void (*discard)(void *context); /* drops bytes that are not sent yet; may be NULL */
	void *context;
	FILE *truth;               /* may be NULL */
	struct sim_faults *faults; /* may be NULL */
	struct sim_random *random;
	enum sim_transport transport;
	double speed; /* > 0 */
};

struct sim_model {
	const struct sim_model_ops *ops;
	void *state;
	struct sim_env env; /* a copy */
	uint64_t now;       /* of the running call */
	uint64_t emitted;   /* units so far */
};

/*
 * Makes a model and runs its init at time 0.  `options->table` must be ops->options; NULL options
 * mean all fallbacks.  `env` is copied, its pointers are borrowed until destroy.  Returns 0 with
 * the owned model, or init's error with NULL.
 */
int sim_model_create(const struct sim_model_ops *ops, const struct sim_options *options,
	const struct sim_env *env, struct sim_model **model);

/* NULL is legal. */
void sim_model_destroy(struct sim_model *m);

/* The slots, safe where a slot is NULL; input ticks first, so time never goes back. */
void sim_model_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now);
void sim_model_tick(struct sim_model *m, uint64_t now);
uint64_t sim_model_next_wakeup(struct sim_model *m, uint64_t now);
void sim_model_link_reset(struct sim_model *m, uint64_t now);
size_t sim_model_discover(
	struct sim_model *m, const uint8_t *data, size_t len, uint64_t now, uint8_t *out);

/* ---- calls of a model ---- */

/* Sends bytes (borrowed).  One call is one datagram or one USB transfer. */
void sim_emit(struct sim_model *m, const void *data, size_t len);

/* The same at the endpoint `stream` of USB. */
void sim_emit_stream(struct sim_model *m, const void *data, size_t len);

/* False while several packets wait there for the host. */
bool sim_stream_has_room(struct sim_model *m);

/* Drops bytes emitted and not sent yet: the instrument clears its transmit buffer. */
void sim_discard(struct sim_model *m);

/*
 * Writes one line to the truth log; `format` gives further members, each with its comma in front:
 * sim_truth(m, "scan", ",\"peak\":%d", peak).  The member "reply" of the line is the number of the
 * next emitted unit.
 */
void sim_truth(struct sim_model *m, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The same in pieces, for arrays: fprintf members to the returned stream, then sim_truth_end().
 * NULL if there is no truth log: skip both then.
 */
FILE *sim_truth_start(struct sim_model *m, const char *event);
void sim_truth_end(struct sim_model *m);

/* Draws whether a fault that the model itself plays strikes now. */
bool sim_fault_active(struct sim_model *m, enum sim_fault fault);

/* A real duration in the instrument's time. */
uint64_t sim_wire_time(const struct sim_model *m, uint64_t ns);

/* Whether `serial` is in the range of serial numbers reserved for this model. */
bool sim_serial_is_reserved(const struct sim_model *m, uint32_t serial);

/* The run's generator. */
struct sim_random *sim_random_of(struct sim_model *m);

#endif
