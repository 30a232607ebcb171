/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "status.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	D = 1 << DEVICE_DP5,
	P = 1 << DEVICE_PX5,
	G = 1 << DEVICE_DP5G,
	M = 1 << DEVICE_MCA8000D,
	T = 1 << DEVICE_TB5,
	X = 1 << DEVICE_DP5X,
	ALL = D | P | G | M | T | X,
	NOT_M = ALL & ~M,
};

enum compare {
	WORD,   /* a difference is only logged */
	EXACT,  /* a number, or OFF */
	ROUNDS, /* a number that the instrument rounds to its steps */
	SKIP,   /* indexed, or written only */
};

/*
 * The known commands.  Ranks follow the guide: RESC, CLCK, TPEA, commands that depend on TPEA,
 * RTDE, MCAS; SOFF after MCAC and INOF after AINP.
 */
struct row {
	const char name[5];
	uint8_t devices, rank;
	enum compare compare;
	double margin; /* EXACT: absolute; ROUNDS: relative */
};

static const struct row rows[] = {
	{"RESC", ALL, 1, SKIP, 0},
	{"CLCK", NOT_M, 2, WORD, 0},
	{"TPEA", NOT_M, 3, ROUNDS, 0.2},
	{"GAIF", ALL, 4, ROUNDS, 0.05},
	{"GAIN", ALL, 4, ROUNDS, 0.05},
	{"RESL", NOT_M, 4, ROUNDS, 0.2},
	{"TFLA", NOT_M, 4, ROUNDS, 0.2},
	{"TPFA", NOT_M, 4, ROUNDS, 0.2},
	{"PURE", NOT_M, 4, WORD, 0},
	{"SCTC", NOT_M, 4, WORD, 0},
	{"RTDE", NOT_M, 5, WORD, 0},
	{"MCAS", ALL, 6, WORD, 0},
	{"RTDD", NOT_M, 6, WORD, 0},
	{"RTDW", NOT_M, 6, WORD, 0},
	{"MCAC", ALL, 7, EXACT, 0},
	{"SOFF", NOT_M, 8, WORD, 0},
	{"AINP", NOT_M, 7, WORD, 0},
	{"INOF", NOT_M, 8, WORD, 0},
	{"GAIA", ALL, 7, EXACT, 0},
	{"CUSP", NOT_M, 7, WORD, 0},
	{"PDMD", ALL, 7, WORD, 0},
	{"THSL", ALL, 7, ROUNDS, 0.1},
	{"TLLD", ALL, 7, EXACT, 0},
	{"THFA", NOT_M, 7, ROUNDS, 0.1},
	{"DACO", NOT_M, 7, WORD, 0},
	{"DACF", NOT_M, 7, WORD, 0},
	{"RTDS", NOT_M, 7, WORD, 0},
	{"RTDT", NOT_M, 7, WORD, 0},
	{"BLRM", NOT_M, 7, WORD, 0},
	{"BLRD", NOT_M, 7, WORD, 0},
	{"BLRU", NOT_M, 7, WORD, 0},
	{"GATE", D | M, 7, WORD, 0},
	{"AUO1", ALL, 7, WORD, 0},
	{"PRET", NOT_M, 7, EXACT, 0.05},
	{"PRER", ALL, 7, EXACT, 0.005},
	{"PREL", M, 7, EXACT, 0.005},
	{"PREC", ALL, 7, EXACT, 0},
	{"PRCL", ALL, 7, EXACT, 0},
	{"PRCH", ALL, 7, EXACT, 0},
	{"HVSE", NOT_M, 7, EXACT, 0.5},
	{"TECS", NOT_M & ~G, 7, EXACT, 0.5},
	{"PAPZ", P, 7, WORD, 0},
	{"PAPS", ALL, 7, WORD, 0},
	{"SCOE", ALL, 7, WORD, 0},
	{"SCOT", ALL, 7, WORD, 0},
	{"SCOG", ALL, 7, WORD, 0},
	{"MCSL", ALL, 7, WORD, 0},
	{"MCSH", ALL, 7, WORD, 0},
	{"MCST", ALL, 7, WORD, 0},
	{"AUO2", ALL, 7, WORD, 0},
	{"TPMO", ALL, 7, WORD, 0},
	{"GPED", ALL, 7, WORD, 0},
	{"GPIN", ALL, 7, WORD, 0},
	{"GPME", ALL, 7, WORD, 0},
	{"GPGA", ALL, 7, WORD, 0},
	{"GPMC", ALL, 7, WORD, 0},
	{"MCAE", ALL, 9, SKIP, 0},
	{"VOLU", ALL, 7, WORD, 0},
	{"CON1", ALL, 7, WORD, 0},
	{"CON2", P | G | T, 7, WORD, 0},
	{"BOOT", NOT_M, 7, WORD, 0},
	{"SCAI", ALL, 9, SKIP, 0},
	{"SCAL", ALL, 9, SKIP, 0},
	{"SCAH", ALL, 9, SKIP, 0},
	{"SCAO", ALL, 9, SKIP, 0},
	{"SCAW", ALL, 9, SKIP, 0},
	{"SYNC", NOT_M, 7, WORD, 0},
	{"CLKL", NOT_M, 7, WORD, 0},
	{"LMMO", NOT_M, 7, WORD, 0},
};

