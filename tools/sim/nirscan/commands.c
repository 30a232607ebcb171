/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands.  The direction is part of the key: a read opcode that is sent as a write does not exist.
 * Those that would change flash, calibration or stored configurations are refused and logged.
 */
#include <stdlib.h>
#include <string.h>

#include "nirscan.h"

#define FILE_SCAN       0
#define FILE_REFERENCE  2
#define ERROR_SCAN      0x001
#define STATUS_TIVA     0x01
#define STATUS_SCANNING 0x02
#define CELSIUS_AMBIENT 2308
#define CELSIUS_SENSOR  2515
#define HUMIDITY        2753
#define BATTERY         390
#define CELSIUS_CPU     3100

struct answer {
	uint8_t *to;
	size_t len, max;
};

static void add_u8(struct answer *a, uint8_t v)
{
	if (a->len < a->max)
		a->to[a->len++] = v;
}

static void add_u32(struct answer *a, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		add_u8(a, (uint8_t)(v >> 8 * i));
}

static void add_text(struct answer *a, const char *text, size_t size)
{
	for (size_t i = 0, n = strlen(text); i < size; i++)
		add_u8(a, i < n ? (uint8_t)text[i] : 0);
}

typedef bool work(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a);

static bool get_file_size(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	uint8_t type = arguments[0];
	bool is_elsewhere = type == 1 || type == 5 || type == 6; /* BLE: no bytes */
	if (type == FILE_SCAN && n->file != NULL)
		n->reading = n->file;
	else if (type == FILE_REFERENCE)
		n->reading = n->reference;
	else if (!is_elsewhere)
		return false;
	n->reading_len = is_elsewhere ? 0 : NIRSCAN_FILE_SIZE;
	n->reading_at = 0;
	add_u32(a, (uint32_t)n->reading_len);
	return true;
}

static bool get_file_data(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	size_t left = n->reading_len - n->reading_at, part = left < a->max ? left : a->max;
	if (part > 0)
		memcpy(a->to, n->reading + n->reading_at, part);
	a->len = part;
	n->reading_at += part;
	return true;
}

static bool get_versions(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	static const uint32_t versions[] = {0x020100, 0x030200, 0x030200, 0x020000, 1, 1, 2};
	for (int i = 0; i < 7; i++)
		add_u32(a, versions[i]);
	return true;
}

static bool start_scan(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	if (n->is_scanning || arguments[0] != 0) { /* there is no card to store it on */
		n->errors |= ERROR_SCAN;
		return false;
	}
	n->is_scanning = true;
	n->scan_ends = n->now + scan_duration(n);
	return true;
}

static bool get_scan_done(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u8(a, !n->is_scanning);
	return true;
}

static bool reset(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	n->is_scanning = false;
	n->errors = 0;
	return true;
}

static bool set_gain(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	uint8_t gain = arguments[0];
	if (gain == 0 || gain > 64 || (gain & (gain - 1)) != 0)
		return false;
	n->gain = gain;
	return true;
}

static bool get_gain(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u8(a, n->gain);
	return true;
}

static bool get_config(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	struct buffer blob = {0};
	if (arguments[0] >= NIRSCAN_CONFIGS)
		return false;
	scan_put_config(n, arguments[0], &blob);
	add_u32(a, (uint32_t)blob.len);
	for (size_t i = 0; i < blob.len; i++)
		add_u8(a, blob.data[i]);
	buffer_finish(&blob);
	return true;
}

static bool count_configs(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u8(a, NIRSCAN_CONFIGS);
	return true;
}

static bool get_active(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u8(a, n->config);
	return true;
}

static bool set_active(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	if (arguments[0] >= NIRSCAN_CONFIGS || n->is_scanning)
		return false;
	n->config = arguments[0];
	n->repeats = nirscan_configs[n->config].repeats;
	add_u32(a, scan_patterns(&nirscan_configs[n->config]));
	return true;
}

static bool set_repeats(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	uint16_t repeats = (uint16_t)(arguments[0] | arguments[1] << 8);
	if (repeats == 0)
		return false;
	n->repeats = repeats;
	return true;
}

static bool get_serial(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	char serial[12];
	snprintf(serial, sizeof serial, "%u",
		n->plan.serial + sim_fault_active(n->m, FAULT_WRONG_IDENTITY));
	add_text(a, serial, 8);
	return true;
}

static bool get_model(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_text(a, "NIRscan Nano SIM", 16);
	return true;
}

static bool get_time(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, (uint32_t)(scan_duration(n) / 1000000));
	return true;
}

static bool get_celsius(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, CELSIUS_AMBIENT);
	add_u32(a, CELSIUS_SENSOR);
	return true;
}

static bool get_humidity(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, CELSIUS_AMBIENT);
	add_u32(a, HUMIDITY);
	return true;
}

static bool get_battery(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, BATTERY);
	return true;
}

static bool get_cpu(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, CELSIUS_CPU);
	return true;
}

