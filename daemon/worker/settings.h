/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a driver, read from the CBOR that the core sends (struct unit in wire/port.h) and
 * checked against the driver's table.  Immutable.
 */
#ifndef ASSAY_WORKER_SETTINGS_H
#define ASSAY_WORKER_SETTINGS_H

#include <assay/driver.h>
#include <stdint.h>

#define SETTINGS_WHY 200

struct settings;

/*
 * Reads a CBOR map (len 0: an empty one).  `table` may be NULL and must outlive the result.
 * Returns 0 with *out owned by the caller, -EINVAL with `why`, or -ENOMEM.
 */
int settings_create(const struct assay_setting *table, const uint8_t *data, size_t len,
	const struct assay_host *host, struct settings **out, char why[SETTINGS_WHY]);

/* Legal on NULL. */
void settings_destroy(struct settings *settings);

/* The handle for the driver's slots: borrowed from `settings`. */
const struct assay_settings *settings_handle(const struct settings *settings);

/* Fills the services of <assay/driver.h> that read settings. */
void settings_services(struct assay_host *host);

#endif
