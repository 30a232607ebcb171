/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

#define FIRST_TRIP      111
#define EMISSION_MARGIN 0.1 /* of the emission; the unit's own regulation is not published */
#define EMISSION_LEAST  5.0 /* uA */

/* The protections, in the order of the codes *P111* and so on, with the flag of each. */
static const struct {
	const char *flag, *text;
	double right;
	bool needs_emission; /* the flag means something only while the filament is on */
} protections[] = {
	{"inhibit", "the unit is inhibited", 0, false},
	{"ptrip", "pressure trip", 0, false},
	{"filok", "the filament failed", 1, true},
	{"emok", "the emission failed", 1, true},
	{"overtemp", "the temperature is too high", 0, false},
};
#define PROTECTIONS (sizeof(protections) / sizeof(protections[0]))

static bool is_lit(const struct assay_settings *s)
{
	return assay_number(s, "emission_current") > 0;
}

bool hiden_status_holds(const struct assay_settings *s, double emission)
{
	double wanted = assay_number(s, "emission_current") * 1000;
	return fabs(emission - wanted) <= EMISSION_LEAST + wanted * EMISSION_MARGIN;
}

static int fetch(struct assay_instrument *ins, const char *device)
{
	struct hiden *st = ins->state;
	double value;
	int r = hiden_get(ins, device, &value);
	size_t room = sizeof(st->status) - st->status_len;
	if (r == 0)
		st->status_len += (size_t)snprintf(
			st->status + st->status_len, room, "%s %.20s\n", device, st->line);
	return r < 0 ? r : 0;
}

int hiden_status_fetch(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	st->status_len = 0;
	int r = fetch(ins, "mode");
	if (r == 0 && is_lit(ins->settings))
		r = fetch(ins, assay_text(ins->settings, "filament"));
	if (r == 0 && is_lit(ins->settings))
		r = fetch(ins, "emission");
	for (size_t i = 0; r == 0 && i < PROTECTIONS; i++)
		if (assay_flag(ins->settings, "status_flags") &&
			(is_lit(ins->settings) || !protections[i].needs_emission))
			r = fetch(ins, protections[i].flag);
	return r;
}

static bool find(const struct assay_host *host, const char *lines, size_t len, const char *device,
	double *out)
{
	size_t n = strlen(device);
	for (size_t at = 0; at < len;) {
		const char *line = lines + at, *end = memchr(line, '\n', len - at);
		size_t size = end != NULL ? (size_t)(end - line) : len - at;
		if (size > n + 1 && memcmp(line, device, n) == 0 && line[n] == ' ')
			return assay_parse_number(host, line + n + 1, size - n - 1, out) == 0;
		at += size + 1;
	}
	return false;
}

static void add(char text[HIDEN_STATUS_MAX], const char *more)
{
	size_t used = strlen(text);
	snprintf(text + used, HIDEN_STATUS_MAX - used, "%s%s", used > 0 ? "; " : "", more);
}

enum assay_quality hiden_status_read(const struct assay_host *host,
	const struct assay_settings *settings, const char *lines, size_t len, int trip,
	char text[HIDEN_STATUS_MAX])
{
	enum assay_quality quality = ASSAY_GOOD;
	double value;
	text[0] = '\0';
	for (size_t i = 0; i < PROTECTIONS; i++) {
		bool is_wrong = find(host, lines, len, protections[i].flag, &value) &&
				value != protections[i].right;
		if (is_wrong || trip == FIRST_TRIP + (int)i)
			add(text, protections[i].text);
	}
	if (trip != 0 && text[0] == '\0') {
		char code[32];
		snprintf(code, sizeof(code), "protection trip *P%03d", trip);
		add(text, code);
	}
	if (is_lit(settings) &&
		(!find(host, lines, len, assay_text(settings, "filament"), &value) || value == 0))
		add(text, "the filament is off");
	if (text[0] != '\0')
		quality = ASSAY_BAD;
	if (is_lit(settings) && find(host, lines, len, "emission", &value) &&
		!hiden_status_holds(settings, value)) {
		char wrong[64];
		snprintf(wrong, sizeof(wrong), "the emission is %g uA", value);
		add(text, wrong);
		quality = quality == ASSAY_GOOD ? ASSAY_SUSPECT : quality;
	}
	return quality;
}
