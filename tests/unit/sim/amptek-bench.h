/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated pulse processor on a bench: packets in, packets out, time by hand. */
#ifndef ASSAY_TEST_AMPTEK_BENCH_H
#define ASSAY_TEST_AMPTEK_BENCH_H

#include "amptek/dpp.h"
#include "bench.h"

#define start(b, ...) \
	bench_start(b, &amptek_model, SIM_USB, NULL, (const char *const[]){__VA_ARGS__, NULL})
#define start_on(b, transport, ...) \
	bench_start(b, &amptek_model, transport, NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Advances the time by `ns`, in the steps that the model requests. */
void pass(struct bench *b, uint64_t ns);

/* Sends a request with a text as data, and checks that the reply is one good packet. */
void ask(struct bench *b, uint8_t pid1, uint8_t pid2, const char *text);

/* The reply's PID1 << 8 | PID2, and its data. */
unsigned answer_pid(const struct bench *b);
const uint8_t *answer_data(const struct bench *b);
size_t answer_len(const struct bench *b);

/* Fails unless the reply has this text as data. */
void expect_text(const struct bench *b, unsigned pid, const char *text);

/* Little-endian number of n bytes. */
uint32_t little(const uint8_t *p, int n);

/* The status block of a new status request; borrowed until the next request. */
const uint8_t *status_of(struct bench *b);

/* Reads spectrum and status at once; returns the sum of the channels and the status block. */
uint64_t spectrum_of(struct bench *b, uint32_t *counts, unsigned *channels, const uint8_t **status);

#endif
