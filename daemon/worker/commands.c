/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "worker/commands.h"

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
	for (size_t i = 0; i < commands->count && commands->units != NULL; i++)
		start_finish(&commands->units[i].start);
	free(commands->units);
	commands->units = NULL;
}

void start_finish(struct start *start)
{
	buffer_finish(&start->step);
	buffer_finish(&start->settings);
}

/* --- the I/O thread --------------------------------------------------------------------------- */

static int take_go(struct unit_commands *pending, const struct wire_message *message)
{
	struct wire_go go;
	int r = wire_read_go(message, &go);
	pending->go = r == 0;
	pending->safe = r == 0 && go.safe;
	return r;
}

static int take_refuse(struct unit_commands *pending, const struct wire_message *message)
{
	struct assay_string text;
	int r = wire_read_refuse(message, &text);
	pending->refused = r == 0;
	return r;
}

static int take_start(struct unit_commands *pending, const struct wire_message *message)
{
	struct wire_start start;
	int r = wire_read_start(message, &start);
	if (r < 0 || pending->started)
		return -EBADMSG;
	start_finish(&pending->start);
	pending->start = (struct start){
		.mode = start.mode, .every_ns = start.every_ns, .frames = start.frames};
	buffer_append(&pending->start.step, start.step.data, start.step.len);
	buffer_append(&pending->start.settings, start.settings.data, start.settings.len);
	if (pending->start.step.failed || pending->start.settings.failed)
		return -ENOMEM;
	pending->started = true;
	pending->start_stop = pending->start_abort = false;
	return 0;
}

/* Stop and abort mean the START that stands, else the run under way, whose slot they reach. */
static int interrupt(struct commands *commands, size_t unit, bool abort)
{
	struct unit_commands *pending = &commands->units[unit];
	if (pending->started) {
		pending->start_stop = true;
		pending->start_abort = pending->start_abort || abort;
		return 0;
	}
	pending->stop = true;
	pending->abort = pending->abort || abort;
	if (commands->current == (int)unit) {
		commands->channel->stopping = true;
		commands->channel->cancelled = commands->channel->cancelled || abort;
	}
	return 0;
}

static int take_order(struct commands *commands, const struct wire_message *message)
{
	if (message->unit >= commands->count)
		return -EBADMSG;
	struct unit_commands *pending = &commands->units[message->unit];
	switch (message->type) {
	case WIRE_GO: return take_go(pending, message);
	case WIRE_REFUSE: return take_refuse(pending, message);
	case WIRE_START: return take_start(pending, message);
	case WIRE_STOP: return interrupt(commands, message->unit, false);
	case WIRE_ABORT: return interrupt(commands, message->unit, true);
	default: return -EBADMSG;
	}
}

int commands_take_message(struct commands *commands, const struct wire_message *message)
{
	monitor_lock(commands->monitor);
	int r = take_order(commands, message);
	monitor_notify(commands->monitor);
	monitor_unlock(commands->monitor);
	return r;
}

void commands_quit(struct commands *commands)
{
	monitor_lock(commands->monitor);
	commands->quit = true;
	if (commands->current >= 0)
		commands->channel->stopping = commands->channel->cancelled = true;
	monitor_notify(commands->monitor);
	monitor_kick(commands->monitor); /* an exchange that waits is to be ended */
	monitor_unlock(commands->monitor);
}

/* --- the driver's thread ---------------------------------------------------------------------- */

void commands_enter(struct commands *commands, size_t unit)
{
	monitor_lock(commands->monitor);
	const struct unit_commands *pending = &commands->units[unit];
	commands->current = (int)unit;
	commands->channel->stopping = pending->stop || commands->quit;
	commands->channel->cancelled = pending->abort || commands->quit;
	monitor_unlock(commands->monitor);
}

void commands_leave(struct commands *commands)
{
	monitor_lock(commands->monitor);
	commands->current = -1;
	commands->channel->stopping = commands->channel->cancelled = false;
	monitor_unlock(commands->monitor);
}

bool commands_is_aborted(struct commands *commands, size_t unit)
{
	monitor_lock(commands->monitor);
	bool aborted = commands->units[unit].abort || commands->quit;
	monitor_unlock(commands->monitor);
	return aborted;
}

bool commands_is_stopped(struct commands *commands, size_t unit)
{
	monitor_lock(commands->monitor);
	bool stopped = commands->units[unit].stop || commands->quit;
	monitor_unlock(commands->monitor);
	return stopped;
}

bool commands_is_quit(struct commands *commands)
{
	monitor_lock(commands->monitor);
	bool quit = commands->quit;
	monitor_unlock(commands->monitor);
	return quit;
}

void commands_clear_run(struct commands *commands, size_t unit)
{
	monitor_lock(commands->monitor);
	commands->units[unit].stop = commands->units[unit].abort = false;
	monitor_unlock(commands->monitor);
}

bool commands_take_start(struct commands *commands, size_t unit, struct start *start)
{
	monitor_lock(commands->monitor);
	struct unit_commands *pending = &commands->units[unit];
	bool taken = pending->started;
	if (taken) {
		start_finish(start);
		*start = pending->start;
		pending->start = (struct start){0};
		pending->started = false;
		pending->stop = pending->start_stop;
		pending->abort = pending->start_abort;
	}
	monitor_unlock(commands->monitor);
	return taken;
}

int commands_take_answer(struct commands *commands, size_t unit, bool *safe)
{
	monitor_lock(commands->monitor);
	struct unit_commands *pending = &commands->units[unit];
	int answer = pending->refused ? -1 : pending->go ? 1 : 0;
	*safe = pending->safe;
	pending->refused = pending->go = pending->safe = false;
	monitor_unlock(commands->monitor);
	return answer;
}

void commands_clear_answer(struct commands *commands, size_t unit)
{
	bool safe;
	(void)commands_take_answer(commands, unit, &safe);
}
