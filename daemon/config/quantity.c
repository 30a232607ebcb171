/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "config/quantity.h"
#include "record/text.h"
#include "record/units.h"

#define NUMBER_BYTES_MAX 40
#define UNIT_BYTES_MAX   24

/* value in the base of the code's dimension = value * factor + offset */
struct unit_row {
	const char *written, *code; /* code NULL: it is the code itself */
	long double factor, offset;
};

/*
 * Bases are small, so that factors are whole numbers: convert() rounds once.  Messages show the
 * first row of a code.
 */
static const struct unit_row units[] = {
	{"1", NULL, 1e9, 0},
	{"%", NULL, 1e7, 0},
	{"[ppth]", NULL, 1e6, 0},
	{"[ppm]", NULL, 1e3, 0},
	{"ppm", "[ppm]", 1e3, 0},
	{"[ppb]", NULL, 1, 0},
	{"ppb", "[ppb]", 1, 0},
	{"mg/kg", NULL, 1e3, 0},
	{"ug/g", NULL, 1e3, 0},
	{"s", NULL, 1e9, 0},
	{"ms", NULL, 1e6, 0},
	{"us", NULL, 1e3, 0},
	{"ns", NULL, 1, 0},
	{"min", NULL, 60e9, 0},
	{"h", NULL, 3600e9, 0},
	{"d", NULL, 86400e9, 0},
	{"wk", NULL, 7 * 86400e9, 0},
	{"a", NULL, 365.25 * 86400e9, 0},
	{"sec", "s", 1e9, 0},
	{"second", "s", 1e9, 0},
	{"seconds", "s", 1e9, 0},
	{"minute", "min", 60e9, 0},
	{"minutes", "min", 60e9, 0},
	{"hour", "h", 3600e9, 0},
	{"hours", "h", 3600e9, 0},
	{"day", "d", 86400e9, 0},
	{"week", "wk", 7 * 86400e9, 0},
	{"year", "a", 365.25 * 86400e9, 0},
	{"days", "d", 86400e9, 0},
	{"weeks", "wk", 7 * 86400e9, 0},
	{"y", "a", 365.25 * 86400e9, 0},
	{"years", "a", 365.25 * 86400e9, 0},
	{"By", NULL, 1, 0},
	{"B", "By", 1, 0},
	{"kB", "kBy", 1e3, 0},
	{"MB", "MBy", 1e6, 0},
	{"GB", "GBy", 1e9, 0},
	{"TB", "TBy", 1e12, 0},
	{"KiB", "KiBy", 0x1p10, 0},
	{"MiB", "MiBy", 0x1p20, 0},
	{"GiB", "GiBy", 0x1p30, 0},
	{"TiB", "TiBy", 0x1p40, 0},
	{"eV", NULL, 1, 0},
	{"keV", NULL, 1e3, 0},
	{"MeV", NULL, 1e6, 0},
	{"nm", NULL, 1, 0},
	{"um", NULL, 1e3, 0},
	{"mm", NULL, 1e6, 0},
	{"cm", NULL, 1e7, 0},
	{"m", NULL, 1e9, 0},
	{"cm-1", NULL, 100, 0},
	{"/cm", "cm-1", 100, 0},
	{"1/cm", "cm-1", 100, 0},
	{"m-1", NULL, 1, 0},
	{"Cel", NULL, 1, 273.15L},
	{"°C", "Cel", 1, 273.15L},
	{"degC", "Cel", 1, 273.15L},
	{"K", NULL, 1, 0},
	{"Pa", NULL, 1e3, 0},
	{"mPa", NULL, 1, 0},
	{"hPa", NULL, 1e5, 0},
	{"kPa", NULL, 1e6, 0},
	{"MPa", NULL, 1e9, 0},
	{"mbar", NULL, 1e5, 0},
	{"ubar", NULL, 100, 0},
	{"bar", NULL, 1e8, 0},
	{"mm[Hg]", NULL, 133322, 0},
	{"Torr", "mm[Hg]", 101325e3L / 760, 0},
	{"mTorr", "um[Hg]", 101325.0L / 760, 0},
	{"atm", NULL, 101325e3, 0},
	{"A", NULL, 1e12, 0},
	{"mA", NULL, 1e9, 0},
	{"uA", NULL, 1e6, 0},
	{"nA", NULL, 1e3, 0},
	{"pA", NULL, 1, 0},
	{"V", NULL, 1e6, 0},
	{"mV", NULL, 1e3, 0},
	{"uV", NULL, 1, 0},
	{"kV", NULL, 1e9, 0},
	{"W", NULL, 1e3, 0},
	{"mW", NULL, 1, 0},
	{"kW", NULL, 1e6, 0},
	{"Ohm", NULL, 1, 0},
	{"kOhm", NULL, 1e3, 0},
	{"MOhm", NULL, 1e6, 0},
	{"Hz", NULL, 1, 0},
	{"kHz", NULL, 1e3, 0},
	{"MHz", NULL, 1e6, 0},
	{"ug", NULL, 1, 0},
	{"mg", NULL, 1e3, 0},
	{"g", NULL, 1e6, 0},
	{"kg", NULL, 1e9, 0},
	{"u", NULL, 1, 0},
	{"uL", NULL, 1, 0},
	{"mL", NULL, 1e3, 0},
	{"L", NULL, 1e6, 0},
	{"m3", NULL, 1e9, 0},
	{"mL/min", NULL, 60000, 0},
	{"uL/min", NULL, 60, 0},
	{"L/min", NULL, 6e7, 0},
	{"L/h", NULL, 1e6, 0},
	{"m3/h", NULL, 1e9, 0},
	{"mg/m3", NULL, 1e3, 0},
	{"ug/m3", NULL, 1, 0},
	{"g/m3", NULL, 1e6, 0},
	{"K/min", NULL, 1, 0},
	{"Cel/min", "K/min", 1, 0},
	{"K/s", NULL, 60, 0},
	{"deg", NULL, 1, 0},
	{"mm/s", NULL, 1, 0},
	{"cm/s", NULL, 10, 0},
	{"m/s", NULL, 1000, 0},
};
#define UNIT_COUNT (sizeof units / sizeof units[0])

