/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assay/driver.h: the only interface of an instrument driver.
 *
 * Reader: the author of a driver.  A driver is a shared module with the protocol of one instrument
 * family.  It includes this header, libc, libm and at most the library of a format (expat, zlib,
 * libjansson) that its build names; it has no undefined symbol beyond those, because every service
 * comes through `struct assay_host`.
 *
 * A driver runs in a worker process of its own, on one thread, as plain blocking code.  It has no
 * file descriptor and never opens, configures or closes a port: the worker does, and every byte in
 * and out passes through the worker.  If a driver crashes, only its own run is lost.
 *
 * The slots are called in this order (make_safe only if something harmful may be on):
 *
 *	connect -> identify -> [make_safe after an unclean end] -> configure
 *	        -> { start -> acquire ... acquire -> stop } repeated -> [make_safe] -> close
 *
 * and poll between two runs.
 *
 * `acquire` only fetches bytes; `decode` only interprets them.  decode() is pure: the same raw
 * bytes, settings and references give the same frame, today and from a journal ten years later.
 *
 * Errors.  A slot returns 0 (or a value given with the slot) or a negative errno:
 *
 *	-ETIMEDOUT   no (complete) reply in time             -> the worker retries, then reconnects
 *	-EBADMSG     bytes that break the protocol           -> the same; the run ends as failed
 *	-EPROTO      the instrument refused; assay_explain() -> the command, or the run, fails with it
 *	-EINVAL      settings that contradict each other     -> rejected with the text of assay_explain()
 *	-EAGAIN      nothing to deliver this time (acquire)  -> acquire is called again
 *	             of assay_again() (start): not begun yet -> start is called again
 *	             of assay_modbus_read() (identify)       -> identify is called again
 *	-ECANCELED   the run was aborted                     -> return it at once
 *	-ENODEV      the port is gone: return it at once; or another unit than the one identified
 *	             replies (explained)                     -> the identity is read again
 *
 * After -ECANCELED or -ENODEV from a service every further link call returns it too, until the slot
 * returns.  During stop() and make_safe() the link works again, if the port still exists.  After an
 * error the worker discards waiting input before it calls acquire() again.
 *
 * Versions.  A module built with an older header of the same ASSAY_DRIVER_ABI works in every later
 * worker: each struct of this header grows only at its end, the module declares the sizes that it
 * was built with, and the worker takes what lies behind them as zero.  A module built with a later
 * header is rejected.  struct assay_bytes never grows.
 */
#ifndef ASSAY_DRIVER_H
#define ASSAY_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A struct with nothing in it yet, in C and in C++. */
#ifdef __cplusplus
#define ASSAY_NOTHING \
	{             \
	}
#else
#define ASSAY_NOTHING \
	{             \
		0     \
	}
#endif

#define ASSAY_DRIVER_ABI 2

struct assay_host;

/* --- description of a driver ---------------------------------------------------------------- */

/*
 * Kinds of link, as bits of assay_driver.links.  Modbus links are used through assay_modbus_read()
 * and assay_modbus_raw() only, HTTP links through assay_http() only, folders through
 * assay_folder_next() and the calls after it only, all others through
 * assay_write(), assay_read() and the calls beside them.
 */
enum assay_link {
	ASSAY_LINK_SERIAL = 1 << 0,
	ASSAY_LINK_USB = 1 << 1,
	ASSAY_LINK_TCP = 1 << 2,
	ASSAY_LINK_UDP = 1 << 3,
	ASSAY_LINK_HTTP = 1 << 4,
	ASSAY_LINK_MODBUS_RTU = 1 << 5,
	ASSAY_LINK_MODBUS_TCP = 1 << 6,
	ASSAY_LINK_NONE = 1 << 7, /* no bytes: generators in tests and benchmarks */
	/*
	 * No kind, but with the others: several units may be on one serial line or TCP connection,
	 * also of other drivers with it.  A setting has the unit's address.  A unit only replies,
	 * and no slot returns while a reply is still expected.
	 */
	ASSAY_LINK_SHARED = 1 << 8,
	ASSAY_LINK_FOLDER = 1 << 9, /* the files that a program saves in a folder */
};

/*
 * Defaults of the family's links, so that the configuration can omit them.  `defaults` is a YAML
 * flow mapping without braces: "vid: 0x10c4, pid: 0x842a, in: 0x81, out: 0x02" or
 * "baud: 28800, flow: rtscts".  A list ends with .link = 0.
 */
struct assay_link_defaults {
	unsigned link; /* one enum assay_link */
	const char *defaults;
};

enum assay_setting_type {
	ASSAY_BOOL = 1,
	ASSAY_INT,
	ASSAY_NUMBER, /* a quantity, converted from the configured unit to a double in `unit` */
	ASSAY_TEXT,
	ASSAY_CHOICE, /* one text of `choices` */
	ASSAY_TABLE,  /* a list of maps; each map's keys are declared in `columns` */
};

enum assay_setting_flag {
	ASSAY_REQUIRED = 1 << 0,    /* a configuration without it is wrong */
	ASSAY_LIST = 1 << 1,        /* a list of values of the type */
	ASSAY_CALIBRATION = 1 << 2, /* written under `calibration:`, nested keys joined by '_' */
	ASSAY_HAZARD = 1 << 3,      /* switches something on that can do harm; has no fallback */
	ASSAY_LIVE = 1 << 4,        /* may be changed by `assayctl set` between runs */
	ASSAY_HEX = 1 << 5,         /* an integer, shown in hexadecimal */
	ASSAY_CALIBRATES = 1 << 6,  /* a calibration holds for one value of it */
	/*
	 * A value that was sent stays in the instrument until another is sent: absent means
	 * unchanged.  configure() and read_back() report it, given or not, so that the value found
	 * before can be put back; otherwise only the instrument's file may have it, no run.
	 */
	ASSAY_STAYS = 1 << 7,
	ASSAY_UNIT = 1 << 8,     /* a text: a UCUM code of the technique's list */
	ASSAY_CAS = 1 << 9,      /* a text: a CAS number, with its check digit */
	ASSAY_IN_UNIT = 1 << 10, /* a number of a row, in the unit of its column `unit` */
	ASSAY_OWN = 1 << 11,     /* only of an instrument's file: its effect cannot be put back */
	/*
	 * A text of a row: the name of a variable in the unit of the row's column `unit`, or in 1
	 * if the table has none.  With a column `of` in the row, the unit is not checked.
	 */
	ASSAY_VARIABLE = 1 << 12,
};

