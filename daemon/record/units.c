/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "record/techniques.h"
#include "record/text.h"
#include "record/units.h"

#define ALL    TECHNIQUE_ALL
#define OPTICS (TECHNIQUE_FTIR | TECHNIQUE_NIR | TECHNIQUE_RAMAN | TECHNIQUE_UV_VIS)
#define MASS   (TECHNIQUE_MS | TECHNIQUE_GCMS)
#define RAYS   TECHNIQUE_XRF
#define GAS    (TECHNIQUE_FTIR | TECHNIQUE_NIR | TECHNIQUE_GC | TECHNIQUE_MS | TECHNIQUE_GCMS)

/* In strcmp() order. */
static const struct ucum_unit units[] = {
	{"%", "percent", ALL},
	{"1", "a plain number", ALL},
	{"A", "ampere", ALL},
	{"By", "byte", ALL},
	{"Cel", "degree Celsius", ALL},
	{"GBy", "gigabyte", ALL},
	{"GiBy", "gibibyte", ALL},
	{"Hz", "hertz", ALL},
	{"K", "kelvin", ALL},
	{"K/min", "kelvin per minute", GAS},
	{"K/s", "kelvin per second", GAS},
	{"KiBy", "kibibyte", ALL},
	{"L", "litre", ALL},
	{"L/h", "litre per hour", GAS},
	{"L/min", "litre per minute", GAS},
	{"L/s", "litre per second", GAS},
	{"MBy", "megabyte", ALL},
	{"MHz", "megahertz", ALL},
	{"MJ/m3", "megajoule per cubic metre: heating value of a gas", GAS},
	{"MOhm", "megaohm", ALL},
	{"MPa", "megapascal", GAS},
	{"MeV", "megaelectronvolt", RAYS},
	{"MiBy", "mebibyte", ALL},
	{"Ohm", "ohm", ALL},
	{"Pa", "pascal", ALL},
	{"TBy", "terabyte", ALL},
	{"TiBy", "tebibyte", ALL},
	{"V", "volt", ALL},
	{"W", "watt", ALL},
	{"[degF]", "degree Fahrenheit", ALL},
	{"[pH]", "pH", ALL},
	{"[ppb]", "parts per billion", ALL},
	{"[ppm]", "parts per million", ALL},
	{"[ppth]", "parts per thousand", ALL},
	{"[pptr]", "parts per trillion", ALL},
	{"[psi]", "pound per square inch", GAS},
	{"a", "year", ALL},
	{"atm", "standard atmosphere", GAS},
	{"bar", "bar", ALL},
	{"cm", "centimetre", ALL},
	{"cm-1", "reciprocal centimetre: wavenumber", OPTICS},
	{"cm/s", "centimetre per second", ALL},
	{"cm2", "square centimetre", ALL},
	{"cm3", "cubic centimetre", ALL},
	{"d", "day", ALL},
	{"deg", "degree of arc", ALL},
	{"eV", "electronvolt", RAYS | MASS},
	{"g", "gram", ALL},
	{"g/L", "gram per litre", ALL},
	{"g/cm3", "gram per cubic centimetre", ALL},
	{"g/m3", "gram per cubic metre", ALL},
	{"g/mol", "gram per mole", GAS},
	{"h", "hour", ALL},
	{"hPa", "hectopascal", ALL},
	{"kBy", "kilobyte", ALL},
	{"kHz", "kilohertz", ALL},
	{"kJ/mol", "kilojoule per mole", GAS},
	{"kOhm", "kiloohm", ALL},
	{"kPa", "kilopascal", ALL},
	{"kV", "kilovolt", ALL},
	{"kW", "kilowatt", ALL},
	{"kW.h/m3", "kilowatt hour per cubic metre: heating value of a gas", GAS},
	{"keV", "kiloelectronvolt", RAYS},
	{"kg", "kilogram", ALL},
	{"kg/m3", "kilogram per cubic metre", ALL},
	{"kg/mol", "kilogram per mole", GAS},
	{"m", "metre", ALL},
	{"m-1", "reciprocal metre", OPTICS},
	{"m/s", "metre per second", ALL},
	{"m3", "cubic metre", ALL},
	{"m3/h", "cubic metre per hour", GAS},
	{"mA", "milliampere", ALL},
	{"mL", "millilitre", ALL},
	{"mL/min", "millilitre per minute", ALL},
	{"mPa", "millipascal", ALL},
	{"mV", "millivolt", ALL},
	{"mV.s", "millivolt second: peak area", TECHNIQUE_GC},
	{"mW", "milliwatt", ALL},
	{"mbar", "millibar", ALL},
	{"mg", "milligram", ALL},
	{"mg/L", "milligram per litre", ALL},
	{"mg/kg", "milligram per kilogram", ALL},
	{"mg/m3", "milligram per cubic metre", ALL},
	{"min", "minute", ALL},
	{"mm", "millimetre", ALL},
	{"mm/s", "millimetre per second", ALL},
	{"mm2", "square millimetre", ALL},
	{"mm[Hg]", "millimetre of mercury", GAS},
	{"mmol/mol", "millimole per mole", GAS},
	{"mol/mol", "mole per mole", GAS},
	{"ms", "millisecond", ALL},
	{"nA", "nanoampere", ALL},
	{"ng/g", "nanogram per gram", ALL},
	{"ng/m3", "nanogram per cubic metre", ALL},
	{"nm", "nanometre", OPTICS},
	{"nmol/mol", "nanomole per mole", GAS},
	{"ns", "nanosecond", ALL},
	{"pA", "picoampere", ALL},
	{"rad", "radian", OPTICS},
	{"s", "second", ALL},
	{"u", "unified atomic mass unit", MASS},
	{"uA", "microampere", ALL},
	{"uL", "microlitre", ALL},
	{"uL/min", "microlitre per minute", ALL},
	{"uV", "microvolt", ALL},
	{"uV.s", "microvolt second: peak area", TECHNIQUE_GC},
	{"uW", "microwatt", ALL},
	{"ubar", "microbar", ALL},
	{"ug", "microgram", ALL},
	{"ug/cm2", "microgram per square centimetre", RAYS},
	{"ug/g", "microgram per gram", ALL},
	{"ug/m3", "microgram per cubic metre", ALL},
	{"um", "micrometre", ALL},
	{"um[Hg]", "micrometre of mercury", GAS},
	{"umol/mol", "micromole per mole", GAS},
	{"us", "microsecond", ALL},
	{"wk", "week", ALL},
	{"{absorbance}", "absorbance", OPTICS},
	{"{count}", "count", ALL},
	{"{count}/s", "counts per second", ALL},
	{"{m/z}", "mass-to-charge ratio", MASS},
};

