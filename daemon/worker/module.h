/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's module: loaded, and found to be what <assay/driver.h> asks for. */
#ifndef ASSAY_WORKER_MODULE_H
#define ASSAY_WORKER_MODULE_H

#include <assay/driver.h>
#include <stddef.h>

#define MODULE_WHY 300

struct module {
	void *library;
	const struct assay_driver *driver; /* the module's own; valid until module_close() */
	char path[512];
};

/*
 * Opens DIR/NAME.so.  Returns 0; -ENOENT when there is no such file; -ELIBBAD when it is no usable
 * driver; `why` says what is wrong.
 */
int module_open(struct module *module, const char *dir, const char *name, char why[MODULE_WHY]);

/* Legal on a zeroed module. */
void module_close(struct module *module);

/* What is wrong with a driver's table, in words; NULL: nothing.  `name` is the file's. */
const char *module_complaint(const struct assay_driver *driver, const char *name);

#endif