/*
 * One setting.  Validation, `assayctl describe`, the JSON Schema, the man page section and `set`
 * are all derived from this table.  A table ends with .name = NULL.
 */
struct assay_setting {
	const char *name; /* [a-z][a-z0-9_]{0,31}; the name in names.csv if it has one */
	enum assay_setting_type type;
	unsigned flags;   /* enum assay_setting_flag */
	const char *unit; /* ASSAY_NUMBER, ASSAY_INT: UCUM code; NULL: a number without unit */
	double min, max;  /* inclusive, in `unit`; both 0: unbounded */
	const char *const *choices;          /* ASSAY_CHOICE: ends with NULL */
	const struct assay_setting *columns; /* ASSAY_TABLE */
	const char *fallback;                /* the default as written in YAML; NULL: absent */
	const char *help;                    /* one line, no full stop */
};

/* --- frames ---------------------------------------------------------------------------------- */

enum assay_kind {
	ASSAY_SPECTRUM = 1,
	ASSAY_INTERFEROGRAM,
	ASSAY_CHROMATOGRAM,
	ASSAY_SCALARS,
	ASSAY_TABULAR,
};

enum assay_role {
	ASSAY_DATA = 1,
	ASSAY_AXIS,
	ASSAY_AUX,
	ASSAY_UNCERTAINTY,
	ASSAY_FLAGS,
};

enum assay_value {
	ASSAY_U8 = 1, /* arrays of `count` elements at `data`, host byte order, aligned or not */
	ASSAY_U16,
	ASSAY_U32,
	ASSAY_U64,
	ASSAY_I8,
	ASSAY_I16,
	ASSAY_I32,
	ASSAY_I64,
	ASSAY_F32,
	ASSAY_F64,
	ASSAY_LINEAR,       /* an even axis: `start`, `step`, `count` */
	ASSAY_SCALAR_INT,   /* `integer` */
	ASSAY_SCALAR_FLOAT, /* `real`: finite */
	ASSAY_SCALAR_TEXT,  /* `text` */
	ASSAY_SCALAR_BOOL,  /* `integer`; settings only */
	ASSAY_SCALAR_F32,   /* `real` that was a 32-bit float and is kept as one */
	ASSAY_TEXTS,        /* `count` texts at `texts`, along one dim: such as names of peaks */
};

enum assay_quality {
	ASSAY_GOOD = 1,
	ASSAY_UNCHECKED = 2,
	ASSAY_SUSPECT = 3,
	ASSAY_BAD = 4,
	ASSAY_MISSING = 9,
};

#define ASSAY_DIMS_MAX 4

/*
 * One variable of a frame; everything pointed to is copied by assay_frame_add().  The quantity
 * term (`qty`) comes from names.csv by the name.  Native numeric types are kept: counts stay
 * integers.  No scaling or correction is applied unless a setting requests it, and then the
 * driver lists it with assay_frame_setting().
 *
 * A frame may have several variables of one name if their analyte, basis or channel differs.  An
 * uncertainty or flags belong to the variable that is named by `of` and has the same analyte, basis
 * and channel; no other role has an `of`.
 */
struct assay_variable {
	const char *name;
	enum assay_role role;
	const char *of;                   /* the variable of this uncertainty or these flags */
	const char *dims[ASSAY_DIMS_MAX]; /* names of axis variables; none: a scalar */
	size_t shape[ASSAY_DIMS_MAX];     /* only with two dims or more */
	const char *unit;                 /* UCUM, one of the technique's units */
	const char *analyte, *cas;        /* optional */
	const char *basis;                /* optional: "wet", "dry" */
	const char *label;                /* optional */
	struct {
		const char *kind;   /* "standard" or "expanded"; NULL: none */
		const char *src;    /* "instrument", "calibration", "driver", "method" */
		double k, p, value; /* 0: absent; p: the coverage probability */
	} unc;
	enum assay_value type;
	const void *data;
	size_t count;
	double start, step;
	int64_t integer;
	double real;
	const char *text;
	const char *const *texts;
	const char *channel; /* optional: of several detectors or inputs of one quantity, "tcd" */
	const char *const *bits; /* of flags: the meaning of bit 0, 1 ...; NULL: it has none */
	size_t bit_count;        /* 64 at most */
};

/* One block of bytes as received from the instrument. */
struct assay_bytes {
	const char *media; /* e.g. "application/x-amptek-fw6" */
	const char *name;  /* optional: distinguishes blocks, e.g. "input 138+34" */
	const uint8_t *data;
	size_t len;
};

/* --- handles; each starts with the table of services ------------------------------------------ */

/*
 * Settings as the driver gets them: checked against its table, converted to its units, defaults
 * applied.  Texts and rows are borrowed until the slot returns.  Reading a name that is not in the
 * table, or with another type, is a bug and ends the worker with a message.  An absent setting
 * reads as 0, false or NULL.
 */
struct assay_settings {
	const struct assay_host *host;
};

/* A frame under construction. */
struct assay_frame {
	const struct assay_host *host;
};

/* The raw blocks of one frame. */
struct assay_raw {
	const struct assay_host *host;
};

/* The input of decode().  Everything is borrowed until it returns. */
struct assay_decoding {
	const struct assay_host *host;
	const struct assay_settings *settings;
	const void *prepared; /* by prepare() from the settings; NULL without that slot */
	const struct assay_bytes *raw;
	size_t raw_count;
	const struct assay_bytes *references; /* raw blocks of a background or dark run */
	size_t reference_count;
};

/* The findings of check(). */
struct assay_check {
	const struct assay_host *host;
};

