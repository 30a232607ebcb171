/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AK protocol: STX, a byte, four letters, a blank, K and a channel, ETX.  Two instruments: a gas analyser
 * with the common functions, whose control functions need SREM first, and the Gasera ONE.
 */
#include <string.h>

#include "text.h"

#define STX     "\x02"
#define ETX     "\x03"
#define STARTED 1511865967 /* Unix time of the first result */
#define NO_TASK (-1)
#define TASKS   2

static void reply(struct text *t, const char *function, const char *data)
{
	int errors = sim_fault_active(t->m, FAULT_BUSY) ? 1 : 0;
	text_reply(t, STX " %s %d%s%s" ETX, function, errors, *data != '\0' ? " " : "", data);
}

/* Common functions; the words of an error are those of the protocol. */
static const char *common(
	struct text *t, const char *function, const char *rest, char *data, size_t size)
{
	bool is_stable;
	bool controls = strcmp(function, "STBY") == 0 || strcmp(function, "SRES") == 0;
	if (*rest != '\0')
		return "SE";
	if (strcmp(function, "SREM") == 0 || strcmp(function, "SMAN") == 0) {
		t->ak.is_remote = function[1] == 'R';
		return "";
	}
	if (controls) {
		if (!t->ak.is_remote)
			return "OF";
		t->ak.measures = function[2] != 'B';
		return "";
	}
	if (strcmp(function, "ASTZ") == 0) {
		snprintf(data, size, "%s %s", t->ak.is_remote ? "SREM" : "SMAN",
			t->ak.measures ? "SMGA" : "STBY");
	} else if (strcmp(function, "ASTF") == 0) {
		return "";
	} else if (strcmp(function, "AKEN") == 0) {
		snprintf(data, size, "SIM-%u", text_serial(t));
	} else if (strcmp(function, "AKAK") == 0) {
		snprintf(data, size, "%.2f", t->value);
	} else if (strcmp(function, "AKON") == 0) {
		double value = text_measure(t, &is_stable);
		snprintf(data, size, "%s%.2f", is_stable ? "" : "#", value);
	} else {
		return NULL;
	}
	return data;
}

static const char *gasera(
	struct text *t, const char *function, const char *rest, char *data, size_t size)
{
	bool is_stable;
	long task;
	if (strcmp(function, "STAM") == 0) {
		if (!text_integer(rest, 1, TASKS, &task))
			return "SE";
		if (t->ak.measures)
			return "BS";
		t->ak.task = (int)task;
		t->ak.measures = true;
		return "";
	}
	if (*rest != '\0')
		return "SE";
	if (strcmp(function, "STPM") == 0) {
		t->ak.measures = false;
		return "";
	}
	if (strcmp(function, "ASTS") == 0) {
		snprintf(data, size, "%d", t->ak.measures ? 5 : 2);
	} else if (strcmp(function, "AERR") == 0) {
		return "";
	} else if (strcmp(function, "ATSK") == 0) {
		snprintf(data, size, "1 Methane 2 Ethanol");
	} else if (strcmp(function, "AMST") == 0) {
		snprintf(data, size, "%d", t->ak.measures ? 1 + (int)(t->now / TEXT_S % 3) : 0);
	} else if (strcmp(function, "ANAM") == 0) {
		snprintf(data, size, "SIM-%u", text_serial(t));
	} else if (strcmp(function, "ACON") == 0) {
		if (!t->ak.measures)
			return "NA";
		unsigned long at = STARTED + (unsigned long)(t->now / TEXT_S);
		snprintf(data, size, "%lu 74-82-8 %.6g %lu 124-38-9 435.765", at,
			text_measure(t, &is_stable), at);
	} else {
		return NULL;
	}
	return data;
}

/* "xFFFF Kc" or "xFFFF Kc data", without STX and ETX. */
static void take_by(struct text *t, const char *frame, size_t len,
	const char *(*answer)(
		struct text *t, const char *function, const char *rest, char *data, size_t size))
{
	char function[5] = "", data[128] = "";
	frame++; /* STX */
	len--;
	bool is_frame = len >= 8 && strlen(frame) == len && frame[5] == ' ' && frame[6] == 'K' &&
			frame[7] >= '0' && frame[7] <= '9' && (len == 8 || frame[8] == ' ');
	if (!is_frame) {
		sim_truth(t->m, "refused", ",\"bytes\":%zu", len);
		reply(t, "????", "SE");
		return;
	}
	memcpy(function, frame + 1, 4);
	const char *result = answer(t, function, len > 9 ? frame + 9 : "", data, sizeof data);
	reply(t, result != NULL ? function : "????", result != NULL ? result : "");
}

static void take_common(struct text *t, const char *frame, size_t len, bool is_long)
{
	if (!is_long)
		take_by(t, frame, len, common);
}

static void take_gasera(struct text *t, const char *frame, size_t len, bool is_long)
{
	if (!is_long)
		take_by(t, frame, len, gasera);
}

static void init(struct text *t)
{
	t->ak = (struct ak_state){
		.task = NO_TASK, .measures = t->dialect == &text_ak || t->is_prepared};
}

const struct text_dialect text_ak = {
	.name = "ak",
	.value = 250,
	.start = 2,
	.ends = ETX,
	.init = init,
	.take = take_common,
};

const struct text_dialect text_gasera = {
	.name = "gasera-one",
	.value = 0.919439,
	.start = 2,
	.ends = ETX,
	.init = init,
	.take = take_gasera,
};