/* --- numbers --------------------------------------------------------------------------------- */

static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static size_t count_digits(const char *text)
{
	size_t n = 0;
	while (text[n] >= '0' && text[n] <= '9')
		n++;
	return n;
}

/* The length of the decimal number at the start of the text; 0: none. */
static size_t measure_number(const char *text)
{
	size_t n = text[0] == '-' || text[0] == '+' ? 1 : 0;
	size_t digits = count_digits(text + n);
	n += digits;
	if (text[n] == '.') {
		size_t more = count_digits(text + n + 1);
		digits = more == 0 ? 0 : digits + more;
		n += 1 + more;
	}
	if (digits == 0)
		return 0;
	if (text[n] == 'e' || text[n] == 'E') {
		size_t sign = text[n + 1] == '-' || text[n + 1] == '+' ? 1 : 0;
		size_t exponent = count_digits(text + n + 1 + sign);
		if (exponent != 0)
			n += 1 + sign + exponent;
	}
	return n;
}

/* strtod() in the C locale, of a text measured by measure_number(). */
static int convert_number(const char *text, size_t len, double *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_locale);
	char copy[NUMBER_BYTES_MAX + 1];
	if (len == 0 || len > NUMBER_BYTES_MAX || c_locale == (locale_t)0)
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	double value = strtod_l(copy, NULL, c_locale);
	if (!isfinite(value))
		return -EINVAL;
	*out = value == 0 ? 0 : value; /* no -0: it would be another configuration */
	return 0;
}

int quantity_parse_number(const char *text, double *out)
{
	size_t len = measure_number(text);
	if (len == 0 || text[len] != '\0')
		return -EINVAL;
	return convert_number(text, len, out);
}

static int digit_value(char c, unsigned base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : 99;
	return value < (int)base ? value : -1;
}

int quantity_parse_integer(const char *text, int64_t *out)
{
	bool negative = text[0] == '-';
	if (text[0] == '-' || text[0] == '+')
		text++;
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned base = is_hex ? 16 : 10;
	if (is_hex)
		text += 2;
	else if (text[0] == '0' && text[1] != '\0')
		return -EINVAL; /* octal in C, decimal in YAML */
	if (text[0] == '\0')
		return -EINVAL;
	int64_t value = 0;
	for (; *text != '\0'; text++) {
		int digit = digit_value(*text, base);
		if (digit < 0)
			return -EINVAL;
		if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
			__builtin_sub_overflow(value, (int64_t)digit, &value))
			return -ERANGE;
	}
	if (!negative && value == INT64_MIN)
		return -ERANGE;
	*out = negative ? value : -value;
	return 0;
}