/* The values of poll(). */
struct assay_values {
	const struct assay_host *host;
};

/* Texts are UTF-8; "" is unknown; serial "none" where the family has none. */
struct assay_identity {
	char make[64], model[64], serial[64], fw[64];
	bool declared; /* the instrument has no identity request: use that of the configuration */
};

/* One configured instrument.  Made by the worker; a driver changes only `*state`. */
struct assay_instrument {
	const struct assay_host *host;
	void *state;     /* state_size bytes, zeroed before identify */
	const char *key; /* the instrument's name in the configuration */
	unsigned link;   /* the one enum assay_link in use */
	const struct assay_settings *settings;
};

enum assay_acquired {
	ASSAY_DONE = 0,  /* the measurement is over, there is no further frame */
	ASSAY_FRAME = 1, /* `raw` holds one frame, more follow */
	ASSAY_LAST = 2,  /* `raw` holds one frame, the last of this measurement */
	ASSAY_CUT = 3,   /* as LAST, but the instrument ended early: assay_explain() */
};

enum assay_modbus_table {
	ASSAY_COILS = 1,    /* function 01 */
	ASSAY_DISCRETE = 2, /* function 02 */
	ASSAY_HOLDING = 3,  /* function 03 */
	ASSAY_INPUT = 4,    /* function 04 */
};

/* One request on a link http, and its reply. */
struct assay_http_request {
	const char *method; /* NULL: GET */
	const char *path;   /* from its '/' on, with the query; the driver escapes its values */
	const char *media;  /* of the body; NULL: none is named */
	const void *body;   /* not for GET and HEAD */
	size_t len;
	size_t max; /* the largest body of the reply: a larger one is -EBADMSG */
};

struct assay_http_reply {
	int status;          /* 200 ... 599: 404 is a reply, too */
	char media[64];      /* of the body, without parameters, lower case; "" is unknown */
	const uint8_t *body; /* borrowed until the next request; a 0 byte follows it */
	size_t len;
};

/* A data set of a link folder: one file, or one folder whose files belong together. */
#define ASSAY_FOLDER_PATH 1024

struct assay_folder_set {
	char path
		[ASSAY_FOLDER_PATH]; /* below the link's folder; fit to be shown, '?' for other bytes */
	bool is_folder;
	unsigned files;   /* in it, 1 or more */
	uint64_t size;    /* bytes of all of them */
	int64_t modified; /* the latest of them, ns since 1970 in UTC by the file system */
};

struct assay_folder_file {
	char path[ASSAY_FOLDER_PATH];
	uint64_t size;
	int64_t modified;
};

/* What became of a data set. */
enum assay_folder_verdict {
	ASSAY_FOLDER_TAKEN =
		1, /* its bytes are in the raw blocks; or it is none that can be read */
	ASSAY_FOLDER_INCOMPLETE, /* its format shows that the end is missing: it comes again */
};

/* Modbus exception reply n comes back as ASSAY_MODBUS_EXCEPTION - n: -1001 ... -1011. */
#define ASSAY_MODBUS_EXCEPTION (-1000)

/* --- the driver ------------------------------------------------------------------------------ */

struct assay_driver {
	uint32_t abi;               /* the first six by ASSAY_DRIVER_HEAD */
	uint32_t size;              /* of struct assay_driver */
	uint32_t host_size;         /* of struct assay_host */
	uint32_t setting_size;      /* of each element of `settings` and of its columns */
	uint32_t link_default_size; /* of each element of `link_defaults` */
	uint32_t reserved;          /* 0 */
	const char *name;           /* [a-z0-9-]{1,32}, the folder's name */
	const char *version;        /* of the driver; goes into every run-start */
	const char *summary;        /* one line: the instruments */
	const char *make;           /* the manufacturer, as in identity; NULL: several or unknown */
	const char *technique; /* topic token: xrf, ms, gc, gcms, ftir, nir; NULL: configured */
	unsigned links;        /* bits of enum assay_link */
	const struct assay_link_defaults *link_defaults; /* may be NULL */
	const struct assay_setting *settings;            /* may be NULL */
	size_t state_size;
	size_t raw_max; /* maximum size of one frame's raw blocks together */

	/*
	 * Reads the identity.  Called after every connect, before anything else, and every 30 s
	 * between runs on a link of datagrams, which does not notice that a unit was exchanged.
	 * Brings the instrument's protocol into a known state from any other (half a command, a running scan)
	 * and changes nothing that lasts.  Fills `id`; a family without an identity request sets
	 * `declared`.  May block for some seconds in link calls.
	 */
	int (*identify)(struct assay_instrument *ins, struct assay_identity *id);

	/*
	 * Sends ins->settings and reads them back if the instrument can; reports each value read
	 * back by assay_report_*().  A difference that matters is -EPROTO, explained.  Never
	 * writes EEPROM or calibration, never switches a hazard on.  Called after identify, and
	 * again before a run whose settings differ.  May be NULL.
	 */
	int (*configure)(struct assay_instrument *ins);

	/*
	 * Starts one measurement; returns when acquisition has really started.  A hazard (filament,
	 * X-ray tube) is switched on here at the earliest, only if a setting flagged
	 * ASSAY_HAZARD requests it, and after assay_hazard(ins, true).  May be NULL.
	 *
	 * For an instrument that begins measurements by itself (an autosampler, the cycles of a process
	 * analyser, a person at its keys) it looks if one has begun.  If not, it returns
	 * assay_again(), and is called again; otherwise it calls assay_began() and returns 0.  It is
	 * then called with `mode: repeat` after the last frame of each measurement, and each has a run
	 * of its own.
	 */
	int (*start)(struct assay_instrument *ins);

