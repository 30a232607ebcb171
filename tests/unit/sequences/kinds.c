/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amptek-dp5/strict.h"
#include "srs-rga/head.h"

/* --- a PX5 that has the vendor's lists of commands ---------------------------------------------- */

static struct strict px5;

static void attach_px5(struct host *line)
{
	static const char *const fresh[][2] = {{"MCAC", "1024"}, {"CLCK", "80"}, {"TPEA", "2"},
		{"GAIN", "16"}, {"PURE", "OFF"}, {"AINP", "POS"}, {"TECS", "225"}, {"HVSE", "-130"},
		{"BLRM", "1"}, {"THSL", "0.5"}, {"TLLD", "OFF"}, {"RESL", "OFF"},
		{"CON2", "AUXOUT2"}};
	strict_attach(line, &px5, 1, false);
	for (size_t i = 0; i < sizeof fresh / sizeof fresh[0]; i++)
		strict_set(&px5, fresh[i][0], fresh[i][1]);
}

static void show_px5(const char *command, char text[32])
{
	const char *at = strstr(px5.values, command);
	snprintf(text, 32, "%.*s", (int)strcspn(at + 5, ";"), at + 5);
}

static void turn_px5(const char *command, const char *shown)
{
	strict_set(&px5, command, shown);
}

/* --- an RGA head -------------------------------------------------------------------------------- */

static struct head head;

static void attach_head(struct host *line)
{
	head_init(&head, line);
}

static void show_head(const char *command, char text[32])
{
	snprintf(text, 32, "%.10g", head_value(&head, command)->value);
	head.heard[0] = '\0'; /* the buffer is not read here, and fills */
}

static void turn_head(const char *command, const char *shown)
{
	head_value(&head, command)->value = strtod(shown, NULL);
}

/* --- a Modbus TCP server that is only read ------------------------------------------------------ */

static void answer_read(struct host *line, const uint8_t *data, size_t len)
{
	uint8_t reply[300];
	unsigned count = (unsigned)(data[10] << 8 | data[11]);
	if (len != 12 || data[7] != 3 || count > 125)
		host_bug("this is no request to read registers");
	memcpy(reply, data, 8);
	reply[4] = 0;
	reply[5] = (uint8_t)(3 + 2 * count);
	reply[8] = (uint8_t)(2 * count);
	memset(reply + 9, 1, 2 * count);
	host_answer(line, reply, 9 + 2 * count);
}

static void attach_server(struct host *line)
{
	line->device = answer_read;
}

/* --- a sender of lines -------------------------------------------------------------------------- */

static void hear_nothing(struct host *line, const uint8_t *data, size_t len)
{
	host_bug("it is not asked anything");
}

static void attach_sender(struct host *line)
{
	line->device = hear_nothing;
}

/* One a second; unread lines are dropped. */
static void send_line(struct host *line)
{
	static uint64_t second;
	if (line->now / 1000 == second || line->script != NULL)
		return;
	second = line->now / 1000;
	host_answer_text(line, "1.5\n");
}

static void show_nothing(const char *command, char text[32])
{
	text[0] = '\0';
}

/* --- the table ---------------------------------------------------------------------------------- */

