/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "assayd"
#include "base/log.h"
#include "core/instrument/instrument.h"
#include "core/ports.h"
#include "core/port/supervise.h"

#define UNITS_MAX 64 /* instruments on one port */

struct port_group {
	struct list link; /* core.ports */
	struct core *core;
	struct supervisor *supervisor;
	struct instrument *instruments[UNITS_MAX];
	size_t count;
	bool stopping;
};

static const char *group_port(const struct port_group *group)
{
	return group->instruments[0]->config->port_name;
}

static void group_destroy(struct port_group *group)
{
	list_remove(&group->link);
	for (size_t i = 0; i < group->count; i++)
		instrument_destroy(group->instruments[i]);
	free(group);
}

static int fill_ports(struct core *core);

static void on_gone(void *arg)
{
	struct port_group *group = arg;
	struct core *core = group->core;
	group_destroy(group);
	if (!core->stopping) {
		if (fill_ports(core) < 0)
			log_error("an instrument cannot be started: no memory");
	} else if (list_is_empty(&core->ports)) {
		loop_stop(core->loop, 0);
	}
}

static void stop_group(struct port_group *group)
{
	if (group->stopping)
		return;
	group->stopping = true;
	supervise_stop(group->supervisor, on_gone, group);
}

/* Collects the instruments of `config` on one port, in the order of the configuration. */
static size_t units_of(const struct config *config, const char *port,
	const struct config_instrument *units[UNITS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < config->instrument_count && count < UNITS_MAX; i++) {
		if (strcmp(config->instruments[i].port_name, port) == 0)
			units[count++] = &config->instruments[i];
	}
	return count;
}

static struct port_group *find_group(const struct core *core, const char *port)
{
	struct port_group *group;
	list_for_each(group, &core->ports, link)
	{
		if (strcmp(group_port(group), port) == 0)
			return group;
	}
	return NULL;
}

/* An instrument that moves to another port waits until it has left the old one. */
static bool is_elsewhere(
	struct core *core, const struct config_instrument *const *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (instrument_find(core, units[i]->key) != NULL)
			return true;
	}
	return false;
}

static int start_group(struct core *core, const char *port)
{
	const struct config_instrument *units[UNITS_MAX];
	size_t count = units_of(core->config, port, units);
	if (is_elsewhere(core, units, count))
		return 0;
	struct port_group *group = calloc(1, sizeof *group);
	if (group == NULL)
		return -ENOMEM;
	group->core = core;
	list_append(&core->ports, &group->link);
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = instrument_create(core, units[i], &group->instruments[i]);
		if (r == 0)
			group->instruments[group->count++]->unit = (unsigned)i;
	}
	if (r == 0)
		r = supervise_start(core, group->instruments, count, &group->supervisor);
	if (r < 0) {
		group_destroy(group);
		return r;
	}
	for (size_t i = 0; i < count; i++)
		instrument_attach(group->instruments[i], group->supervisor);
	return 0;
}

/* Starts every port of the configuration that has no group yet. */
static int fill_ports(struct core *core)
{
	for (size_t i = 0; i < core->config->instrument_count; i++) {
		const char *port = core->config->instruments[i].port_name;
		int r = find_group(core, port) != NULL ? 0 : start_group(core, port);
		if (r < 0)
			return r;
	}
	return 0;
}

int ports_start_all(struct core *core)
{
	return fill_ports(core);
}

void ports_stop_all(struct core *core)
{
	if (list_is_empty(&core->ports))
		loop_stop(core->loop, 0);
	struct port_group *group;
	list_for_each(group, &core->ports, link) stop_group(group);
}

/* --- change ---------------------------------------------------------------------------------- */

/* A setting that was changed meanwhile is as in the files again. */
static bool is_same(const struct port_group *group, const struct config *config)
{
	const struct config_instrument *units[UNITS_MAX];
	if (units_of(config, group_port(group), units) != group->count)
		return false;
	for (size_t i = 0; i < group->count; i++) {
		const struct config_instrument *old = group->instruments[i]->config;
		if (change_is_made(group->instruments[i]) || strcmp(old->key, units[i]->key) != 0 ||
			old->canonical_len != units[i]->canonical_len ||
			memcmp(old->canonical, units[i]->canonical, old->canonical_len) != 0)
			return false;
	}
	return true;
}

/* The instrument of this group whose on-demand run is open; NULL: none. */
static const struct instrument *measuring(const struct port_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct instrument *instrument = group->instruments[i];
		bool armed = instrument->state == DEVICE_STATE_ARMED;
		if (instrument->config->acquire.mode == CONFIG_ON_DEMAND &&
			(instrument->run != NULL || armed))
			return instrument;
	}
	return NULL;
}

static const struct instrument *in_the_way(const struct core *core, const struct config *config)
{
	const struct port_group *group;
	list_for_each(group, &core->ports, link)
	{
		const struct instrument *instrument = measuring(group);
		if (instrument != NULL && !is_same(group, config))
			return instrument;
	}
	return NULL;
}

static void keep_group(struct port_group *group, const struct config *config)
{
	for (size_t i = 0; i < group->count; i++)
		group->instruments[i]->config = config_find(
			config, group->instruments[i]->config->key);
}

int ports_change(struct core *core, struct config *config, bool now, char **text)
{
	const struct instrument *busy = now ? NULL : in_the_way(core, config);
	if (busy != NULL) {
		if (asprintf(text, "a run is open on %s: wait for its end, or say now",
			    busy->config->key) < 0)
			*text = NULL;
		return -EBUSY;
	}
	struct config **retired = realloc(
		core->retired, (core->retired_count + 1) * sizeof *retired);
	if (retired == NULL)
		return -ENOMEM;
	core->retired = retired;
	core->retired[core->retired_count++] = core->config;
	core->config = config;
	struct port_group *group;
	list_for_each(group, &core->ports, link)
	{
		if (!group->stopping && is_same(group, config))
			keep_group(group, config);
	}
	/* Stopping may end at once and start a group again, so the list is walked anew each time. */
	for (bool again = true; again;) {
		again = false;
		list_for_each(group, &core->ports, link)
		{
			if (!group->stopping && !is_same(group, config)) {
				stop_group(group);
				again = true;
				break;
			}
		}
	}
	return fill_ports(core);
}

static bool is_referred_to(const struct core *core)
{
	const struct port_group *group;
	list_for_each(group, &core->ports, link)
	{
		if (group->stopping)
			return true;
	}
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		size_t step;
		if (instrument->request.method != NULL ||
			(instrument->run != NULL && run_method(instrument->run, &step) != NULL))
			return true;
	}
	return false;
}

void ports_release_retired(struct core *core)
{
	if (core->retired_count == 0 || is_referred_to(core))
		return;
	while (core->retired_count > 0)
		config_destroy(core->retired[--core->retired_count]);
}

void ports_finish(struct core *core)
{
	struct port_group *group;
	list_for_each(group, &core->ports, link) group_destroy(group);
	ports_release_retired(core);
	free(core->retired);
}