	/*
	 * Fetches the bytes of the next frame into `raw` with assay_raw_add(), and interprets only
	 * enough to see that they are complete (length, checksum, status bits).  On a stream
	 * without checksum it must first find a boundary: the rest of a message reads as another.
	 * A frame has at least one raw block, except on ASSAY_LINK_NONE.
	 * Returns an enum assay_acquired or a negative errno.  Blocks as long as the measurement
	 * takes, but only in link calls and assay_pause(), so that an abort ends it, and calls
	 * assay_progress() while it waits.  When assay_stopping(ins) becomes true it finishes the
	 * current frame, or ends counting and reads the data so far, and returns ASSAY_LAST or
	 * ASSAY_DONE.  The frame's time is the receipt of the last byte read.
	 */
	int (*acquire)(struct assay_instrument *ins, struct assay_raw *raw);

	/*
	 * Reads the settings that decode() needs into `prepared`, prepared_size zeroed bytes, if
	 * reading them for every frame would cost too much.  Pure, as decode() is, and may keep
	 * texts and rows: the settings stay as long as decode() gets the result.  They may be
	 * settings that configure() rejects.  May be NULL.
	 */
	void (*prepare)(const struct assay_settings *settings, void *prepared);
	size_t prepared_size;

	/*
	 * Interprets raw bytes.  Pure: no link, no clock, no state, no globals.  The worker decodes
	 * some frames twice, and ends the run if the results differ.  Trusts no length
	 * or count in the bytes.  Returns 0 or -EBADMSG, which ends the run.
	 */
	int (*decode)(const struct assay_decoding *in, struct assay_frame *out);

	/*
	 * Ends the measurement, whether finished, aborted or failed; the instrument is then ready
	 * for another start.  Called exactly once after every start, also a failed one; once after
	 * all calls of a start that returned assay_again().  May be NULL.
	 */
	int (*stop)(struct assay_instrument *ins);

	/*
	 * Switches everything off for which assay_hazard(ins, true) was called, possibly in an
	 * earlier worker that crashed, and then calls assay_hazard(ins, false).  Called on every
	 * path out while a hazard is on.  NULL: the family has no hazards.
	 */
	int (*make_safe)(struct assay_instrument *ins);

	/*
	 * Reads the values that the instrument has of all settings flagged ASSAY_STAYS, reports them,
	 * and changes nothing.  Called after identify, before configure sends such a value for the
	 * first time.  NULL: the family has no such setting.
	 */
	int (*read_back)(struct assay_instrument *ins);

	/*
	 * Finds settings that cannot work together, which configure() or start() would reject, and
	 * those that a person will regret.  Reports all of them, with their places, by
	 * assay_check_error() and so on.  Pure, as decode() is, and called without an instrument:
	 * when a configuration is checked or loaded, and for `assayctl set`.  May be NULL.
	 */
	void (*check)(const struct assay_settings *settings, struct assay_check *out);

	/*
	 * Frees what *state points to.  Called once after each identify(), also a failed one: before
	 * the next, and at the end of the worker; not after a crash.  May be NULL.
	 */
	void (*close)(struct assay_instrument *ins);

	/*
	 * Reads values that people want to see between runs, such as a pressure, and reports them by
	 * assay_value(); changes nothing.  They go into the `state` record, when they have changed,
	 * and nowhere else.  Called every poll_ms, 1000 at least, between runs only.  A start waits
	 * for it, so it takes some 100 ms at most.  Its errors are those of identify(): an instrument
	 * that is switched off between two runs is noticed.  May be NULL, poll_ms then is 0.
	 */
	int (*poll)(struct assay_instrument *ins, struct assay_values *out);
	unsigned poll_ms;
};

/* The first initialiser of every table: the sizes in the header that the module is built with. */
#define ASSAY_DRIVER_HEAD                                                                     \
	.abi = ASSAY_DRIVER_ABI, .size = sizeof(struct assay_driver),                         \
	.host_size = sizeof(struct assay_host), .setting_size = sizeof(struct assay_setting), \
	.link_default_size = sizeof(struct assay_link_defaults), .reserved = 0

/*
 * Every module exports exactly this symbol: a pointer to its table.  The worker rejects a module
 * with another abi, with a size larger than its own, without ASSAY_DRIVER_HEAD, whose name is not
 * its file's, or that lacks a mandatory slot.
 */
#define ASSAY_DRIVER_EXPORT(table)                                                            \
	__attribute__((                                                                       \
		visibility("default"))) extern const struct assay_driver *const assay_driver; \
	const struct assay_driver *const assay_driver = &(table)

/* --- the services ---------------------------------------------------------------------------- */

/* The endpoints of a USB link, by the keys of the link; assay_read() and assay_write() use the first. */
enum assay_endpoint {
	ASSAY_ENDPOINT_MAIN = 0,     /* `in` and `out` */
	ASSAY_ENDPOINT_STREAM = 1,   /* `stream`, to the host */
	ASSAY_ENDPOINT_STREAM_2 = 2, /* `stream_2`, to the host */
	ASSAY_ENDPOINT_OUT_2 = 3,    /* `out_2`, to the instrument */
};

/* Of a serial line, for assay_line(). */
enum assay_line_act {
	ASSAY_LINE_DTR = 1, /* 1: on, 0: off */
	ASSAY_LINE_RTS,     /* the same; not with flow control by it */
	ASSAY_LINE_BREAK,   /* for so many milliseconds */
	ASSAY_LINE_BAUD,    /* bits per second, after all output has been sent */
	ASSAY_LINE_READ,    /* returns bits of enum assay_line_state; the value is 0 */
};

enum assay_line_state {
	ASSAY_LINE_HAS_DSR = 1 << 0,
	ASSAY_LINE_HAS_CTS = 1 << 1,
	ASSAY_LINE_HAS_DCD = 1 << 2,
	ASSAY_LINE_HAS_RI = 1 << 3,
};

/* The setup packet of a control transfer, as in chapter 9.3 of the USB specification. */
struct assay_usb_request {
	uint8_t type, request;
	uint16_t value, index;
};

enum assay_level {
	ASSAY_LOG_ERROR = 3, /* a person must act */
	ASSAY_LOG_WARN = 4,  /* data may be missing */
	ASSAY_LOG_INFO = 6,  /* a state changed */
	ASSAY_LOG_DEBUG = 7,
};