static const struct row unknown = {"", ALL, 7, WORD, 0};

static const struct row *row_of(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return &unknown;
}

bool command_is_for(const char *name, unsigned device)
{
	return row_of(name)->devices & 1u << device;
}

/* --- the list --- */

static struct command *find(struct commands *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

const struct command *commands_find(const struct commands *list, const char *name)
{
	return find((struct commands *)(uintptr_t)list, name);
}

static struct command *append(struct commands *list, const char *name)
{
	if (list->count == COMMANDS_MAX)
		return NULL;
	struct command *c = &list->items[list->count++];
	*c = (struct command){0};
	memcpy(c->name, name, 4);
	return c;
}

int commands_set(struct commands *list, const char *name, const char *value)
{
	struct command *c = find(list, name);
	if (c == NULL)
		c = append(list, name);
	if (c == NULL || strlen(value) > COMMAND_VALUE_MAX)
		return -EINVAL;
	memcpy(c->value, value, strlen(value) + 1);
	return 0;
}

bool commands_remove(struct commands *list, const char *name)
{
	struct command *c = find(list, name);
	if (c == NULL)
		return false;
	size_t after = (size_t)(list->items + list->count - c - 1);
	memmove(c, c + 1, after * sizeof(*c));
	list->count--;
	return true;
}

void commands_sort(struct commands *list)
{
	for (size_t i = 1; i < list->count; i++) {
		struct command c = list->items[i];
		size_t at = i;
		for (; at > 0 && row_of(list->items[at - 1].name)->rank > row_of(c.name)->rank;
			at--)
			list->items[at] = list->items[at - 1];
		list->items[at] = c;
	}
}

void commands_query(struct commands *list, unsigned device)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].compare != SKIP && command_is_for(rows[i].name, device))
			append(list, rows[i].name);
}

/* --- text --- */

