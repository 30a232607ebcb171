/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "worker/session.h"
#include "worker/unit.h"

#define FAULTY_SHARE 30 /* units at fault get at most 1 / so much of the port's time */
#define SHORT_SHARE  4  /* of the time of a reply, for most of their attempts, */
#define QUIET_MS     1000
#define WHOLE_EVERY  4 /* except each of so many, for units that are slow */

struct session {
	struct services *services;
	struct module *modules; /* of the units' drivers */
	struct worker_unit *units;
	size_t count, next; /* `next`: the unit after the one that had the last turn */
	bool is_given_up;   /* no unit of the port answers */
	uint64_t faulty_at; /* not before that a unit at fault is tried, if others work */
};

static bool is_over(const struct session *session)
{
	return session->services->commands->quit || session->services->channel->lost ||
	       session->is_given_up;
}

static bool has_working_unit(const struct session *session)
{
	for (size_t i = 0; i < session->count; i++)
		if (!unit_is_at_fault(&session->units[i].state))
			return true;
	return false;
}

/* When the unit is due; a unit at fault leaves the port to those that work. */
static uint64_t due_of(
	const struct session *session, const struct worker_unit *unit, bool has_credit)
{
	uint64_t due = unit_due(unit, has_credit);
	bool waits = unit_is_at_fault(&unit->state) && due < session->faulty_at &&
		     has_working_unit(session);
	return waits ? session->faulty_at : due;
}

/* One turn of a unit.  One that is at fault beside others that work gets little time. */
static void give_turn(struct session *session, struct worker_unit *unit, bool is_due)
{
	struct modbus *modbus = session->services->modbus;
	uint64_t start = clock_boot();
	if (!is_due || !unit_is_at_fault(&unit->state) || !has_working_unit(session)) {
		unit_turn(unit, is_due);
		return;
	}
	/* One that waits for the line has replied. */
	bool is_whole = unit->state.phase == UNIT_IDENTIFY || ++unit->attempts % WHOLE_EVERY == 0;
	if (modbus != NULL && !is_whole)
		modbus_limit(modbus, SHORT_SHARE);
	unit_turn(unit, is_due);
	if (modbus != NULL)
		modbus_limit(modbus, 1);
	uint64_t now = clock_boot();
	session->faulty_at = now + (now - start) * (FAULTY_SHARE - 1);
}

/*
 * Gives one unit its turn if it is due or has a command, and returns 0; else the time when the next
 * unit is due (clock_boot(); UNIT_NEVER: not before a command).  Lock held; released during a turn.
 */
static uint64_t serve(struct session *session)
{
	struct commands *commands = session->services->commands;
	bool has_credit = core_link_has_credit(session->services->core);
	uint64_t earliest = UNIT_NEVER;
	for (size_t i = 0; i < session->count; i++) {
		size_t index = (session->next + i) % session->count;
		struct worker_unit *unit = &session->units[index];
		uint64_t due = due_of(session, unit, has_credit);
		bool is_due = due != UNIT_NEVER && clock_boot() >= due;
		if (!is_due && !commands_has(commands, index, &unit->state)) {
			earliest = due < earliest ? due : earliest;
			continue;
		}
		session->next = index + 1;
		commands_enter(commands, index, unit->state.end == WIRE_END_STOPPED);
		monitor_unlock(commands->monitor);
		give_turn(session, unit, is_due);
		monitor_lock(commands->monitor);
		commands_leave(commands);
		session->is_given_up = true;
		for (size_t k = 0; k < session->count; k++)
			session->is_given_up &= unit_is_given_up(&session->units[k].state);
		return 0;
	}
	return earliest;
}

/* Stops every unit and makes it safe.  The core gets one message about a lost port. */
static enum wire_exit end(struct session *session)
{
	struct channel *channel = session->services->channel;
	bool lost = channel_is_lost(channel), safe = true;
	if (lost) {
		struct buffer message = {0};
		wire_write_state(&message, WIRE_PORT, "fault", "ENODEV", channel->link->why,
			(struct assay_span){NULL, 0});
		core_link_send(session->services->core, &message);
		buffer_finish(&message);
	}
	for (size_t i = 0; i < session->count; i++)
		safe = unit_end(&session->units[i], lost) && safe;
	if (lost && channel->link->is_over)
		return WIRE_EXIT_OVER;
	if (lost || session->is_given_up)
		return WIRE_EXIT_LOST;
	return safe ? WIRE_EXIT_CLEAN : WIRE_EXIT_UNSAFE;
}

enum wire_exit session_run(struct session *session)
{
	struct monitor *monitor = session->services->commands->monitor;
	monitor_lock(monitor);
	while (!is_over(session)) {
		uint64_t due = serve(session);
		if (due > 0)
			monitor_wait(monitor, due);
	}
	monitor_unlock(monitor);
	return end(session);
}

int session_create(const struct wire_setup *setup, struct services *services, struct session **out,
	char why[MODULE_WHY])
{
	struct session *session = calloc(1, sizeof *session);
	if (session != NULL) {
		session->units = calloc(setup->unit_count, sizeof *session->units);
		session->modules = calloc(setup->unit_count, sizeof *session->modules);
	}
	if (session == NULL || session->units == NULL || session->modules == NULL) {
		session_destroy(session);
		snprintf(why, MODULE_WHY, "no memory");
		return -ENOMEM;
	}
	session->services = services;
	if (setup->unit_count > 1 && services->modbus == NULL)
		services->quiet_ms = setup->port.reply_ms > 0 ? (int)setup->port.reply_ms
							      : QUIET_MS;
	for (size_t i = 0; i < setup->unit_count; i++) {
		const struct unit *unit = &setup->units[i];
		struct module *module = &session->modules[i];
		int r = module_open(module, setup->drivers, unit->driver, why);
		if (r == 0) {
			session->count++;
			r = unit_init(&session->units[i], services, (unsigned)i, unit,
				module->driver, setup->port.kind, why);
		}
		if (r < 0) {
			session_destroy(session);
			return r;
		}
	}
	*out = session;
	return 0;
}

void session_destroy(struct session *session)
{
	if (session == NULL)
		return;
	for (size_t i = 0; i < session->count; i++) {
		unit_finish(&session->units[i]);
		module_close(&session->modules[i]);
	}
	free(session->modules);
	free(session->units);
	free(session);
}
