/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct amptek_status amptek_px5 = {
	.device = 1,
	.firmware = 0x68,
	.fast = 66888311,
	.slow = 65028866,
	.accumulation_ms = 9252206,
	.real_ms = 9263658,
	.serial = 2524,
	.high_voltage = -130,
	.kelvin = 252,
	.celsius = 29,
};

const char amptek_px5_packet[] =
	"F5 FA 80 01 00 40 77 A2 FC 03 02 43 E0 03 00 00 00 00 06 6A 69 01 00 00 00 00 2A 5A 8D 00 "
	"68 6B DC 09 00 00 FE FC 09 D8 1D 0A 02 06 A0 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
	"00 00 00 00 00 00 00 00 00 00 F2 C2";

const char amptek_px5_readback[] =
	"CLCK=80;TPEA=2.000;GAIF=1.0750;GAIN=60.023;RESL=102;TFLA=0.200;TPFA=50;PURE=ON;"
	"PURS=??;RTDE=OFF;MCAS=NORM;RTDD=??;RTDW=??;MCAC=2048;SOFF=OFF;AINP=POS;INOF=DEF;"
	"GAIA=19;CUSP=0;PDMD=NORM;THSL=0.781;TLLD=OFF;THFA=40.00;DACO=SHAPED;DACF=50;RTDS=0;"
	"RTDT=0.00;BLRM=1;BLRD=3;BLRU=1;AUO1=SCA8;PRET=OFF;PRER=OFF;PREC=OFF;PRCL=1;PRCH=8191;"
	"HVSE=-130;TECS=225;PAPZ=OFF;PAPS=8.5;SCOE=FA;SCOT=12;SCOG=1;MCSL=1;MCSH=8191;MCST=0.01;"
	"AUO2=ICR;TPMO=OFF;GPED=RI;GPIN=AUX1;GPME=ON;GPGA=ON;GPMC=ON;VOLU=OFF;CON1=DAC;"
	"CON2=AUXOUT2;";

static const char px5_query[] =
	"CLCK=;TPEA=;GAIF=;GAIN=;RESL=;TFLA=;TPFA=;PURE=;PURS=;RTDE=;MCAS=;RTDD=;RTDW=;MCAC=;"
	"SOFF=;AINP=;INOF=;INOG=;GAIA=;CUSP=;PDMD=;THSL=;TLLD=;THFA=;DACO=;DACF=;RTDS=;RTDT=;"
	"BLRM=;BLRD=;BLRU=;AUO1=;PRET=;PRER=;PREC=;PRCL=;PRCH=;HVSE=;TECS=;PAPZ=;PAPS=;SCOE=;"
	"SCOT=;SCOG=;MCSL=;MCSH=;MCST=;AUO2=;AU34=;TPMO=;GPED=;GPIN=;GPME=;GPGA=;GPMC=;VOLU=;"
	"CON1=;CON2=;SYNC=;CLKL=;LMMO=;";

