/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cycle.h"
#include "framework/options.h"

static const char *const names[] = {
	[CYCLE_NORMAL] = "normal",
	[CYCLE_ZERO] = "zero",
	[CYCLE_CALIBRATING] = "calibrating",
	[CYCLE_MAINTENANCE] = "maintenance",
	[CYCLE_FAULT] = "fault",
};

#define STATES (sizeof names / sizeof names[0])

/* One "state:seconds", not NUL-terminated. */
static int parse_step(const char *text, size_t len, struct cycle_step *step)
{
	char part[64];
	if (len >= sizeof part)
		return -EINVAL;
	memcpy(part, text, len);
	part[len] = '\0';
	char *seconds = strchr(part, ':');
	step->seconds = INFINITY;
	if (seconds != NULL) {
		*seconds++ = '\0';
		if (number_parse(seconds, &step->seconds) < 0 || step->seconds <= 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < STATES; i++) {
		if (strcmp(part, names[i]) == 0) {
			step->state = (enum cycle_state)i;
			return 0;
		}
	}
	return -EINVAL;
}

int cycle_parse(struct cycle *cycle, const char *text)
{
	*cycle = (struct cycle){0};
	for (;;) {
		size_t len = strcspn(text, ",");
		if (cycle->n == CYCLE_STEPS_MAX ||
			parse_step(text, len, &cycle->steps[cycle->n]) < 0)
			return -EINVAL;
		cycle->period += cycle->steps[cycle->n++].seconds;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

enum cycle_state cycle_at(const struct cycle *cycle, double seconds)
{
	if (cycle->n == 0)
		return CYCLE_NORMAL;
	double at = isinf(cycle->period) ? seconds : fmod(seconds, cycle->period);
	for (size_t i = 0; i < cycle->n; i++) {
		if (at < cycle->steps[i].seconds)
			return cycle->steps[i].state;
		at -= cycle->steps[i].seconds;
	}
	return cycle->steps[cycle->n - 1].state;
}

const char *cycle_state_name(enum cycle_state state)
{
	return names[state];
}
