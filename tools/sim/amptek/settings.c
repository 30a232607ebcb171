/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "framework/options.h"

/* The devices of a command, by the letters of the protocol guide's list of commands. */
#define D     DP5
#define P     PX5
#define G     DP5G
#define M     MCA8000D
#define T     TB5
#define X     DP5X
#define ALL   (D | P | G | M | T | X)
#define NOT_M (D | P | G | T | X)

enum kind {
	WORD,   /* one of `words`, or an abbreviation of two letters or more (of YES: one) */
	NUMBER, /* min..max with `decimals`; unit letters after it are ignored */
	FREE,   /* letters, digits, "-" and ".": without effect here */
	ACTION, /* RESC; reads back "?" */
	SCA,    /* of the SCA chosen with SCAI */
};

struct rule {
	char name[5];
	enum kind kind;
	int on; /* device bits */
	const char *fallback;
	const char *words; /* WORD: "FALLING RISING"; NUMBER: "OFF" if that is allowed */
	double min, max;
	int decimals;
};

/*
 * In the order of the protocol guide: a command that depends on others comes after them.  Where the
 * vendor's program and other sources disagree about a device, it has no such command here, except
 * TECS on the DP5-X, which the guide's list has.  assay-sim(1) names these commands.
 */
static const struct rule rules[] = {
	{"RESC", ACTION, ALL, "?", "YES NO", 0, 0, 0},
	{"CLCK", WORD, NOT_M, "AUTO", "20 80 AUTO", 0, 0, 0},
	{"TPEA", NUMBER, NOT_M, "?", "", 0.05, 102.4, 3},
	{"GAIF", NUMBER, NOT_M, "1.0000", "", 0.5, 1.9999, 4},
	{"GAIN", NUMBER, NOT_M, "1.000", "", 0.75, 500, 3},
	{"RESL", NUMBER, NOT_M, "0", "OFF", 0, 16383, 0},
	{"TFLA", NUMBER, NOT_M, "0.000", "", 0, 102.4, 3},
	{"TPFA", NUMBER, NOT_M, "100", "", 0, 12800, 0},
	{"PURE", NUMBER, ALL, "ON", "ON OFF MAX HIGH LOW", 0, 65535, 3},
	{"PURS", FREE, D | X, "0", "", 0, 0, 0},
	{"SCTC", FREE, G | T, "0", "", 0, 0, 0},
	{"RTDE", WORD, NOT_M, "OFF", "ON OFF", 0, 0, 0},
	{"MCAS", WORD, ALL, "NORM", "NORM MCS FAST PUR RTD", 0, 0, 0},
	{"RTDD", NUMBER, NOT_M, "0", "", 0, 65535, 0},
	{"RTDW", NUMBER, NOT_M, "0", "", 0, 65535, 0},
	{"MCAC", NUMBER, ALL, "1024", "", 256, 8192, 0},
	{"SOFF", NUMBER, ALL, "OFF", "OFF", -8191, 8191, 3},
	{"AINP", WORD, NOT_M, "POS", "POS NEG", 0, 0, 0},
	{"INOF", NUMBER, D | P | X, "DEF", "DEF AUTO", -2047, 2047, 0},
	{"INOG", FREE, P, "0", "", 0, 0, 0},
	{"GAIA", NUMBER, ALL, "1", "", 1, 28, 0},
	{"CUSP", NUMBER, NOT_M, "0", "OFF", -99, 99, 0},
	{"PDMD", WORD, D | P | G | M | T, "NORM", "NORM MIN", 0, 0, 0},
	{"THSL", NUMBER, ALL, "0.000", "", 0, 24.9, 3},
	{"TLLD", NUMBER, ALL, "OFF", "OFF", 0, 8191, 0},
	{"THFA", NUMBER, NOT_M, "10.00", "", 0, 511.93, 2},
	{"DACO", FREE, NOT_M, "SHAPED", "", 0, 0, 0},
	{"DACF", NUMBER, NOT_M, "50", "", -500, 500, 0},
	{"RTDS", NUMBER, NOT_M, "0", "", 0, 200, 0},
	{"RTDT", NUMBER, NOT_M, "0.00", "", 0, 49.9, 2},
	{"BLRM", NUMBER, NOT_M, "1", "OFF", 0, 1, 0},
	{"BLRD", NUMBER, NOT_M, "3", "", 0, 3, 0},
	{"BLRU", NUMBER, NOT_M, "0", "", 0, 3, 0},
	{"GATE", WORD, D | M | X, "OFF", "OFF HIGH LOW", 0, 0, 0},
	{"AUO1", FREE, ALL, "ICR", "", 0, 0, 0},
	{"AU34", FREE, P | G | T, "0", "", 0, 0, 0},
	{"PRET", NUMBER, NOT_M, "OFF", "OFF", 0, 99999999.9, 1},
	{"PRER", NUMBER, ALL, "OFF", "OFF", 0, 99999999.99, 2},
	{"PREL", NUMBER, M, "OFF", "OFF", 0, 99999999.99, 2},
	{"PREC", NUMBER, ALL, "OFF", "OFF", 0, 4294967295.0, 0},
	{"PRCL", NUMBER, ALL, "0", "", 0, 8191, 0},
	{"PRCH", NUMBER, ALL, "8191", "", 0, 8191, 0},
	{"HVSE", NUMBER, NOT_M, "OFF", "OFF", -5000, 5000, 0},
	{"TECS", NUMBER, D | P | X, "OFF", "OFF", 0, 299, 0},
	{"PAPZ", NUMBER, P, "OFF", "OFF", 0, 100, 2},
	{"PAPS", WORD, D | P | X, "ON", "5 8.5 ON OFF", 0, 0, 0},
	{"SCOE", WORD, ALL, "RI", "FALLING RISING", 0, 0, 0},
	{"SCOT", NUMBER, ALL, "12", "", -100, 87, 0},
	{"SCOG", NUMBER, ALL, "1", "", 1, 16, 0},
	{"MCSL", NUMBER, ALL, "0", "", 0, 8191, 0},
	{"MCSH", NUMBER, ALL, "8191", "", 0, 8191, 0},
	{"MCST", NUMBER, ALL, "0.01", "", 0, 655.35, 2},
	{"AUO2", FREE, ALL, "ICR", "", 0, 0, 0},
	{"TPMO", FREE, D | P | G | T, "OFF", "", 0, 0, 0},
	{"GPED", WORD, ALL, "RI", "FALLING RISING", 0, 0, 0},
	{"GPIN", FREE, ALL, "AUX1", "", 0, 0, 0},
	{"GPME", WORD, ALL, "ON", "ON OFF", 0, 0, 0},
	{"GPGA", WORD, ALL, "ON", "ON OFF", 0, 0, 0},
	{"GPMC", WORD, ALL, "ON", "ON OFF", 0, 0, 0},
	{"MCAE", WORD, ALL, "OFF", "ON OFF", 0, 0, 0},
	{"VOLU", WORD, P, "OFF", "ON OFF", 0, 0, 0},
	{"CON1", FREE, P | G | T, "DAC", "", 0, 0, 0},
	{"CON2", FREE, P | G | T, "AUXOUT2", "", 0, 0, 0},
	{"BOOT", WORD, D | X, "ON", "ON OFF", 0, 0, 0},
	{"SYNC", WORD, NOT_M, "INT", "INT EXT FRAME NOTIMETAG", 0, 0, 0},
	{"CLKL", WORD, NOT_M, "100", "100 1000", 0, 0, 0},
	{"LMMO", WORD, ALL, "NORM", "NORM DTC", 0, 0, 0},
	{"SCAW", NUMBER, NOT_M, "100", "", 100, 1000, 0},
	{"SCAI", SCA, NOT_M, "?", "", 1, SCA_COUNT, 0},
	{"SCAL", SCA, NOT_M, "?", "", 0, 8191, 0},
	{"SCAH", SCA, NOT_M, "?", "", 0, 8191, 0},
	{"SCAO", SCA, NOT_M, "?", "OFF HIGH LOW", 0, 0, 0},
};
#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))
_Static_assert(RULE_COUNT <= SETTINGS_MAX, "settings.value is too small");

