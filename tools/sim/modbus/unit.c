/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "unit.h"

#define NS_PER_S       1000000000
#define BENCH_REGISTER 138
#define BENCH_VALUES   9
#define ZERO_DRIFT     0.002 /* of full scale, one standard deviation */
#define SPAN_DRIFT     0.005

int unit_init(struct modbus_unit *unit, const struct unit_plan *plan, uint8_t id, uint64_t seed)
{
	*unit = (struct modbus_unit){.plan = plan, .id = id};
	gas_init(&unit->stack, seed);
	unit->analyser.state = cycle_at(&plan->cycle, 0);
	unit->analyser.streams = plan->streams;
	unit->analyser.zeroed = unit->analyser.spanned = plan->started;
	memcpy(unit->analyser.shown, unit->stack.value, sizeof unit->analyser.shown);
	image_init(&unit->image, plan->order, plan->address_offset);
	int r = profile_lay_out(plan->profile, plan->extras, &unit->image);
	if (r == 0)
		unit_advance(unit, 0);
	return r;
}

void unit_finish(struct modbus_unit *unit)
{
	image_finish(&unit->image);
}

/* Stores the result of a check that has ended. */
static void note_check(struct modbus_unit *unit, enum cycle_state ended, uint64_t now)
{
	struct analyser *a = &unit->analyser;
	int64_t when = unit->plan->started + (int64_t)(now / NS_PER_S);
	if (ended == CYCLE_ZERO)
		a->zeroed = when;
	else if (ended == CYCLE_CALIBRATING)
		a->spanned = when;
	else
		return;
	double *found = ended == CYCLE_ZERO ? a->zero : a->span;
	double drift = ended == CYCLE_ZERO ? ZERO_DRIFT : SPAN_DRIFT;
	for (int i = 0; i < GAS_COUNT; i++)
		found[i] = drift * gas_range(i) * random_normal(&unit->stack.random);
}

void unit_advance(struct modbus_unit *unit, uint64_t now)
{
	const struct unit_plan *plan = unit->plan;
	struct analyser *a = &unit->analyser;
	enum cycle_state before = a->state;
	a->state = cycle_at(&plan->cycle, (double)now / NS_PER_S);
	bool is_due = now - unit->measured >= plan->interval || now == 0;
	if (before == a->state && !is_due)
		return;
	if (before != a->state)
		note_check(unit, before, now);
	if (is_due && now != 0) {
		if (plan->fixed == UNIT_DRIFTS) {
			gas_advance(&unit->stack, (double)(now - unit->measured) / NS_PER_S);
			if (a->state == CYCLE_NORMAL)
				memcpy(a->shown, unit->stack.value, sizeof a->shown);
		}
		if (a->state == CYCLE_NORMAL)
			a->analyses++;
		unit->measured = now;
	}
	profile_encode(plan->profile, a, &unit->image);
	float bench = 6.25F;
	for (int i = 0; plan->fixed == UNIT_FIXED_BENCH && i < BENCH_VALUES; i++, bench *= 4)
		image_set_float(&unit->image, plan->profile->table,
			(uint16_t)(BENCH_REGISTER + 2 * i), bench);
}
