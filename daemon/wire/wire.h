/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between the core and a worker over their socketpair (AF_UNIX, stream).
 *
 * A message is an 8-byte head, little-endian { u32 size, u16 type, u16 unit }, and `size` bytes of
 * payload; `unit` is the index of the instrument on the worker's port (0xffff: the port itself).
 * Payloads are CBOR maps with the keys named below, except WIRE_FRAME, WIRE_CREDIT, WIRE_BEAT and
 * WIRE_CAPTURED.  Texts and bytes of a received message are borrowed until it is consumed.
 * The core trusts nothing that a worker sends: every payload is read by a bounded reader, and a
 * message that is not as described here ends the worker.
 *
 * The conversation:
 *
 *	core	SETUP				the port and its units, once
 *	worker	HELLO				it runs; the parts of confinement that it lacks
 *		(opens the port; exits if it cannot)
 *	worker	OPENED				the port is open
 *	worker	IDENTITY unit			the identity of the unit
 *	core	GO unit | REFUSE unit		the core compares; only GO lets the driver act
 *	worker	READY unit			configured, with the settings as sent or read back
 *	core	CONFIGURE unit			while it rests: other settings of its own; READY follows
 *	core	START unit			one measurement, or one after another until STOP
 *	worker	STARTED unit			acquisition has started; the core makes run-start
 *	worker	FRAME unit ...			under credit
 *	core	STOP unit | ABORT unit		finish the current frame | discard it
 *	worker	ENDED unit			the core makes run-end; READY is implied unless failed
 *	core	QUIT				stop, make safe, exit 0; end of file means the same
 */
#ifndef ASSAY_WIRE_WIRE_H
#define ASSAY_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "base/buffer.h"
#include "wire/port.h"

#define WIRE_VERSION     6
#define WIRE_HEAD_BYTES  8
#define WIRE_PAYLOAD_MAX (16u * 1024 * 1024 + 65536)
#define WIRE_PORT        0xffff /* in place of a unit */
#define WIRE_TEXT_MAX    500    /* bytes of an explaining text; longer ones are cut by the sender */

enum wire_type {
	/* core -> worker */
	WIRE_SETUP = 1,
	WIRE_GO,
	WIRE_REFUSE,
	WIRE_CREDIT,
	WIRE_START,
	WIRE_STOP,
	WIRE_ABORT,
	WIRE_QUIT,
	WIRE_CAPTURE,
	WIRE_CONFIGURE,
	WIRE_FAULTS,
	/* worker -> core */
	WIRE_HELLO = 64,
	WIRE_OPENED,
	WIRE_IDENTITY,
	WIRE_READY,
	WIRE_STARTED,
	WIRE_FRAME,
	WIRE_ENDED,
	WIRE_STATE,
	WIRE_HAZARD,
	WIRE_LOG,
	WIRE_BEAT,
	WIRE_CAPTURED,
};

/*
 * A data set of a link folder that a complete run has recorded: the first bytes of the SHA-256 of the
 * settings `file`, a zero byte, and `file_sha256` in its run-start.
 */
#define WIRE_TAKEN_BYTES 16
#define WIRE_TAKEN_MAX   1000000 /* a SETUP has the newest */

/* SETUP: {version, port, units, drivers (the folder of the modules), taken?} */
struct wire_setup {
	const char *drivers;
	struct assay_span taken; /* of a link folder: WIRE_TAKEN_BYTES each, in any order */
	struct port port;
	struct unit *units;
	size_t unit_count;
};

/*
 * GO: {safe, look, settings?}.  CONFIGURE: the same; dropped unless the unit rests.  The settings
 * are those of the instrument between runs; left out: those of SETUP, or with `look` none.
 */
struct wire_go {
	bool safe; /* after an unclean end with a hazard on: make_safe before anything else */
	/* Beyond the settings change nothing: READY has only values that stay, as they are. */
	bool look;
	struct assay_span settings;
};

/* CREDIT: u64: this many more bytes of FRAME messages (heads included) may be sent. */

enum wire_mode {
	WIRE_ONCE = 1,   /* on demand: one measurement, then ENDED */
	WIRE_REPEAT,     /* measurement after measurement, each its own run, until STOP */
	WIRE_CONTINUOUS, /* one run until STOP or ABORT */
};

/*
 * START: {mode, every?, frames?, step?, settings?, holds?, references?}.  `every` paces acquire() at whole multiples of
 * that time since 1970, so that instruments with the same period share one commit.
 */
