/* SPDX-License-Identifier: Apache-2.0 */
#include "strict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const strict_names[] = {"AINP", "AU34", "AUO1", "AUO2", "BLRD", "BLRM", "BLRU", "BOOT",
	"CLCK", "CLKL", "CON1", "CON2", "CUSP", "DACF", "DACO", "GAIA", "GAIF", "GAIN", "GATE",
	"GPED", "GPGA", "GPIN", "GPMC", "GPME", "HVSE", "INOF", "INOG", "LMMO", "MCAC", "MCAE",
	"MCAS", "MCSH", "MCSL", "MCST", "PAPS", "PAPZ", "PDMD", "PRCH", "PRCL", "PREC", "PREL",
	"PRER", "PRET", "PURE", "PURS", "RESC", "RESL", "RTDD", "RTDE", "RTDS", "RTDT", "RTDW",
	"SCAH", "SCAI", "SCAL", "SCAO", "SCAW", "SCOE", "SCOG", "SCOT", "SCTC", "SOFF", "SYNC",
	"TECS", "TFLA", "THFA", "THSL", "TLLD", "TPEA", "TPFA", "TPMO", "VOLU", NULL};

/* Those of every device, and those of every device with a pulse shaper. */
static const char all[] =
	"AUO1 AUO2 GAIA GPED GPGA GPIN GPMC GPME LMMO MCAC MCAE MCAS MCSH MCSL MCST PRCH PRCL PREC "
	"PRER PURE RESC SCOE SCOG SCOT SOFF THSL TLLD";
static const char shaper[] =
	"AINP BLRD BLRM BLRU CLCK CLKL CUSP DACF DACO GAIF GAIN HVSE PRET RESL RTDD RTDE RTDS RTDT "
	"RTDW SCAH SCAI SCAL SCAO SCAW SYNC TFLA THFA TPEA TPFA";

static const struct {
	bool has_shaper;
	const char *own, *disputed;
} devices[STRICT_DEVICES] = {
	[0] = {true, "BOOT GATE INOF PAPS PDMD PURS TECS TPMO", "AU34 INOG PAPZ"},
	[1] = {true, "AU34 CON1 CON2 INOF INOG PAPS PAPZ PDMD TECS TPMO VOLU", "PURS"},
	[2] = {true, "AU34 CON1 CON2 PDMD SCTC TPMO", "INOG PAPS PURS"},
	[3] = {false, "GATE PDMD PREL",
		"AU34 CLKL GAIN INOG PAPS PRET PURS RTDD RTDW SCTC SYNC TPEA"},
	[4] = {true, "AU34 CON1 CON2 PDMD SCTC TPMO", "INOG PAPS PURS"},
	[5] = {true, "BOOT GATE INOF PAPS PURS", "AU34 INOG PDMD TECS TPMO"},
};

int strict_has(unsigned device, const char *name)
{
	if (strstr(all, name) != NULL || strstr(devices[device].own, name) != NULL)
		return 1;
	if (strstr(devices[device].disputed, name) != NULL)
		return -1;
	return devices[device].has_shaper && strstr(shaper, name) != NULL;
}

bool strict_decides(const char *name)
{
	/* Outputs, scope, speaker, counter windows, general counter, multichannel scaling, lists. */
	static const char harmless[] =
		"AU34 AUO1 AUO2 BOOT CLKL CON1 DACF DACO GPED GPGA GPIN GPMC GPME LMMO MCAE MCSH "
		"MCSL MCST SCAH SCAI SCAL SCAO SCAW SCOE SCOG SCOT SYNC VOLU";
	return strstr(harmless, name) == NULL;
}

/* --- values --- */

static bool has(const struct strict *s, const char *name)
{
	int known = strict_has(s->device, name);
	return known > 0 || (known < 0 && s->has_disputed);
}

static char *find(char *values, const char *name)
{
	char *at = values;
	while (at != NULL && *at != '\0' && strncmp(at, name, 4) != 0) {
		at = strchr(at, ';');
		at = at != NULL ? at + 1 : NULL;
	}
	return at != NULL && *at != '\0' ? at : NULL;
}

void strict_set(struct strict *s, const char *name, const char *value)
{
	char *old = find(s->values, name);
	if (old != NULL) {
		char *rest = strchr(old, ';') + 1;
		memmove(old, rest, strlen(rest) + 1);
	}
	size_t used = strlen(s->values);
	snprintf(s->values + used, sizeof(s->values) - used, "%.4s=%s;", name, value);
}

