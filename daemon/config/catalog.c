/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "config/ask.h"
#include "config/catalog.h"
#include "wire/describe.h"

#define LOG_TOPIC "catalog"
#include "base/log.h"

#define DESCRIBE_S 20

const struct catalog_driver *catalog_find(const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (strcmp(catalog->drivers[i].name, name) == 0)
			return &catalog->drivers[i];
	return NULL;
}

const char *catalog_link_defaults(const struct catalog_driver *driver, unsigned link)
{
	const struct assay_link_defaults *d = driver->link_defaults;
	while (d != NULL && d->link != 0 && d->link != link)
		d++;
	return d != NULL && d->link != 0 ? d->defaults : NULL;
}

static int fail(int r, char **why, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(int r, char **why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (vasprintf(why, format, args) < 0)
		*why = NULL;
	va_end(args);
	return r;
}

int catalog_load(const char *worker, const char *drivers, struct catalog **out, char **why)
{
	*out = NULL;
	*why = NULL;
	struct buffer answer = {.limit = DESCRIBE_BYTES_MAX + 65536};
	const char *argv[] = {worker, "--describe", "--drivers", drivers, NULL};
	int r = ask_worker(argv, (struct assay_span){0}, DESCRIBE_S, &answer);
	if (r < 0)
		fail(r, why, "%s does not describe the drivers in %s: %s", worker, drivers,
			r == -EIO ? "it failed" : strerror(-r));
	else
		r = catalog_read(answer.data, answer.len, out, why);
	buffer_finish(&answer);
	if (r == 0)
		r = catalog_keep_paths(*out, worker, drivers);
	if (r < 0)
		return r;
	for (size_t i = 0; i < (*out)->problem_count; i++)
		log_warn("%s is not used: %s", (*out)->problems[i].file, (*out)->problems[i].text);
	return 0;
}