struct wire_start {
	enum wire_mode mode;
	uint64_t every_ns;      /* 0: as fast as the driver delivers */
	uint64_t frames;        /* 0: all of the measurement */
	struct assay_span step; /* CBOR of the frames' `step` in a method with steps; or empty */
	struct assay_span settings;   /* empty: those of SETUP; else reconfigured before */
	struct assay_span holds;      /* the values for which their calibration holds; or empty */
	struct assay_span references; /* raw blocks of other runs, for decode(); or empty */
};

/* HELLO: {version, pid, lacking}: the parts of confinement that the kernel lacks. */
struct wire_hello {
	uint64_t version, pid;
	struct assay_string lacking; /* one text, items joined by ", "; "": nothing is lacking */
};

struct wire_opened {
	struct assay_string address; /* "192.0.2.10 port 502"; "": no host */
};

struct wire_identity {
	struct assay_string make, model, serial, fw;
	bool declared;
};

/*
 * READY: {settings}.  STARTED: {utc, mono, settings, sent?, sample?}: CBOR of the record format's
 * `settings`, as sent or read back; `sent` are those that the driver used, if they differ; `sample`
 * is the sample id that the instrument reports, unchecked.
 */
struct wire_started {
	uint64_t utc, mono;
	struct assay_span settings, sent;
	struct assay_string sample; /* "": none */
};

/*
 * FRAME, binary head then CBOR: u64 utc, u64 mono, u32 flags, u32 retries, u64 dropped,
 * u32 quality flag, u32 reasons (bit i: quality_reason_at(i) of record/quality.h), u16 device time
 * length, u16 number of pairs, u32 zero; the device time's bytes; the frame's part (`kind` ...
 * `raw`).
 */
#define WIRE_FRAME_HEAD_BYTES 48
struct wire_frame {
	uint64_t utc, mono; /* receipt of the last byte */
	uint32_t quality;   /* 1, 2, 3, 4, 9 */
	uint32_t reasons;
	uint32_t retries;
	uint64_t dropped;
	struct assay_string dev; /* "" none */
	uint16_t pairs;          /* key/value pairs in `part` */
	struct assay_span part;
};

enum wire_end {
	WIRE_END_COMPLETE = 1, /* with a `text` the instrument ended it early */
	WIRE_END_STOPPED,
	WIRE_END_ABORTED,
	WIRE_END_FAILED,      /* because of the instrument or its bytes, see `text` */
	WIRE_END_NOT_STARTED, /* the reply to a START that did not lead to STARTED */
};

/*
 * ENDED: {end, code, text}.  `code` is the errno's name, e.g. "ETIMEDOUT", or "".  After
 * WIRE_END_FAILED the instrument is not ready: STATE "fault" came before, and IDENTITY follows
 * as soon as it replies again.  A STOP or ABORT that finds a repetition between two runs, or a START
 * for which the instrument has begun nothing yet, ends it: ENDED then has no STARTED before it.
 */
struct wire_ended {
	enum wire_end end;
	struct assay_string code, text;
};

/*
 * STATE: {state, code, text, values}: states without a message of their own.  `state` is a
 * device-state of the record format: "fault" once when a unit fails (the worker retries it with
 * back-off; IDENTITY, GO, READY end the fault; of WIRE_PORT: the worker exits), "armed" when a START
 * waits until the instrument begins by itself, "busy" with
 * `values`, the CBOR map name => quantity, as progress of a long measurement: at most once per
 * second, and not for frames that take less.
 */
struct wire_state {
	struct assay_string state, code, text;
	struct assay_span values;
};

/* HAZARD: {on}.  LOG: {level, text}. */
struct wire_log {
	unsigned level; /* syslog priority: 3, 4, 6, 7 */
	struct assay_string text;
};

/*
 * BEAT: u64 progress, u64 deadline.  Sent every second, and every eight while the driver is idle.
 * `progress` counts the steps of the driver's thread; `deadline` (CLOCK_BOOTTIME) is the end of
 * its present step at the latest, 0 if it is idle.  A beat that shows the same progress past its
 * deadline is a hang.
 */
struct wire_beat {
	uint64_t progress, deadline;
};

/*
 * CAPTURE: {on, bytes}: start or stop to record the port's dialogue; this many more bytes of
 * CAPTURED may be sent.  Records beyond them are dropped and counted; the worker never waits.
 *
 * CAPTURED: whole records of capture/capture.h, first that of the start of the connection.  Without
 * payload it is the last one, after a CAPTURE with `on: false`.
 */
