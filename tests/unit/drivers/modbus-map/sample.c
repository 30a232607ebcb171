/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <string.h>

/* Rows as "name table address type", then pairs of further columns. */
static const char *const points[][12] = {
	{"concentration", "input", "10", "float32", "analyte", "HCl", "unit", "mg/m3"},
	{"concentration", "input", "12", "float32", "analyte", "CO", "word_order", "abcd"},
	{"u", "input", "14", "float32", "role", "uncertainty", "of", "concentration", "analyte",
		"HCl"},
	{"mass", "holding", "0", "float64", "scale", "1e300", "offset", "-1"},
	{"total", "holding", "4", "uint64", "role", "aux", "unc", "0.5"},
	{"word", "holding", "8", "int16", "role", "aux", "scale", "0.1"},
	{"extra", "input", "600", "int32", "option", "more"},
	{"weight", "holding", "10", "uint16", "high", "p", "sign", "p", "decimals", "p"},
	{"range", "holding", "10", "uint16", "factor", "q", "exponent", "p"},
	{"gas", "holding", "8", "text", "registers", "4", "role", "aux"},
	{"slot", "holding", "8", "uint16", "repeat", "2", "component", "r"},
};
static const char *const parts[][8] = {
	{"p", "holding", "11", "int16", "time", "year"},
	{"q", "holding", "11", "uint32", "mask", "0x70", "codes", "1=0.5"},
	{"r", "holding", "10", "bcd16", "repeat", "2"},
	{"m", "holding", "12", "bcd16", "time", "month"},
};
static const char *const status[][14] = {
	{"fault", "discrete", "3", "bit", "quality", "bad", "reason", "device-error", "text",
		"fault"},
	{"state", "holding", "9", "uint16", "equals", "2", "quality", "suspect", "text",
		"warming up"},
	{"state", "holding", "9", "uint16", "unless", "1", "quality", "missing"},
	{"lamp", "holding", "9", "uint16", "bit", "15"},
	{"flags", "coil", "0", "bit", "of", "concentration", "analyte", "CO", "position", "0",
		"quality", "bad"},
	{"flags", "coil", "9", "bit", "of", "concentration", "analyte", "CO", "position", "31",
		"option", "more"},
};

static void add(struct host *h, const char *table, const char *const *cells, size_t n)
{
	static const char *const first[] = {"name", "table", "address", "type"};
	struct host_settings *row = host_add_row(h, table);
	for (size_t i = 0; i < 4; i++)
		host_settings_set(row, first[i], cells[i]);
	for (size_t i = 4; i + 1 < n && cells[i] != NULL; i += 2)
		host_settings_set(row, cells[i], cells[i + 1]);
}

struct host *sample_create(const struct assay_driver *driver, uint8_t bits)
{
	static const char *const orders[] = {"abcd", "cdab", "badc", "dcba"};
	struct host *h = host_create(driver, ASSAY_LINK_MODBUS_TCP);
	h->quiet = true;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		add(h, "points", points[i], 12);
	for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++)
		add(h, "status", status[i], 14);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		add(h, "parts", parts[i], 8);
	struct host_settings *component = host_add_row(h, "components");
	host_settings_set(component, "code", "5");
	host_settings_set(component, "analyte", "CO");
	host_set(h, "word_order", orders[bits & 3]);
	host_set(h, "address_offset", bits & 4 ? "1" : "0");
	if (bits & 8)
		host_set(h, "options", "more");
	if (bits & 16)
		host_set(h, "basis", "wet");
	return h;
}
