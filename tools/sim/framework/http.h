/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruments with a web server.  A model answers one request at a time and has no socket; libmicrohttpd
 * carries them for all such models.  The fault `stale` gives the body of the reply before; `garbage` has
 * no effect.
 */
#ifndef ASSAY_SIM_HTTP_H
#define ASSAY_SIM_HTTP_H

#include "sim.h"

#define SIM_HTTP_ARGUMENTS_MAX 128
#define SIM_HTTP_BODY_MAX      65536

/* A pair of the query, with its %XX decoded; `value` is NULL without a "=". */
struct sim_http_argument {
	const char *key, *value;
};

/* Borrowed for the call. */
struct sim_http_request {
	const char *method, *path;
	struct sim_http_argument arguments[SIM_HTTP_ARGUMENTS_MAX];
	size_t n_arguments;
	const uint8_t *body; /* followed by a NUL */
	size_t body_len;
};

/* The model writes to `body` and may change the others. */
struct sim_http_reply {
	unsigned status;  /* 200 */
	const char *type; /* "text/html"; static */
	FILE *body;
};

/* The value of an argument, "" if it has none, NULL if the request lacks it. */
const char *sim_http_argument(const struct sim_http_request *request, const char *key);

/* Advances to `now` and answers by ops->respond. */
void sim_model_respond(struct sim_model *m, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now);

/* For sim_model_ops.run; the model's table has SIM_HTTP_OPTIONS. */
int sim_http_run(struct sim_model *m, const struct sim_options *o, struct sim_host *host);

#define SIM_HTTP_OPTIONS                                                                \
	{                                                                               \
		"keep-alive", NULL, NULL, "keep a connection open for the next request" \
	}

#endif
