/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the tests of amptek-dp5: packets and status blocks as an instrument sends them, and
 * exchanges of requests and replies.  Written from the protocol, not from the driver.
 */
#ifndef ASSAY_TESTS_DRIVERS_BENCH_H
#define ASSAY_TESTS_DRIVERS_BENCH_H

#include "host.h"

extern const struct assay_driver *const assay_driver;

/* A status to be sent; zero is a configured DP5 6.08 that does not count. */
struct amptek_status {
	unsigned device, firmware; /* 0: 0x68 */
	uint32_t fast, slow, accumulation_ms, live_ms, real_ms, serial;
	double high_voltage, kelvin;
	int celsius;
	bool enabled, real_reached, live_reached, counts_reached, rebooted, unconfigured;
};

/* The PX5 whose readable status is in a published file; its packet is in the protocol's sheet. */
extern const struct amptek_status amptek_px5;
extern const char amptek_px5_packet[];

/* The configuration that such a PX5 reads back, in the query's order. */
extern const char amptek_px5_readback[];

void amptek_status_block(const struct amptek_status *s, uint8_t out[64]);

/* Writes a whole packet and returns its length; `out` has room for len + 8. */
size_t amptek_packet(uint8_t *out, unsigned pid1, unsigned pid2, const void *data, size_t len);

/* Writes a spectrum packet with status; `counts` may be NULL: zeros. */
size_t amptek_spectrum(
	uint8_t *out, size_t channels, const uint32_t *counts, const struct amptek_status *s);

/* Exchanges: a request of the driver and the reply of the instrument. */
void amptek_ask(struct host *h, unsigned pid1, unsigned pid2, const char *text);
void amptek_reply(struct host *h, unsigned pid1, unsigned pid2, const void *data, size_t len);
void amptek_status_turn(struct host *h, const struct amptek_status *s);
void amptek_readback_turn(struct host *h, const char *reply); /* all queries to a PX5 */
void amptek_order_turn(struct host *h, unsigned pid1, unsigned pid2, const char *text);
void amptek_spectrum_turn(struct host *h, unsigned pid2, size_t channels, const uint32_t *counts,
	const struct amptek_status *s);

/* Status and readback as requested by start(), then disable, clear, enable. */
void amptek_start_turns(struct host *h, const struct amptek_status *s, const char *readback);

/* Replaces the value of one command in a readback text: "PRET=OFF;" by "PRET=60.0;". */
char *amptek_with(struct host *h, const char *readback, const char *command);

#endif
