/* SPDX-License-Identifier: Apache-2.0 */
#include "trigger.h"

#include <string.h>

void trigger_init(const struct assay_settings *settings, struct trigger *trigger)
{
	struct row_common common;
	struct row_walk walk = {.settings = settings, .common = &common, .table = ROW_PARTS};
	memset(trigger, 0, sizeof(*trigger));
	row_common_read(settings, &common);
	while (trigger->count < TRIGGER_PARTS_MAX && row_next(&walk))
		if (assay_has(walk.row, "frame"))
			part_read(&walk, &trigger->parts[trigger->count++]);
}

static bool is_equal(const struct register_value *a, const struct register_value *b)
{
	return a->kind == b->kind && register_number(a) == register_number(b);
}

bool trigger_note(struct trigger *trigger, const struct reply *reply)
{
	bool differs = false;
	struct replies replies = {.list = {*reply}, .count = 1};
	for (size_t i = 0; i < trigger->count; i++) {
		const char *failure;
		struct register_value v = part_value(&replies, &trigger->parts[i], &failure);
		if (v.kind == REGISTER_NOTHING)
			continue; /* of another reply, or no number */
		differs = differs || !is_equal(&v, &trigger->now[i]);
		trigger->now[i] = v;
	}
	return differs;
}

static bool part_fires(
	enum part_frame frame, const struct register_value *last, const struct register_value *now)
{
	if (frame == PART_RISE)
		return register_number(last) == 0 && register_number(now) != 0;
	return !is_equal(last, now);
}

bool trigger_fires(struct trigger *trigger)
{
	bool fires = false;
	for (size_t i = 0; i < trigger->count && trigger->has_last; i++)
		fires = fires ||
			part_fires(trigger->parts[i].frame, &trigger->last[i], &trigger->now[i]);
	if (!fires)
		trigger_accept(trigger);
	return fires;
}

void trigger_accept(struct trigger *trigger)
{
	memcpy(trigger->last, trigger->now, sizeof(trigger->last));
	trigger->has_last = true;
}