/* One command of a packet: its acknowledge code. */
static unsigned take(struct strict *s, const char *command, size_t len)
{
	char name[5] = "", value[16] = "";
	memcpy(name, command, 4);
	memcpy(value, command + 5, len - 5 < sizeof(value) ? len - 5 : sizeof(value) - 1);
	if (!has(s, name))
		return 7;
	char whole[24];
	snprintf(whole, sizeof(whole), "%.*s;", (int)len, command);
	if (strstr(s->refuse, whole) != NULL)
		return 5;
	strncat(s->received, whole, sizeof(s->received) - strlen(s->received) - 1);
	if (strcmp(name, "RESC") == 0) {
		strict_set(s, "MCAC", "1024");
		strict_set(s, "HVSE", "OFF");
	} else if (strcmp(name, s->ignore) != 0 && strcmp(name, "MCAE") != 0 &&
		   strncmp(name, "SCA", 3) != 0) {
		strict_set(s, name, value);
	}
	return 0;
}

/* The good commands are applied, and only the last bad one is echoed. */
static void configure(struct host *h, struct strict *s, const char *text)
{
	char echo[32] = "";
	unsigned code = 0;
	s->packets++;
	for (size_t n; *text != '\0'; text += n + 1) {
		n = strcspn(text, ";");
		if (text[n] != ';' || n < 6 || n > 15 || text[4] != '=')
			host_bug("\"%s\" is no command", text);
		unsigned r = take(s, text, n);
		if (r != 0) {
			snprintf(echo, sizeof(echo), "%.*s;", (int)n, text);
			code = r;
		}
	}
	s->refusals += code != 0;
	amptek_reply(h, 0xff, code, echo, strlen(echo));
}

static void read_back(struct host *h, struct strict *s, const char *text)
{
	char reply[8192] = "";
	for (; *text != '\0'; text += strcspn(text, ";") + 1) {
		char name[5] = "";
		memcpy(name, text, 4);
		char *value = has(s, name) ? find(s->values, name) : NULL;
		size_t used = strlen(reply);
		if (value != NULL)
			snprintf(reply + used, sizeof(reply) - used, "%.*s;",
				(int)strcspn(value, ";"), value);
		else
			snprintf(reply + used, sizeof(reply) - used, "%s=??;", name);
	}
	amptek_reply(h, 0x82, 7, reply, strlen(reply));
}

static double number(struct strict *s, const char *name)
{
	char *at = find(s->values, name);
	return at != NULL ? strtod(at + 5, NULL) : 0;
}

/* Accumulation and real time are one: nothing is read out. */
static void count(struct strict *s, uint64_t now)
{
	uint64_t preset = (uint64_t)(number(s, "PRET") * 1000);
	if (!s->enabled)
		return;
	s->counted += now - s->since;
	s->since = now;
	if (preset > 0 && s->counted >= preset) {
		s->counted = preset;
		s->enabled = false;
	}
}

static void receive(struct host *h, const uint8_t *data, size_t len)
{
	struct strict *s = h->device_data;
	count(s, h->now);
	struct amptek_status status = {.device = s->device,
		.accumulation_ms = (uint32_t)s->counted,
		.real_ms = (uint32_t)s->counted,
		.enabled = s->enabled,
		.high_voltage = number(s, "HVSE"),
		.kelvin = number(s, "TECS")};
	uint8_t packet[8192 * 3 + 72], block[64];
	char text[520] = "";
	if (len < 8 || len > 520)
		host_bug("a request of %zu bytes", len);
	memcpy(text, data + 6, len - 8);
	switch ((unsigned)data[2] << 8 | data[3]) {
	case 0x0101:
		amptek_status_block(&status, block);
		amptek_reply(h, 0x80, 1, block, 64);
		return;
	case 0x0203:
	case 0x0204: host_answer(h, packet, amptek_spectrum(packet, 256, NULL, &status)); return;
	case 0x2002:
	case 0x2004: configure(h, s, text); return;
	case 0x2003: read_back(h, s, text); return;
	case 0xf001: s->counted = 0; break;
	case 0xf002:
		s->enabled = !s->is_asleep;
		s->since = h->now;
		break;
	case 0xf003: s->enabled = false; break;
	default: amptek_reply(h, 0xff, 2, NULL, 0); return;
	}
	amptek_reply(h, 0xff, 0, NULL, 0);
}

void strict_attach(struct host *h, struct strict *s, unsigned device, bool has_disputed)
{
	*s = (struct strict){.device = device, .has_disputed = has_disputed};
	for (size_t i = 0; strict_names[i] != NULL; i++)
		if (has(s, strict_names[i]))
			strict_set(s, strict_names[i],
				strncmp(strict_names[i], "PRE", 3) == 0 ? "OFF" : "7");
	strict_set(s, "MCAS", "NORM");
	h->device = receive;
	h->device_data = s;
}
