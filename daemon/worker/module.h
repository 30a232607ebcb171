/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's module: loads it and checks it against <assay/driver.h>. */
#ifndef ASSAY_WORKER_MODULE_H
#define ASSAY_WORKER_MODULE_H

#include <assay/driver.h>
#include <stddef.h>

#include "base/arena.h"
#include "worker/confine.h"

#define MODULE_WHY      300
#define MODULE_PATH     512
#define MODULE_STRANGER 132 /* within MODULE_WHY, behind the path */

struct module {
	void *library;
	const struct assay_driver *driver; /* `own`; valid until module_close() */
	struct assay_driver own;           /* a copy, as of this version of the header */
	struct arena tables;               /* the same of its settings and link defaults */
	char path[MODULE_PATH];
};

/*
 * Opens DIR/NAME.so.  Returns 0, -ENOENT if there is no such file, or -ELIBBAD if it is not a usable
 * driver; `why` has the reason.
 */
int module_open(struct module *module, const char *dir, const char *name, char why[MODULE_WHY]);

/* Lets the module's file be read in a confined process. */
void module_permit(struct confine *confine, const char *dir, const char *name);

/*
 * Confines a process without a port, for loading these modules.  0 or a negative errno; the caller
 * finishes `confine` in any case.
 */
int module_confine(
	struct confine *confine, const char *dir, const char *const *names, size_t count);

/* Legal on a zeroed module. */
void module_close(struct module *module);

/*
 * Copies a driver's table, built with this or an older version of the header, to module->own: what
 * the older one lacks is zero.  False with `why` if that is not possible.
 */
bool module_adopt(
	struct module *module, const struct assay_driver *table, char why[MODULE_STRANGER]);

/* The first fault of an adopted table, in words; NULL: none.  `name` is the file's. */
const char *module_complaint(const struct assay_driver *driver, const char *name);

#endif