/* --- units ----------------------------------------------------------------------------------- */

/* The blanks at the start of a text, among them the no-break and thin ones of copied texts. */
static size_t count_blanks(const char *text)
{
	static const char *const blanks[] = {" ", "\302\240", "\342\200\257", "\342\200\211"};
	size_t n = 0, i = 0;
	while (i < sizeof blanks / sizeof blanks[0]) {
		size_t len = strlen(blanks[i]);
		bool is_there = strncmp(text + n, blanks[i], len) == 0;
		n += is_there ? len : 0;
		i = is_there ? 0 : i + 1;
	}
	return n;
}

/* Copies a unit without blanks around it and with both micro signs as 'u'; "" if it is too long. */
static const char *tidy(const char *written, char unit[UNIT_BYTES_MAX])
{
	size_t n = 0;
	written += count_blanks(written);
	while (*written != '\0' && n + 1 < UNIT_BYTES_MAX) {
		bool is_micro = strncmp(written, "\302\265", 2) == 0 ||
				strncmp(written, "\316\274", 2) == 0;
		unit[n++] = is_micro ? 'u' : *written;
		written += is_micro ? 2 : 1;
	}
	while (n > 0 && unit[n - 1] == ' ')
		n--;
	unit[*written == '\0' ? n : 0] = '\0';
	return unit;
}

static const struct unit_row *find_unit(const char *written)
{
	char unit[UNIT_BYTES_MAX];
	tidy(written, unit);
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (strcmp(units[i].written, unit) == 0)
			return &units[i];
	return NULL;
}

static const char *code_of(const struct unit_row *row)
{
	return row->code != NULL ? row->code : row->written;
}

static enum dimension_id dimension_of(const struct unit_row *row)
{
	const struct ucum_unit *unit = unit_find(string_of(code_of(row)));
	assert(unit != NULL);
	return unit->dimension;
}

const char *quantity_unit(const char *written)
{
	if (written[0] == '\0')
		return "1";
	const struct unit_row *row = find_unit(written);
	return row != NULL ? code_of(row) : NULL;
}

bool quantity_is_plain(const char *unit)
{
	return unit == NULL || strcmp(unit, "1") == 0 || unit[0] == '{';
}

const char *quantity_spelling(const char *unit, size_t i)
{
	const struct unit_row *wanted = find_unit(unit);
	if (wanted == NULL)
		return i == 0 ? unit : NULL;
	for (size_t k = 0; k < UNIT_COUNT; k++)
		if (dimension_of(&units[k]) == dimension_of(wanted) && i-- == 0)
			return units[k].written;
	return NULL;
}

