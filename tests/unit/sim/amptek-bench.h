/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated pulse processor on a bench: packets in, packets out, time by hand. */
#ifndef ASSAY_TEST_AMPTEK_BENCH_H
#define ASSAY_TEST_AMPTEK_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>

#include <cmocka.h>

#include "amptek/dpp.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

#define UNITS_MAX 64

struct bench {
	struct sim_model *model;
	struct sim_random random;
	struct sim_faults faults;
	uint64_t now;
	uint8_t sent[131072]; /* since the last request */
	size_t len, unit_len[UNITS_MAX], units;
};

/* Options as pairs of texts, NULL-terminated. */
void bench_start(
	struct bench *b, enum sim_transport transport, FILE *truth, const char *const *options);
void bench_stop(struct bench *b);

#define start(b, ...) bench_start(b, SIM_USB, NULL, (const char *const[]){__VA_ARGS__, NULL})
#define start_on(b, transport, ...) \
	bench_start(b, transport, NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Lets time go on, in the steps the model asks for. */
void pass(struct bench *b, uint64_t ns);

/* Sends bytes written as hexadecimal text; what comes back is in b->sent. */
void send_hex(struct bench *b, const char *hex);

/* Sends a request with a text as data, and checks that one good packet came back. */
void ask(struct bench *b, uint8_t pid1, uint8_t pid2, const char *text);

/* The answer's PID1 << 8 | PID2, and its data. */
unsigned answer_pid(const struct bench *b);
const uint8_t *answer_data(const struct bench *b);
size_t answer_len(const struct bench *b);

/* Fails unless the answer is these bytes, or this text as data. */
void expect_hex(const struct bench *b, const char *hex);
void expect_text(const struct bench *b, unsigned pid, const char *text);

/* Little-endian number of n bytes. */
uint32_t little(const uint8_t *p, int n);

/* The status block of a new status request; borrowed until the next request. */
const uint8_t *status_of(struct bench *b);

/* Reads spectrum and status at once; returns the sum of the channels and the status block. */
uint64_t spectrum_of(struct bench *b, uint32_t *counts, unsigned *channels, const uint8_t **status);

#endif