/*
 * The table of the functions below; use those.  Every slot is there.  A struct of the driver's comes
 * with its size.
 */
struct assay_host {
	uint32_t abi, size;
	int (*write)(struct assay_instrument *, const void *, size_t, int);
	ssize_t (*read)(struct assay_instrument *, void *, size_t, int);
	int (*pause)(struct assay_instrument *, int);
	bool (*stopping)(const struct assay_instrument *);
	uint64_t (*now_ms)(const struct assay_instrument *);
	int (*modbus_read)(
		struct assay_instrument *, enum assay_modbus_table, unsigned, unsigned, uint16_t *);
	void (*hazard)(struct assay_instrument *, bool);
	void (*progress)(struct assay_instrument *, const char *, double, const char *);
	void (*report)(
		struct assay_instrument *, const char *, const struct assay_variable *, size_t);
	void (*explain)(struct assay_instrument *, const char *, ...)
		__attribute__((format(printf, 2, 3)));
	void (*log)(struct assay_instrument *, enum assay_level, const char *, ...)
		__attribute__((format(printf, 3, 4)));
	void (*retried)(struct assay_instrument *);

	int (*raw_add)(struct assay_raw *, const char *, const char *, const void *, size_t);

	bool (*has)(const struct assay_settings *, const char *);
	bool (*flag)(const struct assay_settings *, const char *);
	int64_t (*integer)(const struct assay_settings *, const char *, size_t);
	double (*number)(const struct assay_settings *, const char *, size_t);
	const char *(*text)(const struct assay_settings *, const char *, size_t);
	size_t (*count)(const struct assay_settings *, const char *);
	const struct assay_settings *(*row)(const struct assay_settings *, const char *, size_t);

	void (*frame_kind)(struct assay_frame *, enum assay_kind);
	void (*frame_partial)(struct assay_frame *);
	void (*frame_add)(struct assay_frame *, const struct assay_variable *, size_t);
	void (*frame_setting)(
		struct assay_frame *, const char *, const struct assay_variable *, size_t);
	void (*frame_quality)(struct assay_frame *, enum assay_quality, const char *);
	void (*frame_device_time)(struct assay_frame *, const char *);
	void *(*frame_scratch)(struct assay_frame *, size_t);

	int (*parse_number)(const char *, size_t, double *);
	int (*parse_integer)(const char *, size_t, int64_t *);

	int (*again)(struct assay_instrument *, int);
	unsigned (*modbus_registers)(const struct assay_instrument *);
	void (*explain_decode)(const struct assay_decoding *, const char *, ...)
		__attribute__((format(printf, 2, 3)));
	void (*finding)(struct assay_check *, enum assay_level, const char *, long, const char *,
		const char *, ...) __attribute__((format(printf, 6, 7)));
	int (*drain_count)(struct assay_instrument *, int, int, size_t *);
	void (*value)(struct assay_values *, const char *, double, const char *);
	int (*http)(struct assay_instrument *, const struct assay_http_request *, size_t,
		struct assay_http_reply *, size_t, int);
	int (*write_to)(struct assay_instrument *, enum assay_endpoint, const void *, size_t, int);
	ssize_t (*read_from)(struct assay_instrument *, enum assay_endpoint, void *, size_t, int);
	ssize_t (*usb_control)(struct assay_instrument *, const struct assay_usb_request *, size_t,
		void *, size_t, int);
	ssize_t (*modbus_raw)(
		struct assay_instrument *, unsigned, const void *, size_t, void *, size_t, size_t);
	int (*raw_open)(struct assay_raw *, const char *, const char *);
	int (*raw_append)(struct assay_raw *, const void *, size_t);
	int (*raw_close)(struct assay_raw *);
	int (*line)(struct assay_instrument *, enum assay_line_act, int);
	void (*began)(struct assay_instrument *, const char *);
	void (*frame_span)(struct assay_frame *, double);
	void (*frame_gap)(struct assay_frame *, int64_t, uint64_t);
	int (*folder_next)(struct assay_instrument *, struct assay_folder_set *, size_t, int);
	int (*folder_file)(struct assay_instrument *, unsigned, struct assay_folder_file *, size_t);
	ssize_t (*folder_read)(struct assay_instrument *, unsigned, uint64_t, void *, size_t);
	int (*folder_end)(struct assay_instrument *, enum assay_folder_verdict);
	const char *(*technique)(const struct assay_instrument *);
};

/* The link. */

/*
 * Writes all bytes within `ms`: one datagram, one USB transfer, or a piece of a stream.  If the
 * instrument halts a USB endpoint, the port is lost with this write, and opened again.
 */
static inline int assay_write(struct assay_instrument *ins, const void *data, size_t len, int ms)
{
	return ins->host->write(ins, data, len, ms);
}

/*
 * Waits up to `ms` for bytes and returns the number stored, 1 ... size.  Never joins two datagrams
 * or USB transfers; the bytes that do not fit are returned by the next call.
 */
static inline ssize_t assay_read(struct assay_instrument *ins, void *buf, size_t size, int ms)
{
	return ins->host->read(ins, buf, size, ms);
}

/*
 * The same at one endpoint of a USB link; on other links only ASSAY_ENDPOINT_MAIN is there.  Another
 * one that the link does not have returns -EINVAL.
 *
 * A read returns packets of a bulk endpoint as they arrive: all that are there, until a short one
 * ends the transfer or `size` is reached.  A transfer of whole packets needs no short one.  Of an
 * interrupt endpoint it returns one packet.
 */
static inline int assay_write_to(struct assay_instrument *ins, enum assay_endpoint endpoint,
	const void *data, size_t len, int ms)
{
	return ins->host->write_to(ins, endpoint, data, len, ms);
}

static inline ssize_t assay_read_from(
	struct assay_instrument *ins, enum assay_endpoint endpoint, void *buf, size_t size, int ms)
{
	return ins->host->read_from(ins, endpoint, buf, size, ms);
}

