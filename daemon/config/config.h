/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration, checked and ready for use.
 *
 * It is the main YAML file with instruments.d/ and methods.d/ next to it and the profiles that they
 * name.  Loading yields either one immutable `struct config` or the list of all errors, each with
 * file, line and column.  No other room sees YAML.
 *
 * Threads: a loaded configuration is read-only and may be shared.
 */
#ifndef ASSAY_CONFIG_CONFIG_H
#define ASSAY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <assay/record.h>

#include "base/buffer.h"
#include "base/key-file.h"
#include "config/catalog.h"
#include "wire/port.h"

/* A place in a file.  `file` is borrowed from the configuration or the error list. */
struct config_mark {
	const char *file;
	unsigned line, column; /* from 1 */
};

struct config_error {
	struct config_mark mark;
	const char *text; /* found, expected, "did you mean" */
};

bool config_error_is_warning(const struct config_error *error);

/* In order: the main file, then the others by name; by line and column in each. */
struct config_errors {
	struct config_error *items;
	size_t count;
	bool incomplete; /* out of memory, or more than ERRORS_MAX */
};

/* Frees the list; legal on a zeroed one. */
void config_errors_finish(struct config_errors *errors);

/* Writes a line "file:line:column: text" for each. */
void config_errors_write(const struct config_errors *errors, FILE *to);

/* Logs them in the same form. */
void config_errors_log(const struct config_errors *errors, bool are_warnings);

/* The same as one text, the last line without its end; owned by the caller, NULL: no memory. */
char *config_errors_text(const struct config_errors *errors);

enum config_mode {
	CONFIG_ON_DEMAND,
	CONFIG_REPEAT,
	CONFIG_CONTINUOUS,
};

enum config_require {
	CONFIG_REQUIRE_SAMPLE = 1 << 0,
	CONFIG_REQUIRE_OPERATOR = 1 << 1,
	CONFIG_REQUIRE_METHOD = 1 << 2,
};

/* The calibration of an instrument, or of a step that has its own. */
struct config_calibration {
	const char *id;              /* NULL: none */
	uint64_t from, to;           /* UTC ns, 0: no limit; `to` is the end of the last day */
	struct assay_span holds_for; /* CBOR map of ASSAY_CALIBRATES settings, as in the file */
};

/* Settings and setup are encoded: CBOR map name => setting of the record format; len 0: none. */
struct config_instrument {
	const char *key;
	struct config_mark mark;
	const struct catalog_driver *driver;
	bool simulated;
	const char *technique; /* topic token */
	struct port port;
	const char *port_name; /* canonical; instruments with equal names share a worker */
	unsigned unit_id;
	struct {
		const char *make, *model, *serial, *asset; /* NULL: left out */
		bool flag_otherwise; /* flag frames of another unit instead of rejecting it */
	} identity;
	struct {
		enum config_mode mode;
		uint64_t every_ns, new_run_ns; /* 0: left out */
		uint64_t frames;
	} acquire;
	enum unit_raw raw;
	const char *profile;               /* as named in the file; NULL: none */
	struct assay_span settings;        /* complete: profile, instrument and defaults merged */
	const struct config_mark *origins; /* by the driver's table; file NULL: its default */
	struct assay_span setup;
	struct config_calibration calibration;
	struct assay_span canonical; /* all above in one CBOR map: equal bytes, equal meaning */
};

/* One step of a method: its settings replace the instrument's. */
struct config_step {
	const char *name;
	struct config_mark mark;
	struct assay_span settings;
	const struct config_calibration *calibration; /* NULL: that of the instrument */
};

struct config_method {
	const char *id, *version;
	const char *driver; /* the driver of its settings */
	struct config_mark mark;
	struct assay_span setup;
	struct config_step *steps; /* at least one */
	size_t step_count;
	struct assay_span canonical; /* as of an instrument; an audit record each */
	uint8_t sha256[32];          /* of it, goes into run-start */
};

/* The rights of a key, one for each socket: read is of live. */
enum config_role {
	CONFIG_READ,
	CONFIG_REPLAY,
	CONFIG_CONTROL,
	CONFIG_ROLES,
};

/* A program that may connect by TCP. */
struct config_key {
	const char *name, *text; /* the key in Z85 */
	uint8_t key[KEY_FILE_SIZE];
	unsigned roles; /* bit i: enum config_role i */
};

struct config {
	char site[33], node[33];
	const char *timezone; /* of the days in run numbers: "Europe/Berlin" */
	unsigned require;     /* enum config_require */
	const char *sample_pattern, *sample_example; /* NULL: any sample id */