static void put_little(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static void put_big(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

void amptek_status_block(const struct amptek_status *s, uint8_t out[64])
{
	memset(out, 0, 64);
	put_little(out, s->fast);
	put_little(out + 4, s->slow);
	put_little(out + 12, s->accumulation_ms / 100 << 8 | s->accumulation_ms % 100);
	put_little(out + 16, s->live_ms);
	put_little(out + 20, s->real_ms);
	out[24] = (uint8_t)(s->firmware != 0 ? s->firmware : 0x68);
	out[25] = 0x6b;
	put_little(out + 26, s->serial);
	put_big(out + 30, (unsigned)(int)(s->high_voltage * 2) & 0xffff);
	put_big(out + 32, (unsigned)lround(s->kelvin * 10));
	out[34] = (uint8_t)s->celsius;
	out[35] = (uint8_t)(s->real_reached << 7 | s->live_reached << 6 | s->enabled << 5 |
			    s->counts_reached << 4 | 8 | !s->unconfigured << 1);
	out[36] = (uint8_t)(s->rebooted << 5 | 2);
	out[37] = 6;
	out[38] = 0xa0;
	out[39] = (uint8_t)s->device;
}

size_t amptek_packet(uint8_t *out, unsigned pid1, unsigned pid2, const void *data, size_t len)
{
	uint8_t head[6] = {
		0xf5, 0xfa, (uint8_t)pid1, (uint8_t)pid2, (uint8_t)(len >> 8), (uint8_t)len};
	unsigned sum = 0;
	if (len > 0)
		memmove(out + 6, data, len);
	memcpy(out, head, 6);
	for (size_t i = 0; i < len + 6; i++)
		sum += out[i];
	put_big(out + 6 + len, 0x10000 - (sum & 0xffff));
	return len + 8;
}

size_t amptek_spectrum(
	uint8_t *out, size_t channels, const uint32_t *counts, const struct amptek_status *s)
{
	uint8_t data[8192 * 3 + 64], code = 2;
	for (size_t n = 256; n < channels; n *= 2)
		code += 2;
	for (size_t i = 0; i < channels; i++) {
		uint8_t four[4];
		put_little(four, counts != NULL ? counts[i] : 0);
		memcpy(data + 3 * i, four, 3);
	}
	amptek_status_block(s, data + 3 * channels);
	return amptek_packet(out, 0x81, code, data, 3 * channels + 64);
}

/* --- exchanges --- */

static void answer(struct host *h, const uint8_t *packet, size_t len)
{
	host_answer_split(h, packet, len, h->ins.link == ASSAY_LINK_UDP ? 520 : len);
}

void amptek_ask(struct host *h, unsigned pid1, unsigned pid2, const char *text)
{
	uint8_t packet[520];
	host_expect(h, packet,
		amptek_packet(packet, pid1, pid2, text, text != NULL ? strlen(text) : 0));
}

void amptek_reply(struct host *h, unsigned pid1, unsigned pid2, const void *data, size_t len)
{
	uint8_t packet[32775];
	answer(h, packet, amptek_packet(packet, pid1, pid2, data, len));
}

void amptek_status_turn(struct host *h, const struct amptek_status *s)
{
	uint8_t block[64];
	amptek_status_block(s, block);
	amptek_ask(h, 1, 1, NULL);
	amptek_reply(h, 0x80, 1, block, 64);
}

void amptek_readback_turn(struct host *h, const char *reply)
{
	amptek_ask(h, 0x20, 3, px5_query);
	amptek_reply(h, 0x82, 7, reply, strlen(reply));
}

void amptek_order_turn(struct host *h, unsigned pid1, unsigned pid2, const char *text)
{
	amptek_ask(h, pid1, pid2, text);
	amptek_reply(h, 0xff, 0, NULL, 0);
}

void amptek_spectrum_turn(struct host *h, unsigned pid2, size_t channels, const uint32_t *counts,
	const struct amptek_status *s)
{
	uint8_t packet[8192 * 3 + 72];
	amptek_ask(h, 2, pid2, NULL);
	answer(h, packet, amptek_spectrum(packet, channels, counts, s));
}

void amptek_start_turns(struct host *h, const struct amptek_status *s, const char *readback)
{
	amptek_status_turn(h, s);
	amptek_readback_turn(h, readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0xf0, 1, NULL);
	amptek_order_turn(h, 0xf0, 2, NULL);
}

char *amptek_with(struct host *h, const char *readback, const char *command)
{
	const char *at = strstr(readback, ";");
	while (at != NULL && strncmp(at + 1, command, 5) != 0)
		at = strstr(at + 1, ";");
	if (at == NULL)
		host_bug("\"%s\" replaces nothing", command);
	at++;
	const char *rest = strchr(at, ';') + 1;
	size_t size = strlen(readback) + strlen(command) + 1;
	char *text = host_memory(h, size);
	snprintf(text, size, "%.*s%s%s", (int)(at - readback), readback, command, rest);
	return text;
}