static const struct rule *rule_find(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (memcmp(rules[i].name, name, 4) == 0)
			return rules[i].on & s->device->bit ? &rules[i] : NULL;
	return NULL;
}

static char *value_of(struct settings *s, const struct rule *rule)
{
	return s->value[rule - rules];
}

void settings_reset(struct settings *s)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		snprintf(s->value[i], SETTING_VALUE, "%s", rules[i].fallback);
	for (int i = 0; i < SCA_COUNT; i++)
		s->sca[i] = (struct sca){.low = 0, .high = -1, .output = "OFF"};
	s->sca_index = 0;
	s->is_fast_locked = false;
	s->is_configured = s->device->bit == MCA8000D;
}

void settings_init(struct settings *s, const struct device *device)
{
	*s = (struct settings){.device = device, .hv_limit = device->hv_limit};
	settings_reset(s);
}

/* Copies the word that the parameter abbreviates; false if there is none. */
static bool match_word(const char *words, const char *parameter, char *value)
{
	size_t given = strlen(parameter);
	for (const char *w = words; *w != '\0';) {
		size_t len = strcspn(w, " ");
		bool enough = given == len || given >= 2 || words[0] == 'Y';
		if (given > 0 && given <= len && enough && memcmp(w, parameter, given) == 0) {
			snprintf(value, SETTING_VALUE, "%.*s", (int)len, w);
			return true;
		}
		w += len + (w[len] == ' ');
	}
	return false;
}

/* Edges read back by their first two letters: "RI", "FA". */
static void shorten_edge(char *value)
{
	if (strcmp(value, "RISING") == 0 || strcmp(value, "FALLING") == 0)
		value[2] = '\0';
}

