/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "worker/session.h"
#include "worker/unit.h"

struct session {
	struct services *services;
	struct module *modules; /* of the units' drivers */
	struct worker_unit *units;
	size_t count, next; /* `next`: the unit after the one that had the last turn */
	bool is_given_up;   /* no unit of the port answers */
};

static bool all_are_given_up(const struct session *session)
{
	for (size_t i = 0; i < session->count; i++) {
		if (!unit_is_given_up(&session->units[i].state))
			return false;
	}
	return true;
}

bool session_is_over(const struct session *session)
{
	return session->services->commands->quit || session->services->channel->lost ||
	       session->is_given_up;
}

uint64_t session_serve(struct session *session)
{
	struct commands *commands = session->services->commands;
	bool has_credit = core_link_has_credit(session->services->core);
	uint64_t earliest = UNIT_NEVER;
	for (size_t i = 0; i < session->count; i++) {
		size_t index = (session->next + i) % session->count;
		struct worker_unit *unit = &session->units[index];
		uint64_t due = unit_due(unit, has_credit);
		bool is_due = due != UNIT_NEVER && clock_boot() >= due;
		if (!is_due && !commands_has(commands, index, &unit->state)) {
			earliest = due < earliest ? due : earliest;
			continue;
		}
		session->next = index + 1;
		commands_enter(commands, index, unit->state.end == WIRE_END_STOPPED);
		monitor_unlock(commands->monitor);
		unit_turn(unit, is_due);
		monitor_lock(commands->monitor);
		commands_leave(commands);
		session->is_given_up = all_are_given_up(session);
		return 0;
	}
	return earliest;
}

/* The port is gone: one message for all units. */
static void send_lost(struct session *session)
{
	struct buffer message = {0};
	wire_write_state(&message, WIRE_PORT, "fault", "ENODEV",
		session->services->channel->link->why, (struct assay_span){NULL, 0});
	core_link_send(session->services->core, &message);
	buffer_finish(&message);
}

enum wire_exit session_end(struct session *session)
{
	struct channel *channel = session->services->channel;
	bool lost = channel_is_lost(channel), safe = true;
	if (lost)
		send_lost(session);
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
	while (!session_is_over(session)) {
		uint64_t due = session_serve(session);
		if (due > 0)
			monitor_wait(monitor, due);
	}
	monitor_unlock(monitor);
	return session_end(session);
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