int quantity_split(const char *text, double *value, const char **unit)
{
	size_t len = measure_number(text);
	if (len == 0 || convert_number(text, len, value) < 0)
		return -EINVAL;
	*unit = text + len + count_blanks(text + len);
	return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* "expected an energy such as 10 eV", or "expected a value in mg/L such as 5 mg/L". */
static int expect(
	const char *unit, const char *found, const struct unit_row *wanted, char why[QUANTITY_TEXT])
{
	if (quantity_is_plain(unit))
		snprintf(why, QUANTITY_TEXT, "expected a number");
	else if (wanted == NULL)
		snprintf(why, QUANTITY_TEXT, "expected a value in %.20s such as %.20s %.20s", unit,
			found, unit);
	else if (dimension_of(wanted) == DIM_PLAIN)
		snprintf(why, QUANTITY_TEXT, "expected a fraction such as 5 %.20s", unit);
	else
		snprintf(why, QUANTITY_TEXT, "expected %s such as %s",
			unit_dimension(dimension_of(wanted))->name,
			unit_dimension(dimension_of(wanted))->example);
	return -EINVAL;
}

/* Units that people write for another one, by the dimension that was wanted. */
static const struct {
	const char *written;
	enum dimension_id dimension;
	const char *meant;
} confused[] = {{"C", DIM_TEMPERATURE, "Cel"}, {"c", DIM_TEMPERATURE, "Cel"},
	{"m", DIM_TIME, "min"}, {"M", DIM_TIME, "min"}, {"S", DIM_TIME, "s"}, {"H", DIM_TIME, "h"},
	{"D", DIM_TIME, "d"}};

/* expect(), and the unit that was meant. */
static int wrong_unit(const char *written, const char *unit, const struct unit_row *wanted,
	char why[QUANTITY_TEXT])
{
	char tidied[UNIT_BYTES_MAX];
	tidy(written, tidied);
	expect(unit, "1", wanted, why);
	size_t len = strlen(why);
	for (size_t i = 0; wanted != NULL && i < sizeof confused / sizeof confused[0]; i++)
		if (confused[i].dimension == dimension_of(wanted) &&
			strcmp(confused[i].written, tidied) == 0)
			snprintf(why + len, QUANTITY_TEXT - len, "; did you mean '%s'?",
				confused[i].meant);
	return -EINVAL;
}

static int unknown_unit(const char *written, const char *unit, char why[QUANTITY_TEXT])
{
	char end[80] = "", tidied[UNIT_BYTES_MAX];
	struct suggest near;
	const char *name;
	suggest_init(&near, tidy(written, tidied));
	for (size_t i = 0; (name = quantity_spelling(unit, i)) != NULL; i++)
		suggest_offer(&near, name);
	if (near.best == NULL)
		return wrong_unit(written, unit, find_unit(unit), why);
	expect(unit, "1", find_unit(unit), why);
	size_t len = strlen(why);
	snprintf(why + len, QUANTITY_TEXT - len, "%s", suggest_text(&near, end, sizeof end));
	return -EINVAL;
}

/* Whether a factor of 1 or more is 10^*exponent. */
static bool is_power_of_ten(long double factor, int *exponent)
{
	for (*exponent = 0; factor > 1; ++*exponent)
		factor /= 10;
	return factor == 1;
}

/* The measured number at the start of `text`, its exponent changed by `shift`, as a new text. */
static void shift_exponent(const char *text, int shift, char to[NUMBER_BYTES_MAX + 8])
{
	size_t len = measure_number(text), digits = strcspn(text, "eE");
	long own = digits < len ? strtol(text + digits + 1, NULL, 10) : 0;
	own = own > 9999 ? 9999 : own < -9999 ? -9999 : own;
	digits = digits < len ? digits : len;
	memcpy(to, text, digits);
	snprintf(to + digits, 8, "e%d", (int)own + shift);
}

/*
 * The number at the start of `text` in another unit of its dimension.  A power of ten goes into the
 * text, so that the result is the float nearest to that decimal; other factors are applied to a
 * long double.
 */
static double convert(const char *text, const struct unit_row *given, const struct unit_row *wanted)
{
	char shifted[NUMBER_BYTES_MAX + 8];
	int exponent = 0;
	bool is_shift = false;
	if (given->offset == wanted->offset && given->factor >= wanted->factor) {
		is_shift = is_power_of_ten(given->factor / wanted->factor, &exponent);
	} else if (given->offset == wanted->offset) {
		is_shift = is_power_of_ten(wanted->factor / given->factor, &exponent);
		exponent = -exponent;
	}
	shift_exponent(text, is_shift ? exponent : 0, shifted);
	if (is_shift)
		return strtod_l(shifted, NULL, c_locale);
	long double value = strtold_l(shifted, NULL, c_locale);
	return (double)((value * given->factor + given->offset - wanted->offset) / wanted->factor);
}

int quantity_read(const char *text, const char *unit, double *out, char why[QUANTITY_TEXT])
{
	if (unit == NULL)
		unit = "1";
	const struct unit_row *wanted = find_unit(unit);
	const char *written;
	char tidied[UNIT_BYTES_MAX];
	if (quantity_split(text, out, &written) < 0)
		return expect(unit, "1", wanted, why);
	if (written[0] == '\0' ? quantity_is_plain(unit) : strcmp(tidy(written, tidied), unit) == 0)
		return 0;
	if (written[0] == '\0') {
		bool has_name = wanted != NULL && dimension_of(wanted) != DIM_PLAIN;
		snprintf(why, QUANTITY_TEXT, "expected %s such as %.6g %.20s: its unit is missing",
			has_name ? unit_dimension(dimension_of(wanted))->name
				 : "a value with its unit",
			*out, unit);
		return -EINVAL;
	}
	const struct unit_row *given = find_unit(written);
	if (given == NULL)
		return unknown_unit(written, unit, why);
	if (wanted == NULL || dimension_of(given) != dimension_of(wanted))
		return wrong_unit(written, unit, wanted, why);
	double value = convert(text, given, wanted);
	*out = value == 0 ? 0 : value;
	return isfinite(*out) ? 0 : expect(unit, "1", wanted, why);
}