/*
 * One control transfer on a USB link: sends `len` bytes of `data`, or receives up to `len` into it if
 * bit 7 of the type is set; 4096 at most.  Returns the number of bytes moved.  -EPROTO: the
 * instrument refuses the request.  -EINVAL: it was not sent, because it would change the device's
 * configuration, or is for another interface or endpoint than those of the link.
 */
static inline ssize_t assay_usb_control(struct assay_instrument *ins,
	const struct assay_usb_request *request, void *data, size_t len, int ms)
{
	return ins->host->usb_control(ins, request, sizeof *request, data, len, ms);
}

/*
 * Controls a serial line: 0, or the state for ASSAY_LINE_READ.  -ENOTSUP: the link is none, or a
 * pseudo-terminal, or its adapter cannot do it; -EINVAL: a rate that the adapter does not make.
 */
static inline int assay_line(struct assay_instrument *ins, enum assay_line_act act, int value)
{
	return ins->host->line(ins, act, value);
}

/* A steady clock for deadlines, not for data. */
static inline uint64_t assay_now_ms(const struct assay_instrument *ins)
{
	return ins->host->now_ms(ins);
}

/* The technique that the instrument is configured with; of a driver with one, that.  Never NULL. */
static inline const char *assay_technique(const struct assay_instrument *ins)
{
	return ins->host->technique(ins);
}

/* Reads exactly `len` bytes within `ms` in total: 0, or an error, and the bytes so far are lost. */
static inline int assay_read_exact(struct assay_instrument *ins, void *buf, size_t len, int ms)
{
	uint64_t end = assay_now_ms(ins) + (uint64_t)ms;
	for (size_t have = 0; have < len;) {
		uint64_t now = assay_now_ms(ins);
		ssize_t n = assay_read(
			ins, (uint8_t *)buf + have, len - have, now < end ? (int)(end - now) : 0);
		if (n < 0)
			return (int)n;
		have += (size_t)n;
	}
	return 0;
}

/*
 * Discards input until the link has been silent for `quiet_ms`, for at most `limit_ms`.  Returns 0;
 * -EBADMSG if it was not silent for that long within the limit: the instrument still sends; or
 * another error.  `quiet_ms` 0 waits for nothing and discards the bytes that have arrived: for
 * senders that never pause.  `*dropped` becomes the number of discarded bytes, 0 or more.
 *
 * 0 does not mean that the next byte starts a message: a slow sender is silent within one, too.
 */
static inline int assay_drain_count(
	struct assay_instrument *ins, int quiet_ms, int limit_ms, size_t *dropped)
{
	return ins->host->drain_count(ins, quiet_ms, limit_ms, dropped);
}

static inline int assay_drain(struct assay_instrument *ins, int quiet_ms, int limit_ms)
{
	size_t dropped;
	return assay_drain_count(ins, quiet_ms, limit_ms, &dropped);
}

/*
 * Waits; an abort ends it with -ECANCELED.  A request to stop that comes meanwhile ends it early with
 * 0; called after such a request, it waits for the whole time, so that a frame can be finished.
 */
static inline int assay_pause(struct assay_instrument *ins, int ms)
{
	return ins->host->pause(ins, ms);
}

/*
 * For acquire and start: returns -EAGAIN, to be returned at once; the slot is called again in `ms` at
 * the earliest, and other instruments of the port get their turns until then.  The text of assay_explain()
 * in start is shown with the state.
 */
static inline int assay_again(struct assay_instrument *ins, int ms)
{
	return ins->host->again(ins, ms);
}

/* Whether this run has been requested to stop. */
static inline bool assay_stopping(const struct assay_instrument *ins)
{
	return ins->host->stopping(ins);
}

/*
 * Reads `count` registers, or bits (one per uint16_t), of this instrument's unit; `address` as on
 * the wire, counted from 0.  The protocol's limits hold: 125 registers, 2000 bits.  Returns 0,
 * ASSAY_MODBUS_EXCEPTION - n, -EBADMSG for a reply that does not fit the request, or an error.
 * -EAGAIN, in identify and acquire: on a serial line a reply to an earlier request may still come.
 * Return it: the slot is called again when it cannot come any more, and the other units of the line
 * get their turns.
 */
static inline int assay_modbus_read(struct assay_instrument *ins, enum assay_modbus_table table,
	unsigned address, unsigned count, uint16_t *out)
{
	return ins->host->modbus_read(ins, table, address, count, out);
}

/*
 * Sends any other request: function code 1 to 127, and the `len` bytes after it, up to 252.  Returns
 * the length of the reply after its function code, 0 to `size`, or an error of assay_modbus_read().
 * `expected` is the length of a right reply; 0: it is not known, and on a serial line the reply ends
 * with a silence.
 */
static inline ssize_t assay_modbus_raw(struct assay_instrument *ins, unsigned function,
	const void *request, size_t len, void *reply, size_t size, size_t expected)
{
	return ins->host->modbus_raw(ins, function, request, len, reply, size, expected);
}

/* The most registers that one request may read: the link's setting, else that of the protocol. */
static inline unsigned assay_modbus_registers(const struct assay_instrument *ins)
{
	return ins->host->modbus_registers(ins);
}

/*
 * One request to the instrument's web server and the whole reply to it, within `ms` in total.  Each
 * request has a connection of its own.  A redirect of GET or HEAD to another path of the same host
 * is followed, a few times.  Returns 0 with any final status, and with `reply->body` ready for
 * assay_raw_add(); or
 *
 *	-ETIMEDOUT  no connection, or no complete reply in time
 *	-EBADMSG    not HTTP, or a larger reply than `max`
 *	-EPROTO     a redirect to another host, or one after the other
 *	-EINVAL     a method, path or media type that cannot be sent
 *
 * or -ECANCELED or -ENODEV.  The error's text names the request and the cause.
 */
static inline int assay_http(struct assay_instrument *ins, const struct assay_http_request *request,
	struct assay_http_reply *reply, int ms)
{
	return ins->host->http(ins, request, sizeof *request, reply, sizeof *reply, ms);
}

