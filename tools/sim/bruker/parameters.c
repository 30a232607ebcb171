/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a command, by their names in OPUS.  A whole string of a model's settings is sent at
 * once, so well-formed names that are not in the table are taken without an effect.  The ranges are
 * the simulator's own; the instrument's are not published.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bruker.h"

enum form {
	WHOLE,   /* decimal, or hexadecimal with 0x */
	DECIMAL, /* the same, with decimals */
	MODE,    /* "DD", or its characters as a number, the first one in the low byte */
	TEXT,
};

#define NOWHERE    SIZE_MAX
#define AT(member) offsetof(struct bruker_settings, member)

static const struct known_parameter {
	char name[4];
	enum form form;
	double min, max;
	size_t member;
} known_parameters[] = {
	{"WRK", WHOLE, 1, 8, AT(work)},
	{"RES", DECIMAL, 0.05, 50, AT(resolution)},
	{"PHR", DECIMAL, 0.5, 1000, AT(phase_resolution)},
	{"NSS", WHOLE, 1, 100000, AT(scans)},
	{"VEL", DECIMAL, 0.1, 320000, AT(velocity)},
	{"APT", DECIMAL, 0, 12500, AT(aperture)},
	{"SRC", WHOLE, 0, 999, AT(source)},
	{"CHN", WHOLE, 0, 99, AT(channel)},
	{"PGN", WHOLE, 0, 99, AT(gain)},
	{"HFW", DECIMAL, 0, 50000, AT(high)},
	{"LFW", DECIMAL, 0, 50000, AT(low)},
	{"AQM", MODE, .member = AT(mode)},
	{"SNM", TEXT, .member = AT(sample)},
	{"SFM", TEXT, .member = AT(form)},
	{"CNM", TEXT, .member = AT(user)},
	{"DTC", WHOLE, 0, 65535, NOWHERE},
	{"BMS", WHOLE, 0, 99, NOWHERE},
	{"OPF", WHOLE, 0, 99, NOWHERE},
	{"GNS", WHOLE, 0, 99, NOWHERE},
	{"HPF", DECIMAL, 0, 320000, NOWHERE},
	{"LPF", DECIMAL, 0, 320000, NOWHERE},
	{"DEL", DECIMAL, 0, 86400, NOWHERE},
	{"DLY", DECIMAL, 0, 86400, NOWHERE},
	{"REP", WHOLE, 1, 100000, NOWHERE},
};

void parameters_default(struct bruker_settings *set)
{
	*set = (struct bruker_settings){.resolution = 4,
		.phase_resolution = 100,
		.velocity = 10,
		.aperture = 4000,
		.scans = 1,
		.source = 201,
		.channel = 1,
		.gain = 3,
		.high = 15000,
		.mode = "DD"};
}

static int read_number(const char *text, bool is_whole, double *value)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		size_t len = strspn(text + 2, "0123456789abcdefABCDEF");
		if (len == 0 || len > 8 || text[2 + len] != '\0')
			return -EINVAL;
		*value = (double)strtoul(text + 2, NULL, 16);
		return 0;
	}
	if (number_parse(text, value) < 0 || (is_whole && *value != floor(*value)))
		return -EINVAL;
	return 0;
}

static int read_mode(const char *text, char mode[3])
{
	static const char *const modes[] = {"SN", "DN", "SD", "DD"};
	double value;
	char name[3] = "";
	if (read_number(text, true, &value) == 0)
		snprintf(name, sizeof name, "%c%c", (int)value & 0xFF, (int)value >> 8 & 0xFF);
	else
		snprintf(name, sizeof name, "%s", strlen(text) == 2 ? text : "");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (strcmp(name, modes[i]) == 0) {
			memcpy(mode, name, sizeof name);
			return 0;
		}
	}
	return -EINVAL;
}

static int read_one(
	const struct known_parameter *parameter, const char *text, struct bruker_settings *set)
{
	char *member = parameter->member != NOWHERE ? (char *)set + parameter->member : NULL;
	double value;
	if (parameter->form == MODE)
		return read_mode(text, member);
	if (parameter->form == TEXT) {
		if (strlen(text) >= BRUKER_TEXT)
			return -EINVAL;
		memcpy(member, text, strlen(text) + 1);
		return 0;
	}
	if (read_number(text, parameter->form == WHOLE, &value) < 0 || value < parameter->min ||
		value > parameter->max)
		return -EINVAL;
	if (member != NULL)
		memcpy(member, &value, sizeof value);
	return 0;
}

static bool is_name(const char *text)
{
	return strlen(text) == 3 && isupper((unsigned char)text[0]) &&
	       (isupper((unsigned char)text[1]) || isdigit((unsigned char)text[1])) &&
	       (isupper((unsigned char)text[2]) || isdigit((unsigned char)text[2]));
}

int parameters_read(const struct sim_http_request *request, struct bruker_settings *set,
	char *error, size_t size)
{
	struct bruker_settings changed = *set;
	changed.work = WORK_NONE;
	for (size_t i = 0; i < request->n_arguments; i++) {
		const struct sim_http_argument *argument = &request->arguments[i];
		int r = is_name(argument->key) && argument->value != NULL ? 0 : -EINVAL;
		for (size_t k = 0;
			r == 0 && k < sizeof known_parameters / sizeof known_parameters[0]; k++)
			if (strcmp(known_parameters[k].name, argument->key) == 0)
				r = read_one(&known_parameters[k], argument->value, &changed);
		if (r < 0) {
			snprintf(error, size, "parameter %zu is wrong", i + 1);
			return r;
		}
	}
	*set = changed;
	return 0;
}
