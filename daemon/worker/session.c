/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "worker/unit.h"
#include "worker/session.h"

struct session {
	struct services *services;
	struct worker_unit *units;
	size_t count;
};

/* Sleeps until somebody's turn has come; the earliest due, NULL: everything is to end. */
static struct worker_unit *await_turn(struct session *session)
{
	struct commands *commands = session->services->commands;
	struct monitor *monitor = commands->monitor;
	struct worker_unit *next = NULL;
	monitor_lock(monitor);
	while (!commands->quit && !session->services->channel->lost) {
		uint64_t earliest = UNIT_NEVER;
		for (size_t i = 0; i < session->count; i++) {
			uint64_t due = unit_due(&session->units[i], &commands->units[i]);
			if (due < earliest) {
				earliest = due;
				next = &session->units[i];
			}
		}
		if (earliest != UNIT_NEVER && clock_boot() >= earliest)
			break;
		next = NULL;
		monitor_wait(monitor, earliest);
	}
	bool over = commands->quit || session->services->channel->lost;
	monitor_unlock(monitor);
	return over ? NULL : next;
}

/* The port is gone: told once, for all units. */
static void tell_lost(struct session *session)
{
	struct buffer message = {0};
	wire_write_state(&message, WIRE_PORT, "fault", "ENODEV",
		session->services->channel->link->why, (struct assay_span){NULL, 0});
	core_link_send(session->services->core, &message);
	buffer_finish(&message);
	for (size_t i = 0; i < session->count; i++)
		session->units[i].is_faulty = true;
}

/* Nobody answers any more: perhaps it is the port, and opening it anew helps. */
static bool is_given_up(const struct session *session)
{
	for (size_t i = 0; i < session->count; i++) {
		if (!unit_is_given_up(&session->units[i]))
			return false;
	}
	return true;
}

enum wire_exit session_run(struct session *session)
{
	struct worker_unit *unit;
	bool given_up = false;
	while (!given_up && (unit = await_turn(session)) != NULL) {
		unit_turn(unit);
		given_up = is_given_up(session);
	}
	bool lost = channel_is_lost(session->services->channel), safe = true;
	if (lost)
		tell_lost(session);
	for (size_t i = 0; i < session->count; i++)
		safe = unit_end(&session->units[i], lost) && safe;
	if (lost && session->services->channel->link->is_over)
		return WIRE_EXIT_OVER;
	if (lost || given_up)
		return WIRE_EXIT_LOST;
	return safe ? WIRE_EXIT_CLEAN : WIRE_EXIT_UNSAFE;
}

int session_create(const struct wire_setup *setup, struct services *services, struct session **out,
	char why[MODULE_WHY])
{
	*out = NULL;
	struct session *session = calloc(1, sizeof *session);
	if (session != NULL)
		session->units = calloc(setup->unit_count, sizeof *session->units);
	if (session == NULL || session->units == NULL) {
		free(session);
		snprintf(why, MODULE_WHY, "no memory");
		return -ENOMEM;
	}
	session->services = services;
	for (size_t i = 0; i < setup->unit_count; i++) {
		session->count++;
		int r = device_init(&session->units[i].device, services, (unsigned)i,
			&setup->units[i], setup->drivers, setup->port.kind, why);
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
	for (size_t i = 0; i < session->count; i++)
		unit_finish(&session->units[i]);
	free(session->units);
	free(session);
}
