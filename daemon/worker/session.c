/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "worker/life.h"
#include "worker/session.h"

struct session {
	struct services *services;
	struct life *lives;
	size_t count;
};

/* Sleeps until somebody's turn has come; the earliest due, NULL: everything is to end. */
static struct life *await_turn(struct session *session)
{
	struct orders *orders = session->services->orders;
	struct monitor *monitor = orders->monitor;
	struct life *next = NULL;
	monitor_lock(monitor);
	while (!orders->quit && !session->services->channel->lost) {
		uint64_t earliest = LIFE_NEVER;
		for (size_t i = 0; i < session->count; i++) {
			uint64_t due = life_due(&session->lives[i], &orders->units[i]);
			if (due < earliest) {
				earliest = due;
				next = &session->lives[i];
			}
		}
		if (earliest != LIFE_NEVER && clock_boot() >= earliest)
			break;
		next = NULL;
		monitor_wait(monitor, earliest);
	}
	bool over = orders->quit || session->services->channel->lost;
	monitor_unlock(monitor);
	return over ? NULL : next;
}

/* The port is gone: told once, for all units. */
static void tell_lost(struct session *session)
{
	struct buffer message = {0};
	wire_write_state(&message, WIRE_PORT, "fault", "ENODEV",
		session->services->channel->link->why, (struct wire_bytes){NULL, 0});
	outlet_send(session->services->outlet, &message);
	buffer_finish(&message);
	for (size_t i = 0; i < session->count; i++)
		session->lives[i].is_faulty = true;
}

/* Nobody answers any more: perhaps it is the port, and opening it anew helps. */
static bool is_given_up(const struct session *session)
{
	for (size_t i = 0; i < session->count; i++) {
		if (!life_is_given_up(&session->lives[i]))
			return false;
	}
	return true;
}

enum wire_exit session_run(struct session *session)
{
	struct life *life;
	bool given_up = false;
	while (!given_up && (life = await_turn(session)) != NULL) {
		life_turn(life);
		given_up = is_given_up(session);
	}
	bool lost = channel_is_lost(session->services->channel), safe = true;
	if (lost)
		tell_lost(session);
	for (size_t i = 0; i < session->count; i++)
		safe = life_end(&session->lives[i], lost) && safe;
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
		session->lives = calloc(setup->unit_count, sizeof *session->lives);
	if (session == NULL || session->lives == NULL) {
		free(session);
		snprintf(why, MODULE_WHY, "no memory");
		return -ENOMEM;
	}
	session->services = services;
	for (size_t i = 0; i < setup->unit_count; i++) {
		session->count++;
		int r = instrument_init(&session->lives[i].instrument, services, (unsigned)i,
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
		life_finish(&session->lives[i]);
	free(session->lives);
	free(session);
}
