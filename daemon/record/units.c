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
	{"%", "percent", DIM_PLAIN, ALL},
	{"/min", "per minute: speed of rotation", DIM_FREQUENCY, ALL},
	{"1", "a plain number", DIM_PLAIN, ALL},
	{"A", "ampere", DIM_CURRENT, ALL},
	{"By", "byte", DIM_DATA, ALL},
	{"Cel", "degree Celsius", DIM_TEMPERATURE, ALL},
	{"GBy", "gigabyte", DIM_DATA, ALL},
	{"GiBy", "gibibyte", DIM_DATA, ALL},
	{"Hz", "hertz", DIM_FREQUENCY, ALL},
	{"K", "kelvin", DIM_TEMPERATURE, ALL},
	{"K/min", "kelvin per minute", DIM_RAMP, GAS},
	{"K/s", "kelvin per second", DIM_RAMP, GAS},
	{"KiBy", "kibibyte", DIM_DATA, ALL},
	{"L", "litre", DIM_VOLUME, ALL},
	{"L/h", "litre per hour", DIM_FLOW, GAS},
	{"L/min", "litre per minute", DIM_FLOW, GAS},
	{"L/s", "litre per second", DIM_FLOW, GAS},
	{"MBy", "megabyte", DIM_DATA, ALL},
	{"MHz", "megahertz", DIM_FREQUENCY, ALL},
	{"MJ/m3", "megajoule per cubic metre: heating value of a gas", DIM_HEATING_VALUE, GAS},
	{"MOhm", "megaohm", DIM_RESISTANCE, ALL},
	{"MPa", "megapascal", DIM_PRESSURE, GAS},
	{"MW", "megawatt", DIM_POWER, ALL},
	{"MW.h", "megawatt hour", DIM_ENERGY, ALL},
	{"MeV", "megaelectronvolt", DIM_ENERGY, RAYS},
	{"MiBy", "mebibyte", DIM_DATA, ALL},
	{"N", "newton", DIM_FORCE, ALL},
	{"Ohm", "ohm", DIM_RESISTANCE, ALL},
	{"Pa", "pascal", DIM_PRESSURE, ALL},
	{"TBy", "terabyte", DIM_DATA, ALL},
	{"TiBy", "tebibyte", DIM_DATA, ALL},
	{"V", "volt", DIM_VOLTAGE, ALL},
	{"V.A", "volt ampere: apparent power", DIM_POWER, ALL},
	{"V.A{reactive}", "volt ampere, reactive: var", DIM_POWER, ALL},
	{"W", "watt", DIM_POWER, ALL},
	{"W.h", "watt hour", DIM_ENERGY, ALL},
	{"[degF]", "degree Fahrenheit", DIM_TEMPERATURE, ALL},
	{"[in_i'Hg]", "inch of mercury", DIM_PRESSURE, ALL},
	{"[lb_av]", "pound", DIM_MASS, ALL},
	{"[pH]", "pH", DIM_ACIDITY, ALL},
	{"[ppb]", "parts per billion", DIM_PLAIN, ALL},
	{"[ppm]", "parts per million", DIM_PLAIN, ALL},
	{"[ppth]", "parts per thousand", DIM_PLAIN, ALL},
	{"[pptr]", "parts per trillion", DIM_PLAIN, ALL},
	{"[psi]", "pound per square inch", DIM_PRESSURE, GAS},
	{"a", "year", DIM_TIME, ALL},
	{"atm", "standard atmosphere", DIM_PRESSURE, GAS},
	{"bar", "bar", DIM_PRESSURE, ALL},
	{"cm", "centimetre", DIM_LENGTH, ALL},
	{"cm-1", "reciprocal centimetre: wavenumber", DIM_WAVENUMBER, OPTICS},
	{"cm/s", "centimetre per second", DIM_SPEED, ALL},
	{"cm2", "square centimetre", DIM_AREA, ALL},
	{"cm3", "cubic centimetre", DIM_VOLUME, ALL},
	{"d", "day", DIM_TIME, ALL},
	{"deg", "degree of arc", DIM_ANGLE, ALL},
	{"eV", "electronvolt", DIM_ENERGY, RAYS | MASS},
	{"g", "gram", DIM_MASS, ALL},
	{"g/L", "gram per litre", DIM_MASS_CONCENTRATION, ALL},
	{"g/cm3", "gram per cubic centimetre", DIM_MASS_CONCENTRATION, ALL},
	{"g/kg", "gram per kilogram", DIM_PLAIN, ALL},
	{"g/m3", "gram per cubic metre", DIM_MASS_CONCENTRATION, ALL},
	{"g/mol", "gram per mole", DIM_MOLAR_MASS, GAS},
	{"h", "hour", DIM_TIME, ALL},
	{"hPa", "hectopascal", DIM_PRESSURE, ALL},
	{"kBy", "kilobyte", DIM_DATA, ALL},
	{"kHz", "kilohertz", DIM_FREQUENCY, ALL},
	{"kJ/mol", "kilojoule per mole", DIM_MOLAR_ENERGY, GAS},
	{"kN", "kilonewton", DIM_FORCE, ALL},
	{"kOhm", "kiloohm", DIM_RESISTANCE, ALL},
	{"kPa", "kilopascal", DIM_PRESSURE, ALL},
	{"kV", "kilovolt", DIM_VOLTAGE, ALL},
	{"kV.A", "kilovolt ampere: apparent power", DIM_POWER, ALL},
	{"kV.A{reactive}", "kilovolt ampere, reactive: kvar", DIM_POWER, ALL},
	{"kW", "kilowatt", DIM_POWER, ALL},
	{"kW.h", "kilowatt hour", DIM_ENERGY, ALL},
	{"kW.h/m3", "kilowatt hour per cubic metre: heating value of a gas", DIM_HEATING_VALUE,
		GAS},
	{"keV", "kiloelectronvolt", DIM_ENERGY, RAYS},
	{"kg", "kilogram", DIM_MASS, ALL},
	{"kg/m3", "kilogram per cubic metre", DIM_MASS_CONCENTRATION, ALL},
	{"kg/mol", "kilogram per mole", DIM_MOLAR_MASS, GAS},
	{"lx", "lux", DIM_ILLUMINANCE, ALL},
	{"m", "metre", DIM_LENGTH, ALL},
	{"m-1", "reciprocal metre", DIM_WAVENUMBER, OPTICS},
	{"m/s", "metre per second", DIM_SPEED, ALL},
	{"m3", "cubic metre", DIM_VOLUME, ALL},
	{"m3/h", "cubic metre per hour", DIM_FLOW, GAS},
	{"mA", "milliampere", DIM_CURRENT, ALL},
	{"mL", "millilitre", DIM_VOLUME, ALL},
	{"mL/min", "millilitre per minute", DIM_FLOW, ALL},
	{"mPa", "millipascal", DIM_PRESSURE, ALL},
	{"mS/cm", "millisiemens per centimetre", DIM_CONDUCTIVITY, ALL},
	{"mV", "millivolt", DIM_VOLTAGE, ALL},
	{"mV.s", "millivolt second: peak area", DIM_PEAK_AREA, TECHNIQUE_GC},
	{"mW", "milliwatt", DIM_POWER, ALL},
	{"mbar", "millibar", DIM_PRESSURE, ALL},
	{"mg", "milligram", DIM_MASS, ALL},
	{"mg/L", "milligram per litre", DIM_MASS_CONCENTRATION, ALL},
	{"mg/kg", "milligram per kilogram", DIM_PLAIN, ALL},
	{"mg/m3", "milligram per cubic metre", DIM_MASS_CONCENTRATION, ALL},
	{"min", "minute", DIM_TIME, ALL},
	{"mm", "millimetre", DIM_LENGTH, ALL},
	{"mm/s", "millimetre per second", DIM_SPEED, ALL},
	{"mm2", "square millimetre", DIM_AREA, ALL},
	{"mm[Hg]", "millimetre of mercury", DIM_PRESSURE, GAS},
	{"mmol/mol", "millimole per mole", DIM_PLAIN, GAS},
	{"mol/mol", "mole per mole", DIM_PLAIN, GAS},
	{"ms", "millisecond", DIM_TIME, ALL},
	{"nA", "nanoampere", DIM_CURRENT, ALL},
	{"ng/g", "nanogram per gram", DIM_PLAIN, ALL},
	{"ng/m3", "nanogram per cubic metre", DIM_MASS_CONCENTRATION, ALL},
	{"nm", "nanometre", DIM_LENGTH, OPTICS},
	{"nmol/mol", "nanomole per mole", DIM_PLAIN, GAS},
	{"ns", "nanosecond", DIM_TIME, ALL},
	{"pA", "picoampere", DIM_CURRENT, ALL},
	{"rad", "radian", DIM_ANGLE, OPTICS},
	{"s", "second", DIM_TIME, ALL},
	{"t", "tonne", DIM_MASS, ALL},
	{"u", "unified atomic mass unit", DIM_ATOMIC_MASS, MASS},
	{"uA", "microampere", DIM_CURRENT, ALL},
	{"uL", "microlitre", DIM_VOLUME, ALL},
	{"uL/min", "microlitre per minute", DIM_FLOW, ALL},
	{"uS/cm", "microsiemens per centimetre", DIM_CONDUCTIVITY, ALL},
	{"uV", "microvolt", DIM_VOLTAGE, ALL},
	{"uV.s", "microvolt second: peak area", DIM_PEAK_AREA, TECHNIQUE_GC},
	{"uW", "microwatt", DIM_POWER, ALL},
	{"ubar", "microbar", DIM_PRESSURE, ALL},
	{"ug", "microgram", DIM_MASS, ALL},
	{"ug/cm2", "microgram per square centimetre", DIM_AREAL_MASS, RAYS},
	{"ug/g", "microgram per gram", DIM_PLAIN, ALL},
	{"ug/m3", "microgram per cubic metre", DIM_MASS_CONCENTRATION, ALL},
	{"um", "micrometre", DIM_LENGTH, ALL},
	{"um[Hg]", "micrometre of mercury", DIM_PRESSURE, GAS},
	{"umol/mol", "micromole per mole", DIM_PLAIN, GAS},
	{"us", "microsecond", DIM_TIME, ALL},
	{"wk", "week", DIM_TIME, ALL},
	{"{absorbance}", "absorbance", DIM_PLAIN, OPTICS},
	{"{count}", "count", DIM_PLAIN, ALL},
	{"{count}/s", "counts per second", DIM_COUNT_RATE, ALL},
	{"{m/z}", "mass-to-charge ratio", DIM_PLAIN, MASS},
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
	{"inHg", "[in_i'Hg]"},
	{"in[Hg]", "[in_i'Hg]"},
	{"VA", "V.A"},
	{"kVA", "kV.A"},
	{"var", "V.A{reactive}"},
	{"VAr", "V.A{reactive}"},
	{"kvar", "kV.A{reactive}"},
	{"Wh", "W.h"},
	{"kWh", "kW.h"},
	{"MWh", "MW.h"},
	{"µS/cm", "uS/cm"}, /* the micro sign */
	{"μS/cm", "uS/cm"}, /* the Greek letter */
	{"rpm", "/min"},
	{"RPM", "/min"},
	{"1/min", "/min"},
	{"lux", "lx"},
	{"lb", "[lb_av]"},
	{"", "1"},
};