struct wire_capture {
	bool on;
	uint64_t bytes;
};

/* --- writing: appends one whole message to `out`; failure is sticky in the buffer ------------- */

void wire_write_setup(struct buffer *out, const struct wire_setup *setup);
void wire_write_go(struct buffer *out, unsigned unit, const struct wire_go *go);
void wire_write_configure(struct buffer *out, unsigned unit, const struct wire_go *go);
void wire_write_refuse(struct buffer *out, unsigned unit, const char *text);
void wire_write_credit(struct buffer *out, uint64_t bytes);
void wire_write_start(struct buffer *out, unsigned unit, const struct wire_start *start);
void wire_write_stop(struct buffer *out, unsigned unit);
void wire_write_abort(struct buffer *out, unsigned unit);
void wire_write_quit(struct buffer *out);
void wire_write_capture(struct buffer *out, const struct wire_capture *capture);
/* FAULTS: of the link, wire/faults.h. */
void wire_write_faults(struct buffer *out, const char *text);

void wire_write_hello(struct buffer *out, const char *lacking);
void wire_write_opened(struct buffer *out, const char *address);
void wire_write_identity(struct buffer *out, unsigned unit, const struct wire_identity *identity);
void wire_write_ready(struct buffer *out, unsigned unit, struct assay_span settings);
void wire_write_started(struct buffer *out, unsigned unit, const struct wire_started *started);
/* Only the head and the device time; the sender appends frame->part.len bytes of part itself. */
void wire_write_frame_head(struct buffer *out, unsigned unit, const struct wire_frame *frame);
void wire_write_ended(
	struct buffer *out, unsigned unit, enum wire_end end, const char *code, const char *text);
void wire_write_state(struct buffer *out, unsigned unit, const char *state, const char *code,
	const char *text, struct assay_span values);
void wire_write_hazard(struct buffer *out, unsigned unit, bool on);
void wire_write_log(struct buffer *out, unsigned unit, unsigned level, const char *text);
void wire_write_beat(struct buffer *out, const struct wire_beat *beat);
void wire_write_captured(struct buffer *out, const uint8_t *records, size_t len);

/* --- reading ---------------------------------------------------------------------------------- */

struct wire_message {
	enum wire_type type;
	unsigned unit;
	const uint8_t *payload; /* borrowed from the buffer with the message */
	size_t len;
	size_t size; /* of head and payload: to be consumed */
};

/*
 * Looks for one whole message at data[0 ... len).  Returns 1 with `message` filled, 0 if more
 * bytes are needed, -EBADMSG for an unknown type or a size past the limit.
 */
int wire_next(const uint8_t *data, size_t len, struct wire_message *message);

/* Each returns 0, or -EBADMSG if the payload differs from the description above. */
int wire_read_go(const struct wire_message *m, struct wire_go *go);
int wire_read_refuse(const struct wire_message *m, struct assay_string *text);
int wire_read_credit(const struct wire_message *m, uint64_t *bytes);
int wire_read_capture(const struct wire_message *m, struct wire_capture *capture);
int wire_read_faults(const struct wire_message *m, struct assay_string *text);
int wire_read_start(const struct wire_message *m, struct wire_start *start);
int wire_read_hello(const struct wire_message *m, struct wire_hello *hello);
int wire_read_opened(const struct wire_message *m, struct wire_opened *opened);
int wire_read_identity(const struct wire_message *m, struct wire_identity *identity);
int wire_read_ready(const struct wire_message *m, struct assay_span *settings);
int wire_read_started(const struct wire_message *m, struct wire_started *started);
int wire_read_frame(const struct wire_message *m, struct wire_frame *frame);
int wire_read_ended(const struct wire_message *m, struct wire_ended *ended);
int wire_read_state(const struct wire_message *m, struct wire_state *state);
int wire_read_hazard(const struct wire_message *m, bool *on);
int wire_read_log(const struct wire_message *m, struct wire_log *log);
int wire_read_beat(const struct wire_message *m, struct wire_beat *beat);

/*
 * Reads SETUP into memory of its own, so that the message can be consumed.  Returns 0, -EBADMSG
 * or -ENOMEM; finish with wire_setup_finish(), which is legal on a zeroed setup.
 */
int wire_read_setup(const struct wire_message *m, struct wire_setup *setup);
void wire_setup_finish(struct wire_setup *setup);

#endif
