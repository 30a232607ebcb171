/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted host: all services of the worker, played by a test.
 *
 * The test sets settings, lists the dialogue that it expects on the link, calls the driver's slots
 * with &host->ins and checks the reports, raw blocks and variables.  The clock is the script's own:
 * a read without input advances it by its timeout, so nothing ever waits.
 *
 *	struct host *h = host_create(assay_driver, ASSAY_LINK_UDP);
 *	host_set(h, "channels", "1024");
 *	host_expect_hex(h, "F5 FA 01 01 00 00 FE 0F");
 *	host_answer(h, status, sizeof(status));
 *	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
 *	assert_true(host_is_done(h));
 *	host_destroy(h);
 *
 * A deviation from the script makes the service return -EIO, is printed, and makes host_is_done()
 * false.  A bug of the driver by the contract (a setting that is not in its table or has another
 * type, a link service that the link does not have) aborts. Needs no cmocka, so fuzz targets use it
 * too.
 */
#ifndef ASSAY_TESTS_DRIVERS_HOST_H
#define ASSAY_TESTS_DRIVERS_HOST_H

#include <assay/driver.h>

struct host_step;
struct host_value;

/* A set of settings: a driver's own, or one row of a table. */
struct host_settings {
	struct assay_settings handle;
	struct host *host;
	const struct assay_setting *table;
	struct host_value *values; /* one per row of `table` */
};

/* A recorded variable: every pointer leads to the recorder's own copy, in host byte order. */
struct host_variable {
	struct assay_variable v;
	const char *said; /* the name in report, progress and frame_setting */
};

struct host_frame {
	struct assay_frame handle;
	struct host *host;
	enum assay_kind kind;
	bool partial;
	enum assay_quality flag;
	const char *reasons[16]; /* each once, in the order given */
	size_t reason_count;
	struct host_variable vars[256], settings[256];
	size_t var_count, setting_count;
	const char *device_time;
	double span;
	unsigned gaps; /* their number, the place of the last one, and all samples lost */
	int64_t last_gap;
	uint64_t lost;
	bool failed; /* a variable broke the format; the reason was printed */
};

struct host_raw {
	struct assay_raw handle;
	struct host *host;
	struct assay_bytes blocks[64];
	size_t count, total;
	bool is_open; /* the last block grows */
	size_t room;  /* for its bytes */
};

struct host {
	struct assay_instrument ins; /* for the slots */
	const struct assay_driver *driver;
	struct host_settings settings;
	struct host_raw raw;
	struct host_frame frame;

	/* Reports and calls of the driver. */
	struct host_variable reports[128], progress[16]; /* the last one per name */
	size_t report_count, progress_count;
	char explained[1024]; /* the last text */
	bool has_begun;       /* by itself, with this sample; NULL: none */
	const char *sample;
	char logged[8192]; /* all lines, each "LEVEL text\n" */
	char found[8192];  /* of check(): all findings, each "LEVEL setting[row].column: text\n" */
	bool hazard;       /* as last reported */
	unsigned hazards;  /* number of hazard(true) */
	unsigned retried, writes, drains;
	uint64_t now; /* ms; starts at 1000 */

	/* Set by the test; 0: never. */
	uint64_t stop_at, abort_at; /* when `now` reaches this */

	/* For devices that are functions: called with each write instead of the script. */
	void (*device)(struct host *host, const uint8_t *data, size_t len);
	/*
	 * For devices with a clock: gives the input that is due at `now` by host_answer(), and
	 * returns the time of its next event, later than `now`; UINT64_MAX: never.
	 */
	uint64_t (*wake)(struct host *host);
	int (*modbus)(struct host *host, enum assay_modbus_table table, unsigned address,
		unsigned count, uint16_t *out);
	/* A reply: 0 or an error; its body stays borrowed until the next request. */
	int (*http)(struct host *host, const struct assay_http_request *request,
		struct assay_http_reply *reply);
	ssize_t (*modbus_raw)(struct host *host, unsigned function, const uint8_t *request,
		size_t len, uint8_t *reply, size_t size, size_t expected);
	/* A data set of a folder, and its files: as the services. */
	int (*folder_next)(struct host *host, struct assay_folder_set *set);
	int (*folder_file)(struct host *host, unsigned index, struct assay_folder_file *file);
	ssize_t (*folder_read)(
		struct host *host, unsigned index, uint64_t offset, void *to, size_t size);
	int (*folder_end)(struct host *host, enum assay_folder_verdict verdict);
	const char *technique; /* configured; NULL: that of the driver */
	int (*line)(struct host *host, enum assay_line_act act, int value); /* NULL: -ENOTSUP */
	void *device_data;
	unsigned modbus_registers; /* of one request; 0: 125 */

	bool quiet; /* fuzzing: deviations are not printed */
	bool failed;
	bool stopping;
	bool never_pauses; /* a drain that waits for silence gives up */
	int stuck;         /* -ECANCELED or -ENODEV: returned by every further link call */
	struct host_step *script, *input; /* host.c's: to be played; arrived and not read */
	void *memory;                     /* host.c's: freed at the end */
};

