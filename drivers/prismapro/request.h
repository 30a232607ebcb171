/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the web server; errors are explained. */
#ifndef PRISMAPRO_REQUEST_H
#define PRISMAPRO_REQUEST_H

#include <assay/driver.h>

#include "reply.h"

#define SCAN_MAX_BYTES (1u << 20)
#define WORD_MAX_BYTES 4096

/*
 * Requests a target.  With 0 `reply` is the caller's, and the bytes in `http`, which may be NULL,
 * are borrowed until the next request.
 */
int request_get(struct assay_instrument *ins, const char *path, size_t max, struct reply *reply,
	struct assay_http_reply *http);

/* Sets a target: -EPROTO if the instrument refuses. */
int request_set(struct assay_instrument *ins, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads a word of /mmsp/status and adds its bytes to `raw` unless that is NULL. */
int request_word(
	struct assay_instrument *ins, const char *name, struct assay_raw *raw, uint32_t *word);

#endif
