/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the web server; errors are explained. */
#ifndef MICRO_GC_FUSION_REQUEST_H
#define MICRO_GC_FUSION_REQUEST_H

#include <assay/driver.h>
#include <jansson.h>

enum station_state {
	STATION_READY,
	STATION_RUNNING,
	STATION_BUSY,    /* on the way to one of the others */
	STATION_RESTING, /* a method must be loaded first */
	STATION_ERROR,
};

struct station {
	enum station_state state;
	bool has_sequence; /* a sequence runs */
	char word[48];     /* the state as it was sent, without "public:", printable */
};

/* Requests a resource with any status: 0, and the reply is borrowed until the next request. */
int request_any(
	struct assay_instrument *ins, const char *path, size_t max, struct assay_http_reply *reply);

/* The JSON value of a resource, owned by the caller. */
int request_value(struct assay_instrument *ins, const char *path, json_t **value);

int request_station(struct assay_instrument *ins, struct station *out);

/* Sends a command of the system manager, such as "run?runWhenReady=true". */
int request_command(struct assay_instrument *ins, const char *command);

/* The id of the last run; "" if there is none. */
int request_last_run(struct assay_instrument *ins, char *id, size_t size);

#endif
