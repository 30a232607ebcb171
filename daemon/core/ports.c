/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "assayd"
#include "base/log.h"
#include "base/loop.h"
#include "core/ports.h"

struct port_group {
	struct list link; /* ports.list */
	struct ports *ports;
	struct supervisor *supervisor;
	struct instrument *instruments[PORT_UNITS_MAX];
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

static int fill(struct ports *ports);

static void on_gone(void *arg)
{
	struct port_group *group = arg;
	struct ports *ports = group->ports;
	group_destroy(group);
	if (!ports->instruments->stopping) {
		if (fill(ports) < 0)
			log_error("cannot start an instrument: out of memory");
	} else if (list_is_empty(&ports->list)) {
		ports->all_gone(ports->arg);
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
	const struct config_instrument *units[PORT_UNITS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < config->instrument_count && count < PORT_UNITS_MAX; i++) {
		if (strcmp(config->instruments[i].port_name, port) == 0)
			units[count++] = &config->instruments[i];
	}
	return count;
}

static struct port_group *find_group(const struct ports *ports, const char *port)
{
	struct port_group *group;
	list_for_each(group, &ports->list, link)
	{
		if (strcmp(group_port(group), port) == 0)
			return group;
	}
	return NULL;
}

/* An instrument that moves to another port waits until it has left the old one. */
static bool is_elsewhere(
	const struct instruments *all, const struct config_instrument *const *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (instrument_find(all, units[i]->key) != NULL)
			return true;
	}
	return false;
}

static int start_group(struct ports *ports, const char *port)
{
	const struct config_instrument *units[PORT_UNITS_MAX];
	struct port_unit members[PORT_UNITS_MAX];
	size_t count = units_of(ports->instruments->config, port, units);
	if (is_elsewhere(ports->instruments, units, count))
		return 0;
	struct port_group *group = calloc(1, sizeof *group);
	if (group == NULL)
		return -ENOMEM;
	group->ports = ports;
	list_append(&ports->list, &group->link);
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = instrument_create(ports->instruments, units[i], &group->instruments[i]);
		if (r < 0)
			break;
		members[i] = (struct port_unit){&instrument_port_ops, group->instruments[i]};
		group->instruments[group->count++]->unit = (unsigned)i;
	}
	if (r == 0)
		r = supervise_start(&ports->host, members, count, &group->supervisor);
	if (r < 0) {
		group_destroy(group);
		return r;
	}
	for (size_t i = 0; i < count; i++)
		instrument_attach(group->instruments[i], group->supervisor);
	return 0;
}

/* Starts every port of the configuration that has no group yet. */
static int fill(struct ports *ports)
{
	const struct config *config = ports->instruments->config;
	int r = 0;
	for (size_t i = 0; r == 0 && i < config->instrument_count; i++) {
		const char *port = config->instruments[i].port_name;
		if (find_group(ports, port) == NULL)
			r = start_group(ports, port);
	}
	return r;
}

static void on_device(void *arg)
{
	const struct ports *ports = arg;
	const struct port_group *group;
	list_for_each(group, &ports->list, link)
	{
		if (!group->stopping)
			supervise_look(group->supervisor);
	}
}

int ports_start_all(struct ports *ports)
{
	/* Without it the back-off finds a device later. */
	int r = loop_add_devices(ports->host.loop, NULL, on_device, ports);
	if (r < 0)
		log_info("udev is not there to report devices: %s", strerror(-r));
	return fill(ports);
}

void ports_stop_all(struct ports *ports)
{
	if (list_is_empty(&ports->list))
		ports->all_gone(ports->arg);
	struct port_group *group;
	list_for_each(group, &ports->list, link) stop_group(group);
}

/* --- change ---------------------------------------------------------------------------------- */

/* A setting changed at run time makes a difference: the files apply again. */
static bool is_same(const struct port_group *group, const struct config *config)
{
	const struct config_instrument *units[PORT_UNITS_MAX];
	if (units_of(config, group_port(group), units) != group->count)
		return false;
	for (size_t i = 0; i < group->count; i++) {
		const struct config_instrument *old = group->instruments[i]->config;
		if (change_is_made(&group->instruments[i]->change) ||
			strcmp(old->key, units[i]->key) != 0 ||
			old->canonical.len != units[i]->canonical.len ||
			memcmp(old->canonical.data, units[i]->canonical.data, old->canonical.len) !=
				0)
			return false;
	}
	return true;
}

/* The instrument of this group that serves a request; NULL: none. */
static const struct instrument *measuring(const struct port_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (instrument_serves_request(group->instruments[i]))
			return group->instruments[i];
	}
	return NULL;
}

const struct instrument *ports_in_the_way(const struct ports *ports, const struct config *config)
{
	const struct port_group *group;
	list_for_each(group, &ports->list, link)
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
		instrument_reconfigure(group->instruments[i],
			config_find(config, group->instruments[i]->config->key));
}

int ports_change(struct ports *ports)
{
	const struct config *config = ports->instruments->config;
	struct port_group *group;
	list_for_each(group, &ports->list, link)
	{
		if (!group->stopping && is_same(group, config))
			keep_group(group, config);
	}
	/* Stopping may finish at once and start a group, so the list is walked again each time. */
	for (bool again = true; again;) {
		again = false;
		list_for_each(group, &ports->list, link)
		{
			if (!group->stopping && !is_same(group, config)) {
				stop_group(group);
				again = true;
				break;
			}
		}
	}
	return fill(ports);
}

bool ports_are_stopping(const struct ports *ports)
{
	const struct port_group *group;
	list_for_each(group, &ports->list, link)
	{
		if (group->stopping)
			return true;
	}
	return false;
}

void ports_finish(struct ports *ports)
{
	struct port_group *group;
	list_for_each(group, &ports->list, link) group_destroy(group);
}