static bool set_clock(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	return arguments[1] >= 1 && arguments[1] <= 12 && arguments[2] >= 1 && arguments[2] <= 31 &&
	       arguments[4] < 24 && arguments[5] < 60 && arguments[6] < 60;
}

static bool set_hibernation(
	struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	if (arguments[0] > 1)
		return false;
	n->may_hibernate = arguments[0];
	return true;
}

static bool get_hibernation(
	struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u8(a, n->may_hibernate);
	return true;
}

static bool count_stored(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, 0);
	return true;
}

static bool get_lamp(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	for (int i = 0; i < 3; i++)
		add_u32(a, n->is_scanning ? 1000 : 10);
	return true;
}

static bool get_status(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, STATUS_TIVA | (n->is_scanning ? STATUS_SCANNING : 0));
	return true;
}

/* The bits, four codes of a byte, one of two bytes, and seven of a byte. */
static bool get_errors(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	add_u32(a, n->errors);
	for (int i = 0; i < 4 + 2 + 7; i++)
		add_u8(a, 0);
	return true;
}

static bool clear_errors(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	n->errors = 0;
	return true;
}

static bool take_only(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	return true;
}

static bool fix_gain(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	return arguments[0] <= 1 && set_gain(n, arguments + 1, 1, a);
}

static bool forbid(struct nirscan *n, const uint8_t *arguments, size_t len, struct answer *a)
{
	sim_truth(n->m, "forbidden", ",\"bytes\":%zu", len);
	return false;
}

#define ANY_LENGTH UINT8_MAX

static const struct {
	uint16_t opcode;
	bool is_read;
	uint8_t arguments;
	work *carry_out;
} known_opcodes[] = {
	{0x002D, true, 1, get_file_size},
	{0x002E, true, 0, get_file_data},
	{0x0216, true, 0, get_versions},
	{0x0218, false, 1, start_scan},
	{0x0219, true, 0, get_scan_done},
	{0x021A, false, 0, reset},
	{0x021B, false, 1, set_gain},
	{0x0228, true, 0, get_gain},
	{0x0220, true, 1, get_config},
	{0x0222, true, 0, count_configs},
	{0x0223, true, 0, get_active},
	{0x0224, false, 1, set_active},
	{0x022E, false, 2, set_repeats},
	{0x0233, true, 0, get_serial},
	{0x023C, true, 0, get_model},
	{0x0234, false, 14, take_only},
	{0x0237, true, 0, get_time},
	{0x0300, true, 0, get_celsius},
	{0x0302, true, 0, get_humidity},
	{0x0309, false, 7, set_clock},
	{0x030A, true, 0, get_battery},
	{0x030B, true, 0, get_cpu},
	{0x030E, false, 1, set_hibernation},
	{0x030F, true, 0, get_hibernation},
	{0x0400, true, 0, count_stored},
	{0x0402, true, 0, get_lamp},
	{0x0403, true, 0, get_status},
	{0x0404, true, 0, get_errors},
	{0x0405, false, 0, clear_errors},
	{0x040C, false, 2, fix_gain},
	{0x0025, false, ANY_LENGTH, forbid},
	{0x002A, false, ANY_LENGTH, forbid},
	{0x002F, false, ANY_LENGTH, forbid},
	{0x021E, false, ANY_LENGTH, forbid},
	{0x021F, false, ANY_LENGTH, forbid},
	{0x0221, false, ANY_LENGTH, forbid},
	{0x0227, false, ANY_LENGTH, forbid},
	{0x0229, false, ANY_LENGTH, forbid},
	{0x0230, false, ANY_LENGTH, forbid},
	{0x0232, false, ANY_LENGTH, forbid},
	{0x0236, false, ANY_LENGTH, forbid},
	{0x040A, false, ANY_LENGTH, forbid},
	{0x040B, false, ANY_LENGTH, forbid},
};

enum nirscan_result nirscan_carry_out(struct nirscan *n, const struct nirscan_request *request,
	uint8_t *to, size_t max, size_t *len)
{
	struct answer a = {.to = to, .max = max};
	if (sim_fault_active(n->m, FAULT_BUSY))
		return RESULT_BUSY;
	for (size_t i = 0; i < sizeof known_opcodes / sizeof known_opcodes[0]; i++) {
		if (known_opcodes[i].opcode != request->opcode ||
			known_opcodes[i].is_read != request->is_read)
			continue;
		size_t wants = known_opcodes[i].arguments;
		if (wants != ANY_LENGTH && request->len < wants)
			return RESULT_ERROR;
		n->skips_frame = request->len > wants || wants == ANY_LENGTH;
		bool is_done = known_opcodes[i].carry_out(n, request->arguments, request->len, &a);
		*len = a.len;
		return is_done ? RESULT_OK : RESULT_ERROR;
	}
	sim_truth(n->m, "refused", ",\"opcode\":%u", request->opcode);
	return RESULT_ERROR;
}
