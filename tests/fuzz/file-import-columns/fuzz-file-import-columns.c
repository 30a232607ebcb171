/* SPDX-License-Identifier: Apache-2.0 */
/* A report of arbitrary bytes: the first byte chooses the settings. */
#include "harness.h"

extern const struct format format_columns;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(
	struct import *im, const char *column, const char *use, const char *name, const char *unit)
{
	struct host_settings *row = host_add_row(im->host, "report_columns");
	host_settings_set(row, "column", column);
	host_settings_set(row, "use", use);
	if (name != NULL)
		host_settings_set(row, "name", name);
	if (unit != NULL)
		host_settings_set(row, "unit", unit);
}

static void add_columns(struct import *im)
{
	static const char *const texts[] = {"sample", "person", "method", "title", "serial",
		"model", "date", "time", "sigma", "axis-step", "points", "ignore", "counts"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		add(im, i + 1 < sizeof texts / sizeof texts[0] ? texts[i] : "", texts[i], NULL,
			NULL);
	add(im, "first", "axis-first", NULL, "keV");
	add(im, "units", "unit", NULL, NULL);
	add(im, "{element} unit", "unit", NULL, NULL);
	add(im, "{analyte} error", "error", "mass_fraction", NULL);
	add(im, "{analyte} value", "value", "mass_fraction", NULL);
	add(im, "{element}", "value", "mass_fraction", "%");
	add(im, "live", "aux", "live_time", "s");
	add(im, "kV", "setting", "tube_voltage", "kV");
	add(im, "text", "setting", "reading", NULL);
	struct host_settings *row = host_add_row(im->host, "report_units");
	host_settings_set(row, "text", "ppm");
	host_settings_set(row, "unit", "[ppm]");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const separators[] = {"comma", "semicolon", "tab", "blanks"};
	static const char *const encodings[] = {"utf-8", "cp1252", "shift-jis", "utf-16"};
	if (size == 0)
		return 0;
	unsigned how = data[0];
	struct import *im = import_create("xrf", "r-2023-02-01.csv");
	im->host->quiet = true;
	host_set(im->host, "format", "columns");
	host_set(im->host, "report", how & 1 ? "spectra" : "rows");
	host_set(im->host, "report_separator", separators[how >> 1 & 3]);
	host_set(im->host, "report_encoding", encodings[how >> 3 & 3]);
	host_set(im->host, "report_header", "title");
	host_set(im->host, "report_header_lines", how & 32 ? "2" : "1");
	host_set(im->host, "report_decimal", how & 64 ? "comma" : "point");
	host_set(im->host, "report_thousands", how & 128 ? "apostrophe" : "none");
	host_set(im->host, "report_below", "<LOD");
	host_set(im->host, "report_below_error", "limit");
	host_set(im->host, "report_ignore", "Ave");
	add_columns(im);
	import_add(im, NULL, data + 1, size - 1);
	import_look(im, &format_columns);
	import_all(im);
	import_destroy(im);
	return 0;
}
