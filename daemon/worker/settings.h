/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings as a driver gets them, out of the CBOR that the core sends (wire/port.h), checked
 * against the driver's table.  Immutable once read.
 */
#ifndef ASSAY_WORKER_SETTINGS_H
#define ASSAY_WORKER_SETTINGS_H

#include <assay/driver.h>
#include <stdint.h>

#define SETTINGS_WHY 200

struct settings;

/*
 * Reads a CBOR map (len 0: an empty one).  `table` may be NULL and must outlive the result.
 * Returns 0 with *out owned by the caller, or -EINVAL (with `why` saying which setting) or
 * -ENOMEM.
 */
int settings_create(const struct assay_setting *table, const uint8_t *data, size_t len,
	const struct assay_host *host, struct settings **out, char why[SETTINGS_WHY]);

/* Legal on NULL. */
void settings_destroy(struct settings *settings);

/* What the driver's slots are given: borrowed from `settings`. */
const struct assay_settings *settings_handle(const struct settings *settings);

/* Fills the services of <assay/driver.h> that read settings. */
void settings_services(struct assay_host *host);

#endif
