/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock-state.h"

/* The kernel adds 500 ppm to its greatest error until the clock is disciplined again. */
#define DRIFT_SHARE 2000

struct clock_state clock_state_read(void)
{
	/* phc2sys and chronyd set the same kernel flags: ptp cannot be told from ntp. */
	struct timex now = {.modes = 0};
	int r = adjtimex(&now);
	bool good = r >= 0 && r != TIME_ERROR && (now.status & STA_UNSYNC) == 0;
	return (struct clock_state){.boot = clock_boot(),
		.unc = good && now.maxerror > 0 ? (uint64_t)now.maxerror * 1000 : 0,
		.is_synchronised = good};
}

int clock_state_format(char text[CLOCK_STATE_TEXT], const struct clock_state *state)
{
	return snprintf(text, CLOCK_STATE_TEXT,
		"synchronised=%d unc=%020" PRIu64 " boot=%020" PRIu64 "\n", state->is_synchronised,
		state->unc, state->boot);
}

static bool parse(struct clock_state *state, const char *text)
{
	char same[CLOCK_STATE_TEXT];
	int is_synchronised = 0;
	if (sscanf(text, "synchronised=%1d unc=%20" SCNu64 " boot=%20" SCNu64, &is_synchronised,
		    &state->unc, &state->boot) != 3)
		return false;
	state->is_synchronised = is_synchronised != 0;
	clock_state_format(same, state);
	return strcmp(text, same) == 0;
}

struct clock_state clock_state_load(const char *path)
{
	static const struct clock_state unknown = {.is_unknown = true};
	struct clock_state state = {0};
	char text[CLOCK_STATE_TEXT + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, text, CLOCK_STATE_TEXT) : -1;
	if (fd >= 0)
		close(fd);
	uint64_t now = clock_boot();
	if (n <= 0 || !parse(&state, text) || state.boot > now ||
		now - state.boot > CLOCK_STATE_VALID)
		return unknown;
	if (state.unc != 0)
		state.unc += (now - state.boot) / DRIFT_SHARE;
	return state;
}