#define COUNT (sizeof units / sizeof units[0])

static const struct dimension dimensions[DIM_COUNT] = {
	[DIM_PLAIN] = {"a number without unit", "1"},
	[DIM_TIME] = {"a time", "60 s"},
	[DIM_DATA] = {"a size", "200 GiB"},
	[DIM_ENERGY] = {"an energy", "10 eV"},
	[DIM_LENGTH] = {"a length", "10 mm"},
	[DIM_WAVENUMBER] = {"a wavenumber", "4 cm-1"},
	[DIM_TEMPERATURE] = {"a temperature", "25 Cel"},
	[DIM_PRESSURE] = {"a pressure", "1000 mbar"},
	[DIM_CURRENT] = {"a current", "1 mA"},
	[DIM_VOLTAGE] = {"a voltage", "40 kV"},
	[DIM_POWER] = {"a power", "50 W"},
	[DIM_RESISTANCE] = {"a resistance", "50 Ohm"},
	[DIM_FREQUENCY] = {"a frequency", "10 kHz"},
	[DIM_COUNT_RATE] = {"a count rate", "100 {count}/s"},
	[DIM_MASS] = {"a mass", "10 mg"},
	[DIM_ATOMIC_MASS] = {"a mass in u", "28 u"},
	[DIM_MOLAR_MASS] = {"a molar mass", "28 g/mol"},
	[DIM_MOLAR_ENERGY] = {"a molar energy", "800 kJ/mol"},
	[DIM_AREA] = {"an area", "10 mm2"},
	[DIM_AREAL_MASS] = {"a mass per area", "10 ug/cm2"},
	[DIM_VOLUME] = {"a volume", "1 uL"},
	[DIM_FLOW] = {"a flow", "1 mL/min"},
	[DIM_MASS_CONCENTRATION] = {"a concentration", "5 mg/m3"},
	[DIM_HEATING_VALUE] = {"a heating value", "36 MJ/m3"},
	[DIM_RAMP] = {"a temperature rate", "10 Cel/min"},
	[DIM_ANGLE] = {"an angle", "45 deg"},
	[DIM_SPEED] = {"a speed", "1 mm/s"},
	[DIM_PEAK_AREA] = {"a peak area", "1 mV.s"},
	[DIM_ACIDITY] = {"a pH", "7 [pH]"},
	[DIM_FORCE] = {"a force", "10 N"},
	[DIM_CONDUCTIVITY] = {"a conductivity", "500 uS/cm"},
	[DIM_ILLUMINANCE] = {"an illuminance", "500 lx"},
};

const struct dimension *unit_dimension(enum dimension_id id)
{
	return &dimensions[id];
}

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
