/* SPDX-License-Identifier: Apache-2.0 */
#include "jcamp-words.h"

#include <string.h>

#include "format.h"

/* In capitals, without blanks and other signs than '%' and '/'. */
static void squeeze(const char *text, char to[FORMAT_FACT])
{
	size_t n = 0;
	for (; *text != '\0'; text++) {
		char c = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
		if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '%' || c == '/')
			to[n++] = c;
	}
	to[n] = '\0';
}

struct word {
	const char *word;
	struct quantity of;
};

static const struct word places[] = {
	{"1/CM", {"wavenumber", "cm-1"}},
	{"CM1", {"wavenumber", "cm-1"}},
	{"WAVENUMBERS", {"wavenumber", "cm-1"}},
	{"MICROMETERS", {"wavelength", "um"}},
	{"NANOMETERS", {"wavelength", "nm"}},
	{"NM", {"wavelength", "nm"}},
	{"M/Z", {"mz", "1"}},
	{"SECONDS", {"time", "s"}},
	{"MILLISECONDS", {"time", "ms"}},
	{"MINUTES", {"time", "min"}},
	{"HZ", {"abscissa", "Hz"}},
	{"PPM", {"abscissa", "[ppm]"}},
	{NULL, {"abscissa", "1"}},
};

static const struct word values[] = {
	{"ABSORBANCE", {"absorbance", "{absorbance}"}},
	{"TRANSMITTANCE",
		{"transmittance", NULL}}, /* a fraction by the standard; many write per cent */
	{"%TRANSMITTANCE", {"transmittance", "%"}},
	{"PERCENTTRANSMITTANCE", {"transmittance", "%"}},
	{"%T", {"transmittance", "%"}},
	{"REFLECTANCE", {"reflectance", NULL}},
	{"%REFLECTANCE", {"reflectance", "%"}},
	{"%R", {"reflectance", "%"}},
	{"KUBELKAMUNK", {"kubelka_munk", "1"}},
	{"RELATIVEABUNDANCE", {"intensity", "1"}},
	{"RELATIVEINTENSITY", {"intensity", "1"}},
	{"COUNTS", {"ordinate", "{count}"}},
	{"VOLTS", {"ordinate", "V"}},
	{"MILLIVOLTS", {"ordinate", "mV"}},
	{"NANOAMPERES", {"ordinate", "nA"}},
	{NULL, {"ordinate", "1"}},
};

static struct quantity find_word(const struct word *words, const char *text)
{
	char word[FORMAT_FACT];
	squeeze(text, word);
	while (words->word != NULL && strcmp(words->word, word) != 0)
		words++;
	return words->of;
}

struct quantity jcamp_place(const char *units)
{
	return find_word(places, units);
}

enum assay_kind jcamp_sides(const char *type, const char *x_units, const char *y_units,
	struct quantity *x, struct quantity *y)
{
	bool is_chromatogram = strstr(type, "CHROMATOGRAM") != NULL;
	*x = find_word(places, x_units);
	*y = find_word(values, y_units);
	if (strcmp(x->unit, "cm-1") == 0 && strncmp(type, "RAMAN", 5) == 0)
		x->name = "raman_shift";
	if (strcmp(y->name, "ordinate") == 0 && strcmp(x->name, "mz") == 0)
		y->name = "intensity";
	if (strcmp(y->name, "ordinate") == 0 && is_chromatogram)
		y->name = "signal";
	if (strstr(type, "INTERFEROGRAM") == NULL)
		return is_chromatogram ? ASSAY_CHROMATOGRAM : ASSAY_SPECTRUM;
	*y = (struct quantity){"interferogram", "1"};
	return ASSAY_INTERFEROGRAM;
}