/* "10US" is 10: unit letters after the digits are ignored. */
static bool read_number(const char *parameter, double *number)
{
	char digits[PARAMETER_MAX + 1];
	size_t len = strspn(parameter, "+-.0123456789");
	size_t sign = parameter[0] == '+';
	if (parameter[len + strspn(parameter + len, "ABCDEFGHIJKLMNOPQRSTUVWXYZ%")] != '\0')
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)(len - sign), parameter + sign);
	return number_parse(digits, number) == 0;
}

static bool is_allowed(const struct settings *s, const struct rule *rule, double v)
{
	const struct device *d = s->device;
	if (v < rule->min || v > rule->max)
		return false;
	if (strcmp(rule->name, "GAIN") == 0)
		return v >= d->gain_min && v <= d->gain_max;
	if (strcmp(rule->name, "HVSE") == 0)
		return s->is_hv_positive ? v >= 0 && v <= s->hv_limit : v <= 0 && v >= -s->hv_limit;
	if (strcmp(rule->name, "MCAC") == 0)
		return v == 256 || v == 512 || v == 1024 || v == 2048 || v == 4096 || v == 8192;
	if (strcmp(rule->name, "TPEA") == 0)
		return settings_is(s, "CLCK", "20") ? v >= 0.8 : v <= 25.6;
	return true;
}

/* Peaking times have steps, 0.05 us at 80 MHz and 0.2 us at 20 MHz, and round down. */
static double round_down(const struct settings *s, const struct rule *rule, double v)
{
	double scale = pow(10, rule->decimals);
	if (strcmp(rule->name, "TPEA") == 0) {
		double step = settings_is(s, "CLCK", "20") ? 0.2 : 0.05;
		v = floor(v / step + 1e-9) * step;
	}
	return floor(v * scale + (v < 0 ? 1 - 1e-6 : 1e-6)) / scale;
}

static enum ack set_number(struct settings *s, const struct rule *rule, const char *parameter)
{
	double number;
	char *value = value_of(s, rule);
	if (match_word(rule->words, parameter, value))
		return ACK_OK;
	if (!read_number(parameter, &number) || !is_allowed(s, rule, number)) {
		if (strcmp(rule->name, "MCAC") == 0)
			snprintf(value, SETTING_VALUE, "%s", rule->fallback);
		return ACK_PARAMETER;
	}
	snprintf(value, SETTING_VALUE, "%.*f", rule->decimals, round_down(s, rule, number));
	if (strcmp(rule->name, "TPEA") == 0)
		s->is_configured = true;
	if (strcmp(rule->name, "THFA") == 0)
		s->is_fast_locked = false;
	return ACK_OK;
}

static enum ack set_sca(struct settings *s, const struct rule *rule, const char *parameter)
{
	double v;
	struct sca *sca = &s->sca[s->sca_index];
	if (rule->words[0] != '\0') {
		if (!match_word(rule->words, parameter, sca->output))
			return ACK_PARAMETER;
		shorten_edge(sca->output);
		return ACK_OK;
	}
	if (!read_number(parameter, &v) || v != floor(v) || v < rule->min || v > rule->max)
		return ACK_PARAMETER;
	switch (rule->name[3]) {
	case 'I': s->sca_index = (int)v - 1; break;
	case 'L': sca->low = (int)v; break;
	default: sca->high = (int)v; break;
	}
	return ACK_OK;
}

enum ack settings_set(struct settings *s, const char *name, const char *parameter, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	char text[PARAMETER_MAX + 1], word[SETTING_VALUE];
	const struct rule *rule = rule_find(s, name);
	if (rule == NULL)
		return ACK_COMMAND;
	if (len > PARAMETER_MAX || memchr(parameter, '\0', len) != NULL)
		return ACK_PARAMETER;
	memcpy(text, parameter, len);
	text[len] = '\0';
	switch (rule->kind) {
	case WORD:
		if (!match_word(rule->words, text, value_of(s, rule)))
			return ACK_PARAMETER;
		shorten_edge(value_of(s, rule));
		return ACK_OK;
	case NUMBER: return set_number(s, rule, text);
	case FREE:
		if (len == 0 || strspn(text, letters) != len)
			return ACK_PARAMETER;
		memcpy(value_of(s, rule), text, len + 1);
		return ACK_OK;
	case SCA: return set_sca(s, rule, text);
	case ACTION:
		if (!match_word(rule->words, text, word))
			return ACK_PARAMETER;
		if (word[0] == 'Y')
			settings_reset(s);
		return ACK_OK;
	}
	assert(false);
	return ACK_COMMAND;
}

const char *settings_get(const struct settings *s, const char *name)
{
	const struct rule *rule = rule_find(s, name);
	return rule != NULL ? s->value[rule - rules] : NULL;
}

bool settings_number(const struct settings *s, const char *name, double *value)
{
	const char *text = settings_get(s, name);
	return text != NULL && number_parse(text, value) == 0;
}

bool settings_is(const struct settings *s, const char *name, const char *text)
{
	const char *value = settings_get(s, name);
	return value != NULL && strcmp(value, text) == 0;
}