const struct kind kinds[] = {
	{.driver = "amptek-dp5",
		.link = ASSAY_LINK_SERIAL,
		.link_text = "{type: serial, port: /dev/zero}",
		.settings = "",
		.knobs = {{"gain",
				  {{"20", "20"}, {"30", "30"}, {"40", "40"}, {"50", "50"},
					  {"60", "60"}},
				  "GAIN", .hand = {"11", "13"}},
			{"cooler_temperature",
				{{"210 K", "210"}, {"211 K", "211"}, {"212 K", "212"},
					{"213 K", "213"}, {"214 K", "214"}},
				"TECS", .hand = {"240", "241"}},
			{"pileup_rejection",
				{{"true", "ON"}, {"true", "ON"}, {"true", "ON"}, {"false", "OFF"},
					{"true", "ON"}},
				"PURE"},
			{"channels",
				{{"256", "256"}, {"512", "512"}, {"2048", "2048"}, {"4096", "4096"},
					{"8192", "8192"}},
				"MCAC"},
			{"configuration",
				{{"\"BLRM=2;\"", "2"}, {"\"BLRM=3;\"", "3"}, {"\"BLRM=4;\"", "4"},
					{"\"BLRM=5;\"", "5"}, {"\"BLRM=6;\"", "6"}},
				"BLRM", .is_whole = true},
			{"preset_time",
				{{"1 s", "1"}, {"2 s", "2"}, {"3 s", "3"}, {"4 s", "4"},
					{"5 s", "5"}},
				"PRET", .none = "OFF", .in_file = true}},
		.attach = attach_px5,
		.show = show_px5,
		.turn = turn_px5,
		.ends = true},
	{.driver = "srs-rga",
		.link = ASSAY_LINK_SERIAL,
		.link_text = "{type: serial, port: /dev/zero}",
		.settings = "mass_first: 1, ",
		.knobs = {{"electron_energy",
				  {{"30 eV", "30"}, {"40 eV", "40"}, {"50 eV", "50"},
					  {"60 eV", "60"}, {"80 eV", "80"}},
				  "EE", .hand = {"65", "75"}},
			{"ion_energy",
				{{"8 eV", "0"}, {"8 eV", "0"}, {"8 eV", "0"}, {"8 eV", "0"},
					{"8 eV", "0"}},
				"IE"},
			{"focus_voltage",
				{{"10 V", "10"}, {"20 V", "20"}, {"30 V", "30"}, {"40 V", "40"},
					{"50 V", "50"}},
				"VF", .hand = {"95", "97"}},
			{"noise_floor",
				{{"1", "1"}, {"2", "2"}, {"3", "3"}, {"5", "5"}, {"6", "6"}}, "NF",
				.none = "4"},
			{"mass_last",
				{{"20", "20"}, {"21", "21"}, {"22", "22"}, {"23", "23"},
					{"24", "24"}},
				"MF", .none = "100"},
			{"emission_current",
				{{"0.5 mA", "0.5"}, {"1 mA", "1"}, {"1.5 mA", "1.5"}, {"2 mA", "2"},
					{"2.5 mA", "2.5"}},
				"FL", .none = "0", .rest = "0"}},
		.attach = attach_head,
		.show = show_head,
		.turn = turn_head,
		.ends = true},
	{.driver = "modbus-map",
		.link = ASSAY_LINK_MODBUS_TCP,
		.link_text = "{type: modbus-tcp, host: 127.0.0.1, port: 9, unit_id: 1}",
		.settings = "points: [{name: temperature, table: holding, address: 0, type: "
			    "uint16, unit: Cel}, {name: pressure, table: holding, address: 9, "
			    "type: uint16, unit: Pa}], ",
		.knobs = {{"readings", {{"1"}, {"2"}, {"3"}, {"4"}, {"5"}}, .in_file = true},
			{"max_gap", {{"0"}, {"1"}, {"2"}, {"20"}, {"30"}}},
			{"word_order", {{"badc"}, {"badc"}, {"cdab"}, {"cdab"}, {"dcba"}}}},
		.attach = attach_server,
		.show = show_nothing,
		.ends = true},
	{.driver = "skeleton",
		.link = ASSAY_LINK_SERIAL,
		.link_text = "{type: serial, port: /dev/zero}",
		.settings = "",
		.knobs = {{"unit", {{"mV"}, {"uV"}, {"kV"}, {"Pa"}, {"Cel"}}},
			{"timeout", {{"2 s"}, {"3 s"}, {"4 s"}, {"5 s"}, {"6 s"}},
				.in_file = true}},
		.attach = attach_sender,
		.show = show_nothing,
		.tick = send_line},
};
const size_t kind_count = sizeof kinds / sizeof kinds[0];
