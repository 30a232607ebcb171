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

enum { RANK_WINDOW = 9 }; /* SCAI and the commands that follow it, each may occur repeatedly */

enum compare {
	WORD,   /* a difference is only logged */
	EXACT,  /* a number, or OFF */
	ROUNDS, /* a number that the instrument rounds to its steps */
	SKIP,   /* indexed, or written only */
};

/*
 * The known commands.  `has`: two sources agree that the device has it, or the only one that
 * states it; it is sent.  `may`: sources disagree, or a single one denies it; it is sent if the
 * instrument reads a value back, and a device without it reads back "??".  The others lack it.
 * Commands of a counter window (SCA) cannot be read back without an index: a single denial counts.
 *
 * Ranks follow the guide: RESC, CLCK, TPEA, commands that depend on TPEA, RTDE, MCAS; SOFF after
 * MCAC and INOF after AINP.
 */
struct row {
	const char name[5];
	uint8_t has, may, rank;
	bool decides; /* which events are counted, in which channel, or if the detector works */
	enum compare compare;
	double margin; /* EXACT: absolute; ROUNDS: relative */
};

static const struct row rows[] = {
	{"RESC", ALL, 0, 1, true, SKIP, 0},
	{"CLCK", NOT_M, 0, 2, true, WORD, 0},
	{"TPEA", NOT_M, M, 3, true, ROUNDS, 0.2},
	{"GAIF", NOT_M, 0, 4, true, ROUNDS, 0.05},
	{"GAIN", NOT_M, M, 4, true, ROUNDS, 0.05},
	{"RESL", NOT_M, 0, 4, true, ROUNDS, 0.2},
	{"TFLA", NOT_M, 0, 4, true, ROUNDS, 0.2},
	{"TPFA", NOT_M, 0, 4, true, ROUNDS, 0.2},
	{"PURE", ALL, 0, 4, true, WORD, 0},
	{"PURS", D | X, P | G | M | T, 4, true, WORD, 0},
	{"SCTC", G | T, M, 4, true, WORD, 0},
	{"RTDE", NOT_M, 0, 5, true, WORD, 0},
	{"MCAS", ALL, 0, 6, true, WORD, 0},
	{"RTDD", NOT_M, M, 6, true, WORD, 0},
	{"RTDW", NOT_M, M, 6, true, WORD, 0},
	{"MCAC", ALL, 0, 7, true, EXACT, 0},
	{"SOFF", ALL, 0, 8, true, WORD, 0},
	{"AINP", NOT_M, 0, 7, true, WORD, 0},
	{"INOF", D | P | X, 0, 8, true, WORD, 0},
	{"INOG", P, D | G | M | T | X, 8, true, WORD, 0},
	{"GAIA", ALL, 0, 7, true, EXACT, 0},
	{"CUSP", NOT_M, 0, 7, true, WORD, 0},
	{"PDMD", D | P | G | M | T, X, 7, true, WORD, 0},
	{"THSL", ALL, 0, 7, true, ROUNDS, 0.1},
	{"TLLD", ALL, 0, 7, true, EXACT, 0},
	{"THFA", NOT_M, 0, 7, true, ROUNDS, 0.1},
	{"DACO", NOT_M, 0, 7, false, WORD, 0},
	{"DACF", NOT_M, 0, 7, false, WORD, 0},
	{"RTDS", NOT_M, 0, 7, true, WORD, 0},
	{"RTDT", NOT_M, 0, 7, true, WORD, 0},
	{"BLRM", NOT_M, 0, 7, true, WORD, 0},
	{"BLRD", NOT_M, 0, 7, true, WORD, 0},
	{"BLRU", NOT_M, 0, 7, true, WORD, 0},
	{"GATE", D | M | X, 0, 7, true, WORD, 0},
	{"AUO1", ALL, 0, 7, false, WORD, 0},
	{"PRET", NOT_M, M, 7, true, EXACT, 0.05},
	{"PRER", ALL, 0, 7, true, EXACT, 0.005},
	{"PREL", M, 0, 7, true, EXACT, 0.005},
	{"PREC", ALL, 0, 7, true, EXACT, 0},
	{"PRCL", ALL, 0, 7, true, EXACT, 0},
	{"PRCH", ALL, 0, 7, true, EXACT, 0},
	{"HVSE", NOT_M, 0, 7, true, EXACT, 0.5},
	{"TECS", D | P, X, 7, true, EXACT, 0.5},
	{"PAPZ", P, D, 7, true, WORD, 0},
	{"PAPS", D | P | X, G | M | T, 7, true, WORD, 0},
	{"SCOE", ALL, 0, 7, false, WORD, 0},
	{"SCOT", ALL, 0, 7, false, WORD, 0},
	{"SCOG", ALL, 0, 7, false, WORD, 0},
	{"MCSL", ALL, 0, 7, false, WORD, 0},
	{"MCSH", ALL, 0, 7, false, WORD, 0},
	{"MCST", ALL, 0, 7, false, WORD, 0},
	{"AUO2", ALL, 0, 7, false, WORD, 0},
	{"AU34", P | G | T, D | M | X, 7, false, WORD, 0},
	{"TPMO", D | P | G | T, X, 7, true, WORD, 0},
	{"GPED", ALL, 0, 7, false, WORD, 0},
	{"GPIN", ALL, 0, 7, false, WORD, 0},
	{"GPME", ALL, 0, 7, false, WORD, 0},
	{"GPGA", ALL, 0, 7, false, WORD, 0},
	{"GPMC", ALL, 0, 7, false, WORD, 0},
	{"MCAE", ALL, 0, 7, false, SKIP, 0},
	{"VOLU", P, 0, 7, false, WORD, 0},
	{"CON1", P | G | T, 0, 7, false, WORD, 0},
	{"CON2", P | G | T, 0, 7, true, WORD, 0},
	{"BOOT", D | X, 0, 7, false, WORD, 0},
	{"SCAI", NOT_M, 0, RANK_WINDOW, false, SKIP, 0},
	{"SCAL", NOT_M, 0, RANK_WINDOW, false, SKIP, 0},
	{"SCAH", NOT_M, 0, RANK_WINDOW, false, SKIP, 0},
	{"SCAO", NOT_M, 0, RANK_WINDOW, false, SKIP, 0},
	{"SCAW", NOT_M, 0, RANK_WINDOW, false, SKIP, 0},
	{"SYNC", NOT_M, M, 7, false, WORD, 0},
	{"CLKL", NOT_M, M, 7, false, WORD, 0},
	{"LMMO", ALL, 0, 7, false, WORD, 0},
};

