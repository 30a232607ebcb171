/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

enum value_kind { PROBABILITY, RATE, OUTAGE };

static const struct {
	const char *name, *accepts;
	enum value_kind kind;
} table[FAULT_COUNT] = {
	[FAULT_GARBAGE] = {"garbage", "bursts per second from 0 to 1000, or off", RATE},
	[FAULT_STALE] = {"stale", "a probability from 0 to 1, or off", PROBABILITY},
	[FAULT_DISCONNECT] = {"disconnect", "nothing, on, a duration such as 5s, or off", OUTAGE},
	[FAULT_WRONG_IDENTITY] = {"wrong-identity", "nothing, on, a probability, or off",
		PROBABILITY},
	[FAULT_BUSY] = {"busy", "nothing, on, a probability, or off", PROBABILITY},
	[FAULT_SHARE] = {"share", "nothing, on, a probability, or off", PROBABILITY},
	[FAULT_STALL] = {"stall", "nothing, on, a probability, or off", PROBABILITY},
};

static int read_strength(enum sim_fault fault, const char *value, double *strength)
{
	uint64_t ns;
	if (*value == '\0' || strcmp(value, "on") == 0) {
		*strength = 1;
		return fault >= FAULT_DISCONNECT ? 0 : -EINVAL; /* the others need a value */
	}
	if (strcmp(value, "off") == 0) {
		*strength = 0;
		return 0;
	}
	if (table[fault].kind == OUTAGE) {
		int r = duration_parse(value, &ns);
		*strength = r == 0 ? (double)ns : 0;
		return r;
	}
	double limit = table[fault].kind == RATE ? 1000 : 1;
	if (number_parse(value, strength) < 0 || *strength < 0 || *strength > limit)
		return -EINVAL;
	return 0;
}

int fault_set(struct sim_faults *faults, const char *text, uint64_t now, char *error, size_t size)
{
	if (strcmp(text, "off") == 0) {
		*faults = (struct sim_faults){0};
		return 0;
	}
	size_t len = strcspn(text, "=");
	const char *value = text[len] == '=' ? text + len + 1 : "";
	for (enum sim_fault i = 0; i < FAULT_COUNT; i++) {
		if (strlen(table[i].name) != len || memcmp(table[i].name, text, len) != 0)
			continue;
		double strength;
		bool bare_equals = text[len] == '=' && *value == '\0';
		if (bare_equals || read_strength(i, value, &strength) < 0) {
			snprintf(error, size, "fault %s: %s accepts %s", text, table[i].name,
				table[i].accepts);
			return -EINVAL;
		}
		faults->strength[i] = strength;
		if (i == FAULT_DISCONNECT) {
			faults->disconnect_timed = *value >= '0' && *value <= '9';
			faults->disconnect_until = faults->disconnect_timed
							   ? now + (uint64_t)strength
							   : 0;
			faults->strength[i] = strength > 0;
		}
		return 0;
	}
	int n = snprintf(error, size, "fault %s: unknown; accepted are off", text);
	for (int i = 0; i < FAULT_COUNT && n > 0 && (size_t)n < size; i++)
		n += snprintf(error + n, size - (size_t)n, ", %s", table[i].name);
	return -EINVAL;
}

void fault_print(const struct sim_faults *faults, char *text, size_t size)
{
	int n = snprintf(text, size, "off");
	bool any = false;
	for (enum sim_fault i = 0; i < FAULT_COUNT; i++) {
		if (faults->strength[i] <= 0)
			continue;
		if (!any)
			n = 0;
		n += snprintf(text + n, size - (size_t)n, "%s%s", any ? " " : "", table[i].name);
		if ((size_t)n >= size)
			return;
		if (table[i].kind != OUTAGE)
			n += snprintf(text + n, size - (size_t)n, "=%g", faults->strength[i]);
		if ((size_t)n >= size)
			return;
		any = true;
	}
}

bool fault_strikes(
	struct sim_faults *faults, enum sim_fault fault, struct sim_random *random, uint64_t now)
{
	if (fault == FAULT_DISCONNECT) {
		if (faults->disconnect_timed && now >= faults->disconnect_until)
			faults->strength[fault] = 0;
		return faults->strength[fault] > 0;
	}
	return random_chance(random, faults->strength[fault]);
}
