/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups the instruments by port, one supervisor each, and changes the groups when the
 * configuration changes.
 */
#ifndef ASSAY_CORE_PORTS_H
#define ASSAY_CORE_PORTS_H

#include "core/instrument/instrument.h"
#include "core/port/supervise.h"

struct ports {
	struct list list; /* struct port_group.link */
	struct port_host host;
	struct instruments *instruments; /* borrowed */
	void (*all_gone)(void *arg);     /* after ports_stop_all(): the last worker is gone */
	void *arg;
};

/* Makes the instruments of instruments->config that have no port yet.  0 or -ENOMEM. */
int ports_start_all(struct ports *ports);

/* Stops every worker; calls all_gone() after the last one. */
void ports_stop_all(struct ports *ports);

/* An instrument whose open on-demand run this configuration would end; NULL: none. */
const struct instrument *ports_in_the_way(const struct ports *ports, const struct config *config);

/*
 * Follows instruments->config, which is new: ports whose instruments are the same go on
 * undisturbed; the others are stopped and, when they are gone, started as configured.  0, -ENOMEM.
 */
int ports_change(struct ports *ports);

/* Is a port still stopping that an older configuration describes? */
bool ports_are_stopping(const struct ports *ports);

/* Frees all at the very end, after the event loop. */
void ports_finish(struct ports *ports);

#endif