	const char *journal_path;
	const char *journal_known; /* the second state folder; NULL: the default */
	bool sync_always;
	uint64_t sync_ns;      /* not always: synced at least that often */
	uint64_t reserve;      /* bytes of disk kept free: with less new runs are rejected */
	uint64_t segment_size; /* of a file of the journal */
	struct {
		uint64_t age_ns; /* older segments may be removed; 0: no limit */
		uint64_t size;   /* of all together: beyond it the oldest may be; 0: no limit */
	} keep;                  /* both 0: keep everything */

	const char *socket_dir; /* default folder of live, replay, control, which are ipc:// */
	const char *live, *replay, *control;
	const char *listen[CONFIG_ROLES]; /* their tcp:// endpoints; NULL: none */
	const char *server_key;           /* the file of the daemon's secret key; NULL: none */
	const struct config_key *keys;    /* authorised, in the order of their file */
	size_t key_count;

	struct config_instrument *instruments; /* in the order of the files */
	size_t instrument_count;
	struct config_method *methods;
	size_t method_count;

	/* The effective configuration as one CBOR map, methods by their hash; goes into audit. */
	struct assay_span canonical;
	uint8_t sha256[32]; /* of it, goes into every run-start */

	struct config_errors warnings; /* probable mistakes: the configuration is used as it is */

	struct config_inside *inside; /* of this folder */
};

/*
 * Loads `path` and the files that belong to it.  `catalog` is borrowed and must outlive the result.
 * Returns 0 with *out owned by the caller; -EINVAL with *errors filled (finish it), warnings
 * among them, *out NULL; -ENOMEM.  A file that cannot be read is an error of the list, at line 1
 * column 1.
 */
int config_load(const char *path, const struct catalog *catalog, struct config **out,
	struct config_errors *errors);

/*
 * Appends the texts of all files that the configuration was read from; config_load_saved() loads them
 * again, without the files.  -EBADMSG: they are not as they were written; else as
 * config_load().
 */
void config_save(const struct config *config, struct buffer *out);
int config_load_saved(struct assay_span saved, const struct catalog *catalog, struct config **out,
	struct config_errors *errors);

/*
 * The same for a profile alone, which the result does not have: it has its warnings.  -ENOENT: the
 * file is no profile, or is not YAML.
 */
int config_load_profile(const char *path, const struct catalog *catalog, struct config **out,
	struct config_errors *errors);

/* Facts of a profile about its instruments; "" where it has none. */
struct config_profile {
	char driver[33], summary[200], make[65], model[65];
};

/*
 * Reads them, of a profile that is named as in a file of the present folder, without its settings.
 * 0; -EINVAL with *errors filled (finish it); -ENOMEM.
 */
int config_read_profile(const char *name, struct config_profile *out, struct config_errors *errors);

/* The folder of installed profiles. */
const char *config_profile_dir(void);

void config_destroy(struct config *config);

/* Borrowed until config_destroy(); NULL: there is none of that name. */
const struct config_instrument *config_find(const struct config *config, const char *key);
const struct config_method *config_find_method(const struct config *config, const char *id);

/* Whether `sample` matches the site's pattern; true if there is none. */
bool config_sample_fits(const struct config *config, const char *sample);

/*
 * Merges settings of a driver: those of `above`, such as a step's, replace those of `below`, such
 * as an instrument's.  Appends the CBOR map to `out`, in the order of the driver's table.  Each
 * value was checked when it was read; only the driver checks their combination.  0, -ENOMEM, or
 * -EINVAL with *why owned by the caller for a name that the driver does not have.
 */
int config_merge(const struct catalog_driver *driver, struct assay_span below,
	struct assay_span above, struct buffer *out, char **why);

/*
 * The values for which `calibration` holds, of each ASSAY_CALIBRATES setting: that of holds_for,
 * else that of `settings`, else that of `read_back`.  Appends a CBOR map; nothing if `settings` have
 * no calibration.  0 or -ENOMEM.
 */
int config_holds(const struct catalog_driver *driver, const struct config_calibration *calibration,
	struct assay_span settings, struct assay_span read_back, struct buffer *out);

/*
 * Runs the driver's check() on complete settings, in a worker process: blocks for some ms.  0; -EINVAL
 * with all errors in *why, or another errno with the reason there; *why is owned by the caller.
 */
int config_check_settings(const struct catalog *catalog, const struct catalog_driver *driver,
	struct assay_span settings, char **why);

/*
 * Reads one setting as text, as `assayctl set` and `--set` give it: appends { name: setting } as a
 * CBOR map.  0, -ENOMEM, or -EINVAL with *why owned by the caller ("did you mean" included).
 */
int config_parse_setting(const struct catalog_driver *driver, const char *name, const char *text,
	struct buffer *out, char **why);

#endif