/* It is not known whether such a command decides, so a refusal counts. */
static const struct row unknown = {"", ALL, 0, 7, true, WORD, 0};

static const struct row *row_of(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return &unknown;
}

bool command_is_for(const char *name, unsigned device, const char *readback)
{
	const struct row *row = row_of(name);
	char value[32];
	if (row->may & 1u << device)
		return readback_find(readback, name, value, sizeof(value)) == 0;
	return row->has & 1u << device;
}

bool command_decides(const char *name)
{
	return row_of(name)->decides;
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

bool commands_belong(const char *a, const char *b)
{
	return strcmp(a, b) == 0 ||
	       (row_of(a)->rank == RANK_WINDOW && row_of(b)->rank == RANK_WINDOW);
}

bool commands_remove(struct commands *list, const char *name)
{
	size_t kept = 0, count = list->count;
	for (size_t i = 0; i < count; i++)
		if (!commands_belong(list->items[i].name, name))
			list->items[kept++] = list->items[i];
	list->count = kept;
	return kept < count;
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
		if (rows[i].compare != SKIP && (rows[i].has | rows[i].may) & 1u << device)
			append(list, rows[i].name);
}

void commands_restore(struct commands *list, const char *before, const char *now)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *name = rows[i].name;
		char was[COMMAND_VALUE_MAX + 1], is[32];
		if (readback_find(before, name, was, sizeof(was)) == 0 &&
			(readback_find(now, name, is, sizeof(is)) < 0 || strcmp(was, is) != 0))
			commands_set(list, name, was);
	}
	commands_sort(list);
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
	if (row_of(name)->rank != RANK_WINDOW && find(list, name) != NULL) {
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

static bool is_off(const struct assay_host *host, const char *value)
{
	double v;
	return strcmp(value, "OFF") == 0 || (leading_number(host, value, &v) == 0 && v == 0);
}

enum command_match readback_match(
	const struct assay_host *host, const char *text, const struct command *sent)
{
	const struct row *row = row_of(sent->name);
	char got[32];
	if (row->compare == SKIP)
		return COMMAND_SAME;
	if (readback_find(text, sent->name, got, sizeof(got)) < 0)
		return row->decides && row != &unknown ? COMMAND_WRONG : COMMAND_OTHER;
	if (strcmp(sent->value, got) == 0)
		return COMMAND_SAME;
	if (row->decides && row->compare == WORD && is_off(host, sent->value) != is_off(host, got))
		return COMMAND_WRONG;
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
