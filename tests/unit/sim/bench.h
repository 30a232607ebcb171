/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated instrument on a bench: bytes in, bytes out, time by hand. */
#ifndef ASSAY_TESTS_SIM_BENCH_H
#define ASSAY_TESTS_SIM_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>

#include <cmocka.h>

#include "framework/sim.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

#define UNITS_MAX 64 /* whose lengths are noted */

struct bench {
	struct sim_model *model;
	struct sim_random random;
	struct sim_faults faults;
	uint64_t now;
	uint8_t sent[524288]; /* since the last request */
	size_t len, unit_len[UNITS_MAX], units;
	uint8_t streamed[65536]; /* at the other endpoint, since bench_start() */
	size_t streamed_len;
	bool takes_no_stream;
};

/* `options`: name, value, ..., NULL.  `truth` may be NULL. */
void bench_start(struct bench *b, const struct sim_model_ops *ops, enum sim_transport transport,
	FILE *truth, const char *const *options);
void bench_stop(struct bench *b);

/* Lets time pass, in the steps that the model requests. */
void wait_until(struct bench *b, uint64_t until);

/* Sends a request; the reply is in b->sent. */
void send_bytes(struct bench *b, const void *data, size_t len);
void send_hex(struct bench *b, const char *hex);

/*
 * Sends a request to a model with a web server; the body of the reply is in b->sent, followed by a NUL.
 * `body` may be NULL.  Returns the status.
 */
unsigned send_http(struct bench *b, const char *method, const char *url, const char *body);

/* Reads bytes that are written as hexadecimal text; returns their number. */
size_t from_hex(const char *hex, uint8_t *bytes, size_t size);

/* Fails unless the reply is these bytes. */
void expect_hex(const struct bench *b, const char *hex);

#endif
