/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the web server: {"name": "got" or "wasSet", "origin": PATH, "data": VALUE}, and
 * "name": "error..." with a list of errors for a refusal, all with HTTP status 200.  Pure.
 */
#ifndef PRISMAPRO_REPLY_H
#define PRISMAPRO_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHY_MAX 200

struct reply {
	json_t *root;
	const json_t *data; /* within root */
};

/*
 * 0, and `out` owns the reply; -EBADMSG: no such reply; -EPROTO: a refusal.  With an error nothing
 * is owned and `why` has the reason, in printable ASCII.
 */
int reply_read(const void *body, size_t len, struct reply *out, char why[WHY_MAX]);

/* Legal on a zeroed reply. */
void reply_free(struct reply *reply);

/* The member with that name, in capitals or not: clients and examples differ in it.  NULL: none. */
const json_t *reply_member(const json_t *object, const char *name);

/* A number without fraction, 0 to 2^32 - 1. */
bool reply_unsigned(const json_t *value, uint32_t *out);

/* {"scannum": n, "scansize": m, "values": [...]}; borrows. */
struct scan {
	uint32_t number;
	size_t count; /* of values; 0: none is complete */
	const json_t *values;
};

/* False if it is no scan, or has other values than it announces. */
bool reply_scan(const json_t *data, struct scan *out);

/* NAN where the instrument had no finite number. */
double scan_value(const struct scan *scan, size_t i);

#endif
