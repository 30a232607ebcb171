/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <string.h>

/* "table", then pairs of column and value; a setting has no table. */
static const char *const rows[4][8][16] = {
	{{"requests", "ask", "I", "use", "identity", "reply", "I \"{model text}\" {serial word}"},
		{"requests", "ask", "S{address}", "reply",
			"S {state S|D} {mass number} {unit word}", "reply", "S {state +|-|X}"},
		{"requests", "reply", "T{t number 7}{flags hex 2}{blanks}"},
		{"values", "name", "mass", "unit_from", "unit"},
		{"values", "name", "t", "unit", "Cel", "role", "aux"},
		{"words", "part", "state", "text", "S"},
		{"words", "part", "state", "quality", "missing", "meaning", "other"},
		{"words", "part", "flags", "bit", "3", "quality", "bad", "meaning", "flag"}},
	{{"requests", "ask", "\\x06000", "begin", "\\x02", "end", "\\x03", "lines", "true", "reply",
		 "1.8.0({e number}*kWh)", "reply", "{text}({text}", "reply", "!"},
		{"requests", "ask", "?", "unchecked", "true", "reply", "{n integer}{u text}"},
		{"values", "name", "e", "unit", "W"}, {"values", "name", "n", "unit", "1"},
		{"values", "name", "u", "unit", "1", "role", "aux"}},
	{{"requests", "ask", "W{index},{value}", "use", "start", "each", "x", "reply", "{text}"},
		{"requests", "ask", "X", "length", "12", "reply", "{y float32be 3}"},
		{"requests", "ask", "Y", "reply", "{z numbers}"},
		{"values", "name", "y", "unit", "1", "axis", "x"},
		{"values", "name", "z", "unit", "1", "axis", "x"},
		{"axes", "name", "x", "unit", "s", "first", "0", "step", "1", "count", "3"},
		{"", "frame", "spectrum"}},
	{{"requests", "reply", "{m number} g", "reply", "{m number}{unit |g|kg}"},
		{"requests", "reply", "C{t integer}"}, {"requests", "ask", "HALT", "use", "stop"},
		{"values", "name", "m", "unit", "g"}, {"values", "name", "t", "unit", "1"}},
};

struct host *sample_create(const struct assay_driver *driver, uint8_t bits)
{
	struct host *h = host_create(driver, ASSAY_LINK_SERIAL);
	h->quiet = true;
	host_settings_set(host_add_row(h, "units"), "text", "g");
	host_settings_set(host_add_row(h, "units"), "text", "\\xB5g");
	host_set(h, "address", "07");
	for (size_t i = 0; i < 8 && rows[bits & 3][i][0] != NULL; i++) {
		const char *const *cells = rows[bits & 3][i];
		struct host_settings *row = cells[0][0] != '\0' ? host_add_row(h, cells[0])
								: &h->settings;
		for (size_t c = 1; c + 1 < 16 && cells[c] != NULL; c += 2)
			host_settings_set(row, cells[c], cells[c + 1]);
	}
	if ((bits & 3) == 1) {
		host_set(h, "checksum", bits & 4 ? "crc16-modbus" : "xor8");
		host_set(h, "checksum_form", bits & 8 ? "hex" : "bytes");
		host_set(h, "checksum_after_end", bits & 16 ? "false" : "true");
		host_set(h, "checksum_skip", "1");
	}
	if (bits & 32)
		host_set(h, "echo", "true");
	return h;
}
