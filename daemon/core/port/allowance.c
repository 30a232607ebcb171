/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#define LOG_TOPIC "worker"
#include "base/log.h"
#include "core/port/allowance.h"

#define CREDIT_STEP (1u << 20)

/* Messages that become records or log lines: of a worker at once, and of each unit in a second. */
#define RECORDS_BURST  2000
#define RECORDS_SECOND 100

void allowance_begin(struct allowance *a, uint64_t credit_late)
{
	*a = (struct allowance){
		.granted = WIRE_PAYLOAD_MAX + WIRE_HEAD_BYTES + CREDIT_STEP + credit_late,
		.held = a->held,
		.former = a->held,
		.records = RECORDS_BURST,
	};
}

void allowance_end(struct allowance *a)
{
	a->is_waiting = false;
	a->records = SIZE_MAX;
}

bool allowance_spend(struct allowance *a, size_t bytes)
{
	bool may = bytes <= a->granted;
	a->granted -= may ? bytes : 0;
	return may;
}

void allowance_return(struct allowance *a, uint64_t bytes)
{
	assert(a->held > 0);
	a->held--;
	if (a->former > 0)
		a->former--;
	else
		a->credit += bytes;
}

uint64_t allowance_grant(struct allowance *a)
{
	uint64_t credit = a->credit >= CREDIT_STEP ? a->credit : 0;
	a->granted += credit;
	a->credit -= credit;
	return credit;
}

bool allowance_admits(struct allowance *a, enum wire_type type, const char *key)
{
	if (type == WIRE_FRAME || type == WIRE_BEAT || type == WIRE_CAPTURED)
		return true;
	if (a->records > 0) {
		a->records--;
		return true;
	}
	if (a->waited == 0)
		log_warn("%s: the worker reports more than %d changes a second and has to wait",
			key, RECORDS_SECOND);
	a->waited++;
	a->is_waiting = true;
	return false;
}

bool allowance_renew(struct allowance *a, size_t units, const char *key)
{
	bool was_waiting = a->is_waiting;
	a->records += RECORDS_SECOND * units;
	if (a->records >= RECORDS_BURST) {
		a->records = RECORDS_BURST;
		if (a->waited > 0)
			log_info("%s: the worker had to wait in %u seconds", key, a->waited);
		a->waited = 0;
	}
	a->is_waiting = false;
	return was_waiting;
}
