/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The installed drivers and their tables.  The core and the tools never load driver code: they run
 * `assay-worker --describe` and read its output here.
 */
#ifndef ASSAY_CONFIG_CATALOG_H
#define ASSAY_CONFIG_CATALOG_H

#include <assay/driver.h>
#include <stddef.h>
#include <stdint.h>

#include "record/encode.h"

/* As struct assay_driver, without its code.  Texts and tables belong to the catalog. */
struct catalog_driver {
	const char *name, *version, *summary, *technique, *make;
	unsigned links;
	const struct assay_link_defaults *link_defaults;
	const struct assay_setting *settings; /* ends with .name NULL */
	bool has_make_safe, has_check;
	uint8_t sha256[32]; /* of the module's file; goes into run-start */
};

/* A module that cannot be used, and the reason. */
struct catalog_problem {
	const char *file, *text;
};

struct catalog {
	struct catalog_driver *drivers;
	size_t count;
	struct catalog_problem *problems;
	size_t problem_count;
	const char *worker,
		*driver_dir; /* to run check() in; NULL: drivers' rules are not checked */
};

/*
 * Runs `worker --describe --drivers DIR` with a deadline and reads its output.  Returns 0 with *out
 * owned by the caller, or a negative errno with the reason in *why (owned).  A module that cannot
 * be loaded is a warning in the log, not a failure.
 */
int catalog_load(const char *worker, const char *drivers, struct catalog **out, char **why);

/* Reads one output, for tests and fuzzing.  0, -EBADMSG or -ENOMEM. */
int catalog_read(const uint8_t *data, size_t len, struct catalog **out, char **why);

/* Notes where check() runs; copies.  0 or -ENOMEM. */
int catalog_keep_paths(struct catalog *catalog, const char *worker, const char *drivers);

void catalog_destroy(struct catalog *catalog);

/* Borrowed until catalog_destroy(); NULL: there is none of that name. */
const struct catalog_driver *catalog_find(const struct catalog *catalog, const char *name);

/* The driver's defaults for one enum assay_link, YAML without braces; NULL: it has none. */
const char *catalog_link_defaults(const struct catalog_driver *driver, unsigned link);

/*
 * The driver's links and settings as a CBOR map with the words of the configuration:
 * {name, version, summary, technique?, make?, links: [{type, defaults?}], settings: [...]}.
 */
void catalog_put(struct buffer *to, const struct catalog_driver *driver);

/*
 * A table of settings as a list of {name, type, unit?, min?, max?, choices?, required?, list?,
 * calibration?, hazard?, live?, hex?, ucum?, cas?, in_unit?, default?, help,
 * columns?}, or the pairs of one setting.
 */
void catalog_put_settings(struct buffer *to, const struct assay_setting *settings);
void catalog_put_setting(struct map *map, const struct assay_setting *setting);

#endif