static bool is_name(const char *s)
{
	if (s[0] < 'A' || s[0] > 'Z')
		return false;
	for (int i = 1; i < 4; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9')))
			return false;
	return s[4] == '=';
}

static int read_command(struct commands *list, const char **text, char *why, size_t why_size)
{
	const char *s = *text;
	size_t n = is_name(s) ? strspn(s + 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-?") : 0;
	if (!is_name(s) || n > COMMAND_VALUE_MAX || s[5 + n] != ';') {
		snprintf(why, why_size, "\"%.*s\" is not a command like MCAC=2048;",
			(int)strcspn(s, "\r\n"), s);
		return -EINVAL;
	}
	char name[5] = {s[0], s[1], s[2], s[3], '\0'};
	if (row_of(name)->rank != 9 && find(list, name) != NULL) {
		snprintf(why, why_size, "%s is given twice", name);
		return -EINVAL;
	}
	struct command *c = append(list, name);
	if (c == NULL) {
		snprintf(why, why_size, "more than %d commands", COMMANDS_MAX);
		return -EINVAL;
	}
	memcpy(c->value, s + 5, n);
	*text = s + 5 + n + 1;
	return 0;
}

int commands_parse(struct commands *list, const char *text, char *why, size_t why_size)
{
	static const char section[] = "[DP5 Configuration File]";
	bool is_wanted = true;
	while (*text != '\0') {
		if (strchr(" \t\r\n", *text) != NULL) {
			text++;
		} else if (*text == '[') {
			is_wanted = strncmp(text, section, sizeof(section) - 1) == 0;
			text += strcspn(text, "\n");
		} else if (!is_wanted) {
			text += strcspn(text, "\n");
		} else {
			int r = read_command(list, &text, why, why_size);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static size_t item_length(const struct command *c)
{
	return 4 + 1 + strlen(c->value) + 1;
}

size_t commands_pack(
	const struct commands *list, size_t *at, bool whole_usb, char *out, size_t size)
{
	size_t len = 0, end = *at;
	while (end < list->count && len + item_length(&list->items[end]) <= size)
		len += item_length(&list->items[end++]);
	if (whole_usb && len % 64 == 56)
		len -= item_length(&list->items[--end]);
	char *to = out;
	for (; *at < end; (*at)++) {
		const struct command *c = &list->items[*at];
		memcpy(to, c->name, 4);
		to[4] = '=';
		size_t n = strlen(c->value);
		memcpy(to + 5, c->value, n);
		to[5 + n] = ';';
		to += item_length(c);
	}
	return len;
}

/* --- reading back --- */

int readback_find(const char *text, const char *name, char *value, size_t size)
{
	for (const char *s = text; *s != '\0';) {
		size_t n = strcspn(s, ";");
		if (n > 5 && memcmp(s, name, 4) == 0 && s[4] == '=' && s[5] != '?' &&
			n - 5 < size) {
			memcpy(value, s + 5, n - 5);
			value[n - 5] = '\0';
			return 0;
		}
		s += n + (s[n] == ';');
	}
	return -ENOENT;
}

static int leading_number(const struct assay_host *host, const char *value, double *out)
{
	size_t n = strspn(value, "+-.0123456789");
	if (value[n + strspn(value + n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
		return -ENOENT;
	return n > 0 && assay_parse_number(host, value, n, out) == 0 ? 0 : -ENOENT;
}

int readback_number(const struct assay_host *host, const char *text, const char *name, double *out)
{
	char value[32];
	int r = readback_find(text, name, value, sizeof(value));
	return r < 0 ? r : leading_number(host, value, out);
}

/* "RI" and "RISING" are the same; with ON, AUTO and DEF the instrument chooses. */
static bool same_word(const char *sent, const char *got)
{
	size_t a = strlen(sent), b = strlen(got);
	if (strncmp(sent, got, a < b ? a : b) == 0)
		return true;
	bool open = strcmp(sent, "ON") == 0 || strncmp(sent, "AU", 2) == 0 ||
		    strcmp(sent, "DEF") == 0;
	return open && strcmp(got, "OFF") != 0;
}

enum command_match readback_match(
	const struct assay_host *host, const char *text, const struct command *sent)
{
	const struct row *row = row_of(sent->name);
	char got[32];
	if (row->compare == SKIP)
		return COMMAND_SAME;
	if (readback_find(text, sent->name, got, sizeof(got)) < 0)
		return row->compare == WORD ? COMMAND_OTHER : COMMAND_WRONG;
	if (strcmp(sent->value, got) == 0)
		return COMMAND_SAME;
	double a, b;
	if (leading_number(host, sent->value, &a) < 0 || leading_number(host, got, &b) < 0) {
		if (row->compare != WORD)
			return COMMAND_WRONG;
		return same_word(sent->value, got) ? COMMAND_SAME : COMMAND_OTHER;
	}
	double difference = fabs(a - b);
	if (difference == 0)
		return COMMAND_SAME;
	if (row->compare == WORD)
		return COMMAND_OTHER;
	double margin = row->compare == ROUNDS ? row->margin * fabs(a) : row->margin;
	return difference <= margin ? COMMAND_ROUNDED : COMMAND_WRONG;
}

void command_number(char *out, size_t size, double value, int digits)
{
	double scale = pow(10, digits);
	long long scaled = llround(fabs(value) * scale), unit = llround(scale);
	int n = snprintf(out, size, "%s%lld", value < 0 && scaled != 0 ? "-" : "", scaled / unit);
	long long rest = scaled % unit;
	while (rest != 0 && rest % 10 == 0 && digits-- > 0)
		rest /= 10;
	if (rest != 0 && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, ".%0*lld", digits, rest);
}