/* --- life --- */

/* Returns a host for `driver` on a link of that kind, with the defaults of its table set. */
struct host *host_create(const struct assay_driver *driver, enum assay_link link);

/* Frees the host and all it recorded; legal on NULL. */
void host_destroy(struct host *h);

/* True if there was no deviation from the script and all of it was played. */
bool host_is_done(const struct host *h);

/* Clears frame, raw blocks, reports and script; keeps settings and the driver's state. */
void host_reset(struct host *h);

/* --- settings --- */

/*
 * Sets one setting from text: a number in the table's own unit ("12.5"), an integer ("100",
 * "0x2a"), "true"/"false", or the text itself.  Once more for a list appends.  An unknown name, a
 * wrong type or a value outside the table's range aborts.
 */
void host_set(struct host *h, const char *name, const char *value);
void host_settings_set(struct host_settings *s, const char *name, const char *value);

/* Makes the setting absent again. */
void host_unset(struct host *h, const char *name);

/* Adds a row to a table, to be filled with host_settings_set(). */
struct host_settings *host_add_row(struct host *h, const char *name);

/* --- the script: played strictly in this order --- */

/*
 * The driver writes exactly these bytes next, at any endpoint.  Of a control transfer they are the
 * setup packet and the data; its reply is an answer.
 */
void host_expect(struct host *h, const void *data, size_t len);
void host_expect_hex(struct host *h, const char *hex);
void host_expect_text(struct host *h, const char *text);

/* One datagram, one USB transfer, or a piece of a stream arrives; no read joins two of them. */
void host_answer(struct host *h, const void *data, size_t len);
void host_answer_hex(struct host *h, const char *hex);
void host_answer_text(struct host *h, const char *text);

/* The same bytes in datagrams of `piece` bytes. */
void host_answer_split(struct host *h, const void *data, size_t len, size_t piece);

/* The next read times out although more follows. */
void host_silence(struct host *h);

/* The following input arrives after `ms` of waiting. */
void host_delay(struct host *h, unsigned ms);

/* The next read, write or pause fails; -ENODEV and -ECANCELED stay until host_revive(). */
void host_error(struct host *h, int err);

/* The link works again, as before stop() and make_safe(). */
void host_revive(struct host *h);

/* From here on assay_stopping() is true; acts when the script gets there. */
void host_ask_to_stop(struct host *h);

/*
 * The driver reads exactly these registers next and gets `result`; with 0, `count` values are
 * copied from `values`.
 */
void host_expect_modbus(struct host *h, enum assay_modbus_table table, unsigned address,
	unsigned count, int result, const uint16_t *values);

/* --- results --- */

/*
 * Runs the driver's decode on the recorded raw blocks (or on others) into h->frame.  Twice: a
 * difference aborts.
 */
int host_decode(struct host *h);
int host_decode_bytes(struct host *h, const struct assay_bytes *raw, size_t count,
	const struct assay_bytes *references, size_t reference_count);

/* Runs the driver's check on the settings into h->found, which it clears before. */
void host_check(struct host *h);

/* Whether both have the same: of two decodes of the same bytes. */
bool host_frame_is_equal(const struct host_frame *a, const struct host_frame *b);

/* Runs poll(); its values are in h->progress. */
int host_poll(struct host *h);

/* Finds by name (the first one), or NULL.  Borrowed until host_reset() or host_destroy(). */
const struct assay_variable *host_find(const struct host *h, const char *name);
const struct assay_variable *host_find_of(
	const struct host *h, const char *name, const char *analyte);
const struct assay_variable *host_report(const struct host *h, const char *name);
const struct assay_variable *host_progress(const struct host *h, const char *name);

/* Element `i` of a variable of any numeric type, as a double; aborts past its end. */
double host_element(const struct assay_variable *v, size_t i);

/* True if the frame has that reason. */
bool host_has_reason(const struct host *h, const char *reason);

/* Parses "F5 FA 01"; returns the number of bytes, aborts on anything else or past `size`. */
size_t host_hex(const char *hex, uint8_t *out, size_t size);

/* --- between the files of the host --- */

/* Memory that lives as long as the host; never NULL. */
void *host_memory(struct host *h, size_t size);
void *host_copy(struct host *h, const void *data, size_t len);
char *host_text(struct host *h, const char *text); /* NULL stays NULL */

/* Records and prints a deviation; returns -EIO. */
int host_fail(struct host *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints and aborts: a bug of the driver or of the test. */
void host_bug(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The parts of the table of services. */
void host_settings_init(struct host *h, struct host_settings *s, const struct assay_setting *table);
void host_settings_services(struct assay_host *services);
void host_frame_services(struct assay_host *services);

/* Aborts if a variable came with another size than that of the present header. */
void host_expect_size(size_t size);

/* Copies a variable with all it points to. */
void host_variable_copy(
	struct host *h, struct host_variable *to, const struct assay_variable *v, const char *said);

#endif
