/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page over HTTP on 127.0.0.1: GET /metrics.  At most 16 connections of at most 5 s each, so that
 * clients that send nothing, or byte by byte, keep the page from others for a short time only.
 */
#ifndef ASSAY_METRICS_SERVE_H
#define ASSAY_METRICS_SERVE_H

#include <stdint.h>

#include "base/buffer.h"

struct server;

/*
 * Listens.  `make` appends the page; it is called at most once a second.  0 or a negative errno;
 * owned through `out`.  *port: 0 takes a free one, which is stored.
 */
int server_open(
	struct server **out, uint16_t *port, void (*make)(void *arg, struct buffer *to), void *arg);

/* Serves for at most `timeout_ms`, less if something happened. */
void server_run(struct server *server, int timeout_ms);
void server_close(struct server *server);

#endif