/*
 * For start: the next data set that is complete and in no complete run, the oldest one first: 0; or
 * -ETIMEDOUT: there is none within `ms`.  It is that of the next three calls, and of the run, whose
 * settings `file` and `file_sha256` the link reports.
 * It has been at rest for the link's settle time, was hashed, and was at rest for that time again.
 * Whether it is whole by the rules of its format is the driver's to find out.
 */
static inline int assay_folder_next(
	struct assay_instrument *ins, struct assay_folder_set *set, int ms)
{
	return ins->host->folder_next(ins, set, sizeof *set, ms);
}

/* One of its files, in the order of their paths: 0.  The first is 0. */
static inline int assay_folder_file(
	struct assay_instrument *ins, unsigned index, struct assay_folder_file *file)
{
	return ins->host->folder_file(ins, index, file, sizeof *file);
}

/*
 * Reads bytes of one of its files: how many, at most `size` and 64 KiB; 0: it ends there.  -EAGAIN: it
 * cannot be read now, such as while a program writes to it; the data set comes again.  They are the bytes
 * that were hashed, and no others, so that frames of a large data set can be returned while it is read.
 */
static inline ssize_t assay_folder_read(
	struct assay_instrument *ins, unsigned index, uint64_t offset, void *to, size_t size)
{
	return ins->host->folder_read(ins, index, offset, to, size);
}

/*
 * Ends with this data set.  Before acquire returns the last frame of it, it calls this with ASSAY_FOLDER_TAKEN.
 * 0, or -EAGAIN: it was not the same all the time; acquire returns that, without a frame, and the data set
 * comes again.
 */
static inline int assay_folder_end(struct assay_instrument *ins, enum assay_folder_verdict verdict)
{
	return ins->host->folder_end(ins, verdict);
}

/* Reports. */

/*
 * For start, before it returns 0: the instrument has begun this measurement by itself, and knows the
 * sample by this id; NULL: it knows none.  The run begins at the receipt of the last byte read; start
 * may keep the bytes that it has read, and acquire add them to the first frame.
 *
 * The id is checked as one that people give.  It becomes that of the run if the request has none;
 * another one than requested, or one that the site does not allow, is recorded beside the run's, and
 * the frames are suspect (`sample-mismatch`).
 */
static inline void assay_began(struct assay_instrument *ins, const char *sample)
{
	ins->host->began(ins, sample);
}

/* Reports something harmful as on (before it is switched on) or off (after it is switched off). */
static inline void assay_hazard(struct assay_instrument *ins, bool on)
{
	ins->host->hazard(ins, on);
}

/* Progress of a long measurement, shown in the instrument's state. */
static inline void assay_progress(
	struct assay_instrument *ins, const char *name, double value, const char *unit)
{
	ins->host->progress(ins, name, value, unit);
}

/* A value of poll(), in place of an earlier one of this name. */
static inline void assay_value(
	struct assay_values *out, const char *name, double value, const char *unit)
{
	out->host->value(out, name, value, unit);
}

/*
 * A setting as read back from the instrument: recorded in run-start instead of the sent value.  Only
 * in configure, read_back and start; dropped with a line in the log elsewhere.  One
 * further name is "left_out": the parts of the settings that were not sent, with the reasons.
 */
static inline void assay_report(
	struct assay_instrument *ins, const char *name, const struct assay_variable *v)
{
	ins->host->report(ins, name, v, sizeof *v);
}

static inline void assay_report_number(
	struct assay_instrument *ins, const char *name, double value, const char *unit)
{
	struct assay_variable v = ASSAY_NOTHING;
	v.type = ASSAY_SCALAR_FLOAT;
	v.real = value;
	v.unit = unit;
	assay_report(ins, name, &v);
}

static inline void assay_report_int(struct assay_instrument *ins, const char *name, int64_t value)
{
	struct assay_variable v = ASSAY_NOTHING;
	v.type = ASSAY_SCALAR_INT;
	v.integer = value;
	assay_report(ins, name, &v);
}

static inline void assay_report_text(
	struct assay_instrument *ins, const char *name, const char *text)
{
	struct assay_variable v = ASSAY_NOTHING;
	v.type = ASSAY_SCALAR_TEXT;
	v.text = text;
	assay_report(ins, name, &v);
}

/* Gives the reason of the error that the slot is about to return; the last text counts. */
#define assay_explain(ins, ...) ((ins)->host->explain((ins), __VA_ARGS__))

/* The same for decode(), whose `in` it takes. */
#define assay_explain_decode(in, ...) ((in)->host->explain_decode((in), __VA_ARGS__))

/* One line in the log.  For changes of state, not for every poll; the same line within a minute is
 * suppressed. */
#define assay_log(ins, level, ...) ((ins)->host->log((ins), (level), __VA_ARGS__))

/* Counts one repeated exchange into the next frame's quality. */
static inline void assay_retried(struct assay_instrument *ins)
{
	ins->host->retried(ins);
}

/*
 * Copies one block of raw bytes; order is kept.  -EMSGSIZE beyond raw_max or 64 blocks, -EINVAL for
 * a media type or name that is no text, -ENOMEM.  The error stays until acquire() returns, which
 * then fails with it: a frame never lacks a block.
 */
static inline int assay_raw_add(
	struct assay_raw *raw, const char *media, const char *name, const void *data, size_t len)
{
	return raw->host->raw_add(raw, media, name, data, len);
}

/*
 * The same for a block whose bytes come piece by piece, within one acquire(): they are stored where
 * the frame has them, and the driver needs no buffer for all of them.  One block is open at a time.
 */
static inline int assay_raw_open(struct assay_raw *raw, const char *media, const char *name)
{
	return raw->host->raw_open(raw, media, name);
}

static inline int assay_raw_append(struct assay_raw *raw, const void *data, size_t len)
{
	return raw->host->raw_append(raw, data, len);
}

static inline int assay_raw_close(struct assay_raw *raw)
{
	return raw->host->raw_close(raw);
}

/*
 * Findings: ASSAY_LOG_ERROR for settings that cannot work, ASSAY_LOG_WARN for a probable mistake.
 * The place is the setting, or the column of a row of a table, rows from 0; the user gets its file,
 * line and column.
 */
