/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "worker/commands.h"

#define BIT(event) (1u << (event))

int commands_init(
	struct commands *commands, struct monitor *monitor, struct channel *channel, size_t units)
{
	*commands = (struct commands){
		.monitor = monitor, .channel = channel, .count = units, .current = -1};
	commands->units = calloc(units, sizeof *commands->units);
	return commands->units != NULL ? 0 : -ENOMEM;
}

void commands_finish(struct commands *commands)
{
	for (size_t i = 0; i < commands->count && commands->units != NULL; i++) {
		start_finish(&commands->units[i].start);
		buffer_finish(&commands->units[i].own.settings);
	}
	free(commands->units);
	commands->units = NULL;
}

void start_finish(struct start *start)
{
	buffer_finish(&start->step);
	buffer_finish(&start->settings);
	buffer_finish(&start->holds);
	buffer_finish(&start->references);
}

/* --- the I/O thread --------------------------------------------------------------------------- */

static int take_start(struct unit_commands *unit, const struct wire_message *message)
{
	struct wire_start start;
	int r = wire_read_start(message, &start);
	if (r < 0 || (unit->pending & BIT(UNIT_ON_START)) != 0)
		return -EBADMSG;
	start_finish(&unit->start);
	unit->start = (struct start){
		.mode = start.mode, .every_ns = start.every_ns, .frames = start.frames};
	buffer_append(&unit->start.step, start.step.data, start.step.len);
	buffer_append(&unit->start.settings, start.settings.data, start.settings.len);
	buffer_append(&unit->start.holds, start.holds.data, start.holds.len);
	buffer_append(&unit->start.references, start.references.data, start.references.len);
	if (unit->start.step.failed || unit->start.settings.failed || unit->start.holds.failed ||
		unit->start.references.failed)
		return -ENOMEM;
	unit->after_start = 0;
	unit->pending |= BIT(UNIT_ON_START);
	return 0;
}

/* Settings of its own, with the command that brings them. */
static int take_own(
	struct unit_commands *unit, struct assay_span settings, bool look, enum unit_event event)
{
	buffer_reset(&unit->own.settings);
	buffer_append(&unit->own.settings, settings.data, settings.len);
	unit->own.look = look;
	unit->pending |= BIT(event);
	return unit->own.settings.failed ? -ENOMEM : 0;
}

/* STOP and ABORT mean the pending START, else the run under way, whose slot they interrupt. */
static void interrupt(struct commands *commands, unsigned index, enum unit_event event)
{
	struct unit_commands *unit = &commands->units[index];
	if ((unit->pending & BIT(UNIT_ON_START)) != 0) {
		unit->after_start |= BIT(event);
		return;
	}
	unit->pending |= BIT(event);
	if (commands->current == (int)index) {
		commands->channel->stopping = true;
		if (event == UNIT_ON_ABORT)
			commands->channel->cancelled = true;
	}
}

static int take_command(struct commands *commands, const struct wire_message *message)
{
	struct wire_go go;
	struct assay_string text;
	if (message->unit >= commands->count)
		return -EBADMSG;
	struct unit_commands *unit = &commands->units[message->unit];
	switch (message->type) {
	case WIRE_GO:
		if (wire_read_go(message, &go) < 0)
			return -EBADMSG;
		return take_own(unit, go.settings, go.look, go.safe ? UNIT_ON_GO_SAFE : UNIT_ON_GO);
	case WIRE_CONFIGURE:
		if (wire_read_go(message, &go) < 0)
			return -EBADMSG;
		return take_own(unit, go.settings, go.look, UNIT_ON_CONFIGURE);
	case WIRE_REFUSE:
		if (wire_read_refuse(message, &text) < 0)
			return -EBADMSG;
		unit->pending |= BIT(UNIT_ON_REFUSE);
		return 0;
	case WIRE_START: return take_start(unit, message);
	case WIRE_STOP: interrupt(commands, message->unit, UNIT_ON_STOP); return 0;
	case WIRE_ABORT: interrupt(commands, message->unit, UNIT_ON_ABORT); return 0;
	default: return -EBADMSG;
	}
}

int commands_take_message(struct commands *commands, const struct wire_message *message)
{
	monitor_lock(commands->monitor);
	int r = take_command(commands, message);
	monitor_notify(commands->monitor);
	monitor_unlock(commands->monitor);
	return r;
}

void commands_quit(struct commands *commands)
{
	monitor_lock(commands->monitor);
	commands->quit = true;
	for (size_t i = 0; i < commands->count; i++)
		commands->units[i].pending |= BIT(UNIT_ON_QUIT);
	if (commands->current >= 0)
		commands->channel->stopping = commands->channel->cancelled = true;
	monitor_notify(commands->monitor);
	monitor_kick(commands->monitor); /* ends an exchange that waits */
	monitor_unlock(commands->monitor);
}

/* --- the driver's thread ---------------------------------------------------------------------- */

/* The next pending event that the unit takes; UNIT_EVENTS: none. */
static enum unit_event next(const struct unit_commands *unit, const struct unit_state *state)
{
	unsigned pending = atomic_load(&unit->pending);
	for (unsigned event = 0; pending >> event != 0; event++) {
		if ((pending >> event & 1) != 0 && unit_takes(state, event))
			return event;
	}
	return UNIT_EVENTS;
}

bool commands_has(struct commands *commands, size_t unit, const struct unit_state *state)
{
	return next(&commands->units[unit], state) != UNIT_EVENTS;
}

bool commands_has_cut(struct commands *commands, size_t unit)
{
	return (commands->units[unit].pending & (BIT(UNIT_ON_ABORT) | BIT(UNIT_ON_QUIT))) != 0;
}

bool commands_take(struct commands *commands, size_t index, const struct unit_state *state,
	enum unit_event *event, struct start *start, struct own *own)
{
	struct unit_commands *unit = &commands->units[index];
	*event = next(unit, state);
	if (*event == UNIT_EVENTS)
		return false;
	monitor_lock(commands->monitor);
	unit->pending &= ~BIT(*event);
	if (*event == UNIT_ON_START) {
		unit->pending |= unit->after_start;
		start_finish(start);
		*start = unit->start;
		unit->start = (struct start){0};
	} else if (*event == UNIT_ON_GO || *event == UNIT_ON_GO_SAFE ||
		   *event == UNIT_ON_CONFIGURE) {
		buffer_finish(&own->settings);
		*own = unit->own;
		unit->own = (struct own){0};
	}
	monitor_unlock(commands->monitor);
	return true;
}

void commands_enter(struct commands *commands, size_t unit, bool stopping)
{
	bool is_cut = commands_has_cut(commands, unit);
	bool has_stop = (commands->units[unit].pending & BIT(UNIT_ON_STOP)) != 0;
	commands->current = (int)unit;
	commands->channel->cancelled = is_cut;
	commands->channel->stopping = stopping || is_cut || has_stop;
}

void commands_leave(struct commands *commands)
{
	commands->current = -1;
	commands->channel->stopping = commands->channel->cancelled = false;
}
