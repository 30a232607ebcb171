/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A meter with the readout of IEC 62056-21 (IEC 1107), mode C: request, identification, option, data block.
 * Speeds do not change here; a byte has no parity.  Without an option the data come after a time.
 */
#include <string.h>

#include "text.h"

#define PATIENCE (2200 * TEXT_MS)
#define ACK      '\x06'
#define BLOCK    512

enum { WAITS, IDENTIFIED };

/* All after STX up to and with ETX, by exclusive or. */
static char check(const char *text, size_t len)
{
	char sum = 0;
	for (size_t i = 0; i < len; i++)
		sum = (char)(sum ^ text[i]);
	return sum;
}

static void send_data(struct text *t)
{
	char block[BLOCK];
	bool is_stable;
	double value = text_measure(t, &is_stable);
	int n = snprintf(block, sizeof block - 1,
		"\x02"
		"F.F(00000000)\r\n0.0.0(%u)\r\n1.8.0(%010.3f*kWh)\r\n"
		"32.7.0(230.1*V)\r\n31.7.0(001.250*A)\r\n!\r\n\x03",
		text_serial(t), value);
	block[n] = check(block + 1, (size_t)n - 1);
	sim_emit(t->m, block, (size_t)n + 1);
	t->meter.step = WAITS;
}

static void tick(struct text *t)
{
	if (t->meter.step == IDENTIFIED)
		send_data(t);
}

/* "/?!" and "/?ADDRESS!" */
static bool is_request(struct text *t, const char *frame)
{
	char own[16];
	snprintf(own, sizeof own, "/?%u!", t->serial);
	return strcmp(frame, "/?!") == 0 || strcmp(frame, own) == 0;
}

/* ACK, a procedure, a speed and a mode: the readout "0", with the speed that was offered or the first. */
static void take_option(struct text *t, const char *option)
{
	bool is_readout = strcmp(option, "050") == 0 || strcmp(option, "000") == 0;
	t->due = SIM_NEVER;
	if (is_readout)
		send_data(t);
	else
		t->meter.step = WAITS;
}

static void take(struct text *t, const char *frame, size_t len, bool is_long)
{
	if (is_long || strlen(frame) != len)
		return;
	const char *request = strchr(frame, '/'); /* wake-up bytes may come before it */
	if (request != NULL && is_request(t, request)) {
		text_reply(t, "/SIM5ASSAY %u\r\n", text_serial(t));
		t->meter.step = IDENTIFIED;
		t->due = t->now + PATIENCE;
	} else if (frame[0] == ACK && t->meter.step == IDENTIFIED) {
		take_option(t, frame + 1);
	} else {
		sim_truth(t->m, "refused", ",\"bytes\":%zu", len);
	}
}

const struct text_dialect text_meter = {
	.name = "iec-62056-21",
	.value = 12345.678,
	.start = -1,
	.ends = "\r\n",
	.ends_with_all = true,
	.take = take,
	.tick = tick,
};