static const struct {
	const char *wrong, *right;
} slips[] = {
	{"ppm", "[ppm]"},
	{"ppb", "[ppb]"},
	{"PPM", "[ppm]"},
	{"PPB", "[ppb]"},
	{"ppmv", "[ppm]"},
	{"ppbv", "[ppb]"},
	{"%vol", "%"},
	{"% vol", "%"},
	{"vol%", "%"},
	{"Vol%", "%"},
	{"vol.%", "%"},
	{"mg/Nm3", "mg/m3"}, /* normal conditions belong into the basis */
	{"mg/m³", "mg/m3"},
	{"µg/m3", "ug/m3"}, /* the micro sign */
	{"μg/m3", "ug/m3"}, /* the Greek letter */
	{"Nm3/h", "m3/h"},
	{"m³/h", "m3/h"},
	{"cc/min", "mL/min"},
	{"mmHg", "mm[Hg]"},
	{"psi", "[psi]"},
	{"F", "[degF]"},
	{"degF", "[degF]"},
	{"°F", "[degF]"},
	{"°C", "Cel"},
	{"Th", "1"},
	{"Da", "u"},
	{"amu", "u"},
	{"m/z", "1"},
	{"C", "Cel"},
	{"degC", "Cel"},
	{"1/cm", "cm-1"},
	{"/cm", "cm-1"},
	{"cps", "{count}/s"},
	{"counts", "{count}"},
	{"count", "{count}"},
	{"AU", "{absorbance}"},
	{"[absorbance]", "{absorbance}"},
	{"absorbance", "{absorbance}"},
	{"sec", "s"},
	{"torr", "mm[Hg]"},
	{"", "1"},
};

#define COUNT (sizeof units / sizeof units[0])

const struct ucum_unit *unit_find(struct assay_string code)
{
	return bsearch(&code, units, COUNT, sizeof units[0], string_compare_row);
}

bool unit_is_allowed(struct assay_string code, unsigned techniques)
{
	const struct ucum_unit *unit = unit_find(code);
	return unit != NULL && (techniques == 0 || (unit->techniques & techniques) != 0);
}

const char *unit_suggest(struct assay_string wrong)
{
	for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++)
		if (assay_string_is(wrong, slips[i].wrong))
			return slips[i].right;
	for (size_t i = 0; i < COUNT; i++)
		if (strlen(units[i].code) == wrong.len && !assay_string_is(wrong, units[i].code) &&
			strncasecmp(units[i].code, wrong.data, wrong.len) == 0)
			return units[i].code;
	return NULL;
}
