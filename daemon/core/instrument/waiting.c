/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/instrument/inside.h"
#include "core/instrument/waiting.h"

#define WAIT_NS (5 * NS_PER_S) /* a worker starts and connects */

bool waiting_take(struct instrument *instrument, struct run_request *request)
{
	struct waiting_start *waiting = &instrument->waiting;
	enum machine_state state = instrument->machine.state;
	bool is_stranger = instrument->rejected[0] != '\0' &&
			   strcmp(instrument->rejected, instrument->identity.serial) == 0;
	if (request->mode != CONFIG_ON_DEMAND || request->answer == NULL || is_stranger ||
		(state != MACHINE_CONNECTING && state != MACHINE_FAULT))
		return false;
	waiting->request = *request;
	waiting->deadline = clock_boot() + WAIT_NS;
	waiting->is_set = true;
	*request = (struct run_request){0};
	return true;
}

bool waiting_release(struct instrument *instrument, struct run_request *request)
{
	if (!instrument->waiting.is_set)
		return false;
	*request = instrument->waiting.request;
	instrument->waiting = (struct waiting_start){.is_set = false};
	return true;
}

void waiting_answer(
	struct instrument *instrument, struct run_request *request, int error, const char *why)
{
	audit_text(instrument->all->audit, "run-refused", &request->actor, why);
	run_request_fail(request, error, why);
}

bool waiting_fail(struct instrument *instrument, int error, const char *why)
{
	struct run_request request;
	if (!waiting_release(instrument, &request))
		return false;
	waiting_answer(instrument, &request, error, why);
	return true;
}

void waiting_tick(struct instrument *instrument)
{
	if (!instrument->waiting.is_set || clock_boot() < instrument->waiting.deadline)
		return;
	char why[WIRE_TEXT_MAX + 40];
	snprintf(why, sizeof why, "the instrument is not ready: %s",
		instrument->text[0] != '\0'
			? instrument->text
			: words_name(&words_device_state, (int)instrument->state));
	waiting_fail(instrument, -EAGAIN, why);
}
