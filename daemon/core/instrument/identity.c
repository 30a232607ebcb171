/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/instrument/identity.h"
#include "record/text.h"
#include "wire/wire.h"

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

static bool differs(const char *name, const char *wanted, const char *found, char *why, size_t size)
{
	if (wanted == NULL || strcmp(wanted, found) == 0)
		return false;
	if (strcmp(found, "none") == 0)
		snprintf(why, size, "no %s was found, '%s' is configured", name, wanted);
	else
		snprintf(why, size, "%s '%s' was found, '%s' is configured", name, found, wanted);
	return true;
}

static bool is_another(
	const struct instrument *instrument, const struct run_identity *id, char *why, size_t size)
{
	const struct config_instrument *config = instrument->config;
	return differs("serial number", config->identity.serial, id->serial, why, size) ||
	       differs("model", config->identity.model, id->model, why, size);
}

static void fill(char *to, size_t size, const char *declared)
{
	if (to[0] == '\0' && declared != NULL)
		snprintf(to, size, "%s", declared);
}

/* Instruments pad their texts on either side. */
static void take_text(char *to, size_t size, struct assay_string text)
{
	while (text.len > 0 && text.data[0] == ' ')
		text.data++, text.len--;
	while (text.len > 0 && text.data[text.len - 1] == ' ')
		text.len--;
	text_copy(to, size, text);
}

void identity_take(struct instrument *instrument, const struct wire_identity *found)
{
	struct run_identity *id = &instrument->identity;
	const struct config_instrument *config = instrument->config;
	*id = (struct run_identity){.declared = found->declared};
	take_text(id->make, sizeof id->make, found->make);
	take_text(id->model, sizeof id->model, found->model);
	take_text(id->serial, sizeof id->serial, found->serial);
	take_text(id->fw, sizeof id->fw, found->fw);
	if (id->serial[0] == '\0' && config->identity.serial != NULL)
		id->declared = true;
	fill(id->make, sizeof id->make, config->identity.make);
	fill(id->make, sizeof id->make, config->driver->make);
	fill(id->model, sizeof id->model, config->identity.model);
	fill(id->serial, sizeof id->serial, config->identity.serial);
	if (id->declared)
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
