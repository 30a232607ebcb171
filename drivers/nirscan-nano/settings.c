/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, and the slots that send them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "measure.h"

static const char *const gains[] = {"auto", "1", "2", "4", "8", "16", "32", "64", NULL};

const struct assay_setting nano_settings[] = {
	{.name = "result",
		.type = ASSAY_CHOICE,
		.choices = nano_results,
		.fallback = "single_beam",
		.help = "data of a frame; the three last need a background run"},
	{.name = "scan_configuration",
		.type = ASSAY_INT,
		.flags = ASSAY_STAYS,
		.min = 0,
		.max = 255,
		.help = "number of the stored scan configuration, from 0; absent: the active one"},
	{.name = "scans",
		.type = ASSAY_INT,
		.flags = ASSAY_OWN,
		.min = 1,
		.max = 65535,
		.help = "scans averaged by the instrument; absent: as the scan configuration has "
			"it"},
	{.name = "gain",
		.type = ASSAY_CHOICE,
		.flags = ASSAY_OWN,
		.choices = gains,
		.help = "of the amplifier; absent: as it is"},
	{.name = "readings",
		.type = ASSAY_INT,
		.min = 0,
		.max = 1000000000,
		.fallback = "1",
		.help = "frames per measurement; 0: until stopped"},
	{.name = "hibernation",
		.type = ASSAY_BOOL,
		.fallback = "false",
		.help = "whether the instrument may hibernate after 5 min; it then has no reply"},
	{.name = "timeout",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 1,
		.max = 3600,
		.fallback = "30 s",
		.help = "longest time of a scan beyond the instrument's own estimate"},
	{.name = "first_month",
		.type = ASSAY_INT,
		.min = 0,
		.max = 1,
		.fallback = "1",
		.help = "number of January in the instrument's time: sources disagree"},
	{.name = NULL},
};

void nano_check(const struct assay_settings *s, struct assay_check *out)
{
	const char *result = assay_text(s, "result"), *gain = assay_text(s, "gain");
	if (gain != NULL && strcmp(gain, "auto") == 0 && strcmp(result, nano_results[0]) != 0)
		assay_check_warn(out, "gain",
			"%s needs a background of the same gain: write a fixed one", result);
}

static int send(
	struct assay_instrument *ins, enum nano_command which, const uint8_t *arguments, size_t len)
{
	struct nano *nano = ins->state;
	struct reply reply;
	return exchange(ins, &nano->x, which, arguments, len, &reply);
}

/* Sends a value of one byte if the instrument has another, and reads it again. */
static int put_u8(struct assay_instrument *ins, enum nano_command read, enum nano_command write,
	uint8_t wanted, const char *name)
{
	struct nano *nano = ins->state;
	uint32_t found;
	int r = exchange_number(ins, &nano->x, read, &found);
	if (r < 0 || found == wanted)
		return r;
	r = send(ins, write, &wanted, 1);
	if (r == 0)
		r = exchange_number(ins, &nano->x, read, &found);
	if (r < 0 || found == wanted)
		return r;
	assay_explain(ins, "%s: the instrument has %u after %u was sent", name, found, wanted);
	return -EPROTO;
}

static int select_configuration(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	int64_t wanted = assay_int(ins->settings, "scan_configuration");
	uint32_t count;
	int r = exchange_number(ins, &nano->x, NANO_CONFIGURATIONS, &count);
	if (r < 0)
		return r;
	if (wanted >= count) {
		assay_explain(ins,
			"scan_configuration: the instrument has no number %d; it has %u, counted "
			"from 0",
			(int)wanted, count);
		return -EINVAL;
	}
	return put_u8(ins, NANO_ACTIVE, NANO_SELECT, (uint8_t)wanted, "scan_configuration");
}

int nano_read_back(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	uint32_t active;
	int r = exchange_number(ins, &nano->x, NANO_ACTIVE, &active);
	if (r == 0)
		assay_report_int(ins, "scan_configuration", active);
	return r;
}

/* A run with a configuration whose scans have no spectrum is not worth its time. */
static int refuse_hadamard(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	struct configuration c;
	struct reply reply;
	uint32_t active;
	const char *why;
	int r = exchange_number(ins, &nano->x, NANO_ACTIVE, &active);
	uint8_t index = (uint8_t)active;
	if (r == 0)
		r = exchange(ins, &nano->x, NANO_CONFIGURATION, &index, 1, &reply);
	if (r < 0)
		return r;
	if (configuration_open(reply.data + 4, reply.len - 4, &c, &why) < 0) {
		assay_log(ins, ASSAY_LOG_WARN, "scan configuration %u %s", active, why);
		return 0;
	}
	if (configuration_is_of_columns(&c))
		return 0;
	assay_explain(ins,
		"scan configuration %u, '%s', has scans other than column scans (Hadamard), whose "
		"evaluation is not published: "
		"select one with column scans by scan_configuration",
		active, c.name);
	return -EPROTO;
}

int nano_configure(struct assay_instrument *ins)
{
	const struct assay_settings *s = ins->settings;
	bool hibernation = assay_flag(s, "hibernation");
	int r = put_u8(ins, NANO_HIBERNATION, NANO_SET_HIBERNATION, hibernation, "hibernation");
	if (r == 0 && assay_has(s, "scan_configuration"))
		r = select_configuration(ins);
	if (r == 0)
		r = refuse_hadamard(ins);
	if (r == 0 && assay_has(s, "scans")) {
		uint16_t n = (uint16_t)assay_int(s, "scans");
		r = send(ins, NANO_REPEATS, (uint8_t[]){(uint8_t)n, (uint8_t)(n >> 8)}, 2);
	}
	if (r == 0 && assay_has(s, "gain")) {
		uint8_t gain = (uint8_t)strtoul(assay_text(s, "gain"), NULL, 10);
		r = send(ins, NANO_SET_GAIN, (uint8_t[]){gain > 0, gain > 0 ? gain : 1}, 2);
	}
	return r == 0 ? nano_read_back(ins) : r;
}
