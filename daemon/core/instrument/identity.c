/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/instrument/identity.h"

static const struct {
	const char *driver;
	unsigned long first, last;
} reserved[] = {
#define RESERVED(driver, first, last) {#driver, first, last},
#include "reserved-serials.inc"
#undef RESERVED
};

/* Is this one of the serial numbers of simulators (config/reserved-serials.csv)? */
static bool serial_is_reserved(const char *driver, const char *serial)
{
	char *end;
	errno = 0;
	unsigned long number = strtoul(serial, &end, 10);
	if (errno != 0 || end == serial || *end != '\0')
		return false;
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if (strcmp(reserved[i].driver, driver) == 0 && number >= reserved[i].first &&
			number <= reserved[i].last)
			return true;
	}
	return false;
}

static bool differs(const char *wanted, const char *found)
{
	return wanted != NULL && strcmp(wanted, found) != 0;
}

static bool is_another(
	const struct instrument *instrument, const struct run_identity *id, char *why, size_t size)
{
	const struct config_instrument *config = instrument->config;
	if (differs(config->identity.serial, id->serial)) {
		snprintf(why, size, "serial number %s was found, %s is configured", id->serial,
			config->identity.serial);
		return true;
	}
	if (differs(config->identity.model, id->model)) {
		snprintf(why, size, "model %s was found, %s is configured", id->model,
			config->identity.model);
		return true;
	}
	return false;
}

static void fill(char *to, size_t size, const char *declared)
{
	if (to[0] == '\0' && declared != NULL)
		snprintf(to, size, "%s", declared);
}

void identity_declare(struct instrument *instrument)
{
	struct run_identity *id = &instrument->identity;
	const struct config_instrument *config = instrument->config;
	fill(id->make, sizeof id->make, config->identity.make);
	fill(id->make, sizeof id->make, config->driver->make);
	fill(id->model, sizeof id->model, config->identity.model);
	fill(id->serial, sizeof id->serial, config->identity.serial);
	fill(id->serial, sizeof id->serial, "none");
}

bool identity_refuses(struct instrument *instrument, char *why, size_t size)
{
	struct run_identity *id = &instrument->identity;
	if (!instrument->config->simulated &&
		serial_is_reserved(instrument->config->driver->name, id->serial)) {
		snprintf(why, size,
			"serial number %s belongs to a simulator, and the "
			"instrument is not marked `simulated: true`",
			id->serial);
		return true;
	}
	if (!is_another(instrument, id, why, size))
		return false;
	id->mismatch = instrument->config->identity.flag_otherwise;
	return !id->mismatch;
}

struct inst_id instrument_inst(const struct instrument *instrument)
{
	return run_inst(&instrument->identity, instrument->config);
}