#define assay_check_error(out, setting, ...) \
	((out)->host->finding((out), ASSAY_LOG_ERROR, (setting), -1, NULL, __VA_ARGS__))
#define assay_check_warn(out, setting, ...) \
	((out)->host->finding((out), ASSAY_LOG_WARN, (setting), -1, NULL, __VA_ARGS__))
#define assay_check_row(out, level, table, row, column, ...) \
	((out)->host->finding((out), (level), (table), (row), (column), __VA_ARGS__))

/* Settings. */

static inline bool assay_has(const struct assay_settings *s, const char *name)
{
	return s->host->has(s, name);
}

static inline bool assay_flag(const struct assay_settings *s, const char *name)
{
	return s->host->flag(s, name);
}

static inline int64_t assay_int(const struct assay_settings *s, const char *name)
{
	return s->host->integer(s, name, 0);
}

static inline double assay_number(const struct assay_settings *s, const char *name)
{
	return s->host->number(s, name, 0);
}

static inline const char *assay_text(const struct assay_settings *s, const char *name)
{
	return s->host->text(s, name, 0);
}

/* Elements of a list, rows of a table; 1 for a single value, 0 if absent. */
static inline size_t assay_count(const struct assay_settings *s, const char *name)
{
	return s->host->count(s, name);
}

static inline int64_t assay_int_at(const struct assay_settings *s, const char *name, size_t i)
{
	return s->host->integer(s, name, i);
}

static inline double assay_number_at(const struct assay_settings *s, const char *name, size_t i)
{
	return s->host->number(s, name, i);
}

static inline const char *assay_text_at(const struct assay_settings *s, const char *name, size_t i)
{
	return s->host->text(s, name, i);
}

/* Row i of a table: a set of settings by the table's columns; i < assay_count(). */
static inline const struct assay_settings *assay_row(
	const struct assay_settings *s, const char *name, size_t i)
{
	return s->host->row(s, name, i);
}

/* Frames.  Failures (memory, a variable that breaks the format) are sticky and end the run. */

static inline void assay_frame_kind(struct assay_frame *f, enum assay_kind kind)
{
	f->host->frame_kind(f, kind);
}

/* This frame shows a measurement that still runs: the next frame replaces it. */
static inline void assay_frame_partial(struct assay_frame *f)
{
	f->host->frame_partial(f);
}

static inline void assay_frame_add(struct assay_frame *f, const struct assay_variable *v)
{
	f->host->frame_add(f, v, sizeof *v);
}

/* A setting of this frame only, or a calculation that was applied to it. */
static inline void assay_frame_setting(
	struct assay_frame *f, const char *name, const struct assay_variable *v)
{
	f->host->frame_setting(f, name, v, sizeof *v);
}

/*
 * Lowers the flag (a frame starts as good) and adds one reason of the closed list.  A frame that
 * nothing can check (no checksum of its bytes, no status of its values) is ASSAY_UNCHECKED, and this
 * flag needs no reason: NULL.
 */
static inline void assay_frame_quality(
	struct assay_frame *f, enum assay_quality flag, const char *reason)
{
	f->host->frame_quality(f, flag, reason);
}

/* The data of this frame took `seconds`: their acquisition began so long before the frame's time. */
static inline void assay_frame_span(struct assay_frame *f, double seconds)
{
	f->host->frame_span(f, seconds);
}

/*
 * The instrument or its link lost `count` samples in front of element `at` of the data, or at an
 * unknown place: -1.  In ascending order of the places; each call adds one, and what is lost behind
 * the 64th counts as lost there.  The frame is suspect, `driver-overrun`.
 */
static inline void assay_frame_gap(struct assay_frame *f, int64_t at, uint64_t count)
{
	f->host->frame_gap(f, at, count);
}

/* The instrument's own time, as it sent it. */
static inline void assay_frame_device_time(struct assay_frame *f, const char *text)
{
	f->host->frame_device_time(f, text);
}

/* Zeroed memory for decode(), aligned for any type, freed by the worker.  NULL: return -ENOMEM. */
static inline void *assay_frame_scratch(struct assay_frame *f, size_t size)
{
	return f->host->frame_scratch(f, size);
}

/* Common variables in one line each. */

static inline void assay_add_float(struct assay_frame *f, const char *name, enum assay_role role,
	double value, const char *unit)
{
	struct assay_variable v = ASSAY_NOTHING;
	v.name = name;
	v.role = role;
	v.unit = unit;
	v.type = ASSAY_SCALAR_FLOAT;
	v.real = value;
	assay_frame_add(f, &v);
}

static inline void assay_add_int(struct assay_frame *f, const char *name, enum assay_role role,
	int64_t value, const char *unit)
{
	struct assay_variable v = ASSAY_NOTHING;
	v.name = name;
	v.role = role;
	v.unit = unit;
	v.type = ASSAY_SCALAR_INT;
	v.integer = value;
	assay_frame_add(f, &v);
}

static inline void assay_add_linear_axis(struct assay_frame *f, const char *name, const char *unit,
	double start, double step, size_t n)
{
	struct assay_variable v = ASSAY_NOTHING;
	v.name = v.dims[0] = name;
	v.role = ASSAY_AXIS;
	v.unit = unit;
	v.type = ASSAY_LINEAR;
	v.start = start;
	v.step = step;
	v.count = n;
	assay_frame_add(f, &v);
}

/*
 * Numbers in text replies: the whole of text[0 ... len) is one number, blanks around it allowed;
 * '.' is the decimal point in every locale; nan and inf are rejected.  0 or -EBADMSG.
 */
static inline int assay_parse_number(
	const struct assay_host *host, const char *text, size_t len, double *out)
{
	return host->parse_number(text, len, out);
}

static inline int assay_parse_integer(
	const struct assay_host *host, const char *text, size_t len, int64_t *out)
{
	return host->parse_integer(text, len, out);
}

#ifdef __cplusplus
}
#endif

#endif
