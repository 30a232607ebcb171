/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "decode.h"
#include "registers.h"

#define ILLEGAL_ADDRESS    (ASSAY_MODBUS_EXCEPTION - 2)
#define TEXT_REGISTERS_MAX 32
#define WHY_MAX            80
#define BUSY_MS            100 /* until the first repetition; then twice as long */
#define BUSY_MAX           5
#define LASTING            3 /* polls in a row without a sound reply: not only one that was lost */

static bool is_exception(int r)
{
	return r <= ASSAY_MODBUS_EXCEPTION - 1 && r >= ASSAY_MODBUS_EXCEPTION - 255;
}

/* "Modbus application protocol" 1.1b3, 7; from 1. */
static const char *const exceptions[] = {"", "no such function", "no such address",
	"not so many values", "the device failed", "still working", "busy", "",
	"memory parity error", "", "the gateway has no path",
	"the unit behind the gateway is silent"};

/* Worth another request soon: still working, busy, and those of a gateway. */
static bool is_temporary(int r)
{
	int n = ASSAY_MODBUS_EXCEPTION - r;
	return n == 5 || n == 6 || n == 10 || n == 11;
}

/* The request itself is refused: function, address, or number of values. */
static bool is_refusal(int r)
{
	return r <= ASSAY_MODBUS_EXCEPTION - 1 && r >= ASSAY_MODBUS_EXCEPTION - 3;
}

/* The result of a failed request, as the raw block of the frame has it. */
static const char *describe(int r, char *text, size_t size)
{
	if (is_exception(r))
		snprintf(text, size, "exception %d", ASSAY_MODBUS_EXCEPTION - r);
	else
		snprintf(text, size, "%s", r == -ETIMEDOUT ? "timeout" : "malformed");
	return text;
}

/* The same for people. */
static const char *explain(int r, char *text, size_t size)
{
	size_t n = (size_t)(ASSAY_MODBUS_EXCEPTION - r);
	bool is_known = is_exception(r) && n < sizeof(exceptions) / sizeof(*exceptions);
	describe(r, text, size);
	if (r == -EBADMSG)
		snprintf(text, size, "malformed (what comes is no reply to the request)");
	if (is_known && exceptions[n][0] != '\0')
		snprintf(text, size, "exception %zu (%s)", n, exceptions[n]);
	return text;
}

/* Splits a joined request that the instrument refuses, or does not answer, and logs it. */
static bool split(struct assay_instrument *ins, struct plan *plan, size_t index, int r)
{
	char name[PLAN_NAME_MAX], why[WHY_MAX];
	size_t before = plan->count;
	memcpy(name, plan->blocks[index].name, sizeof(name));
	if (!plan_split(plan, index))
		return false;
	assay_log(ins, ASSAY_LOG_WARN,
		"%s: %s; it is read as %zu requests from now on: see max_gap, group, and the "
		"link's max_registers",
		name, explain(r, why, sizeof(why)), plan->count - before + 1);
	return true;
}

/* --- identity --------------------------------------------------------------------------------- */

static const char *const fields[] = {"make", "model", "serial", "fw", NULL};
static const char *const tables[] = {"holding", "input", NULL};
static const char *const types[] = {"text", "uint16", "uint32", "uint64", NULL};

const struct assay_setting poll_identity_columns[] = {
	{.name = "field",
		.type = ASSAY_CHOICE,
		.choices = fields,
		.flags = ASSAY_REQUIRED,
		.help = "field of the identity"},
	{.name = "table",
		.type = ASSAY_CHOICE,
		.choices = tables,
		.flags = ASSAY_REQUIRED,
		.help = "function code 03 or 04"},
	{.name = "address",
		.type = ASSAY_INT,
		.min = 0,
		.max = 65535,
		.flags = ASSAY_REQUIRED,
		.help = "protocol address, counted from 0"},
	{.name = "type",
		.type = ASSAY_CHOICE,
		.choices = types,
		.fallback = "text",
		.help = "text: two letters per register"},
	{.name = "registers",
		.type = ASSAY_INT,
		.min = 1,
		.max = TEXT_REGISTERS_MAX,
		.fallback = "8",
		.help = "length of a text"},
	{.name = "word_order",
		.type = ASSAY_CHOICE,
		.choices = register_order_names,
		.help = "absent: that of the settings; badc: text with its letters swapped"},
	{.name = NULL},
};

struct field {
	const char *name;
	unsigned index; /* in `fields` */
	enum assay_modbus_table table;
	long address;
	unsigned registers;
	bool is_text;
	enum register_order order;
};

static void read_field(const struct assay_settings *settings, const struct assay_settings *row,
	struct field *field)
{
	const char *type = assay_text(row, "type"), *order = assay_text(row, "word_order");
	if (order == NULL)
		order = assay_text(settings, "word_order");
	field->name = assay_text(row, "field");
	field->index = register_name_index(fields, field->name);
	field->table = strcmp(assay_text(row, "table"), "input") == 0 ? ASSAY_INPUT : ASSAY_HOLDING;
	field->address = (long)(assay_int(row, "address") + assay_int(settings, "address_offset"));
	field->is_text = strcmp(type, "text") == 0;
	field->registers = field->is_text                ? (unsigned)assay_int(row, "registers")
			   : strcmp(type, "uint64") == 0 ? 4
			   : strcmp(type, "uint32") == 0 ? 2
							 : 1;
	field->order = (enum register_order)register_name_index(register_order_names, order);
}

/* A text ends at a NUL, or at the first byte of memory that was never written. */
static void put_text(const uint8_t *wire, size_t bytes, bool swapped, char *to, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < bytes && len + 1 < size; i++) {
		uint8_t c = wire[swapped ? i ^ 1 : i];
		if (c == 0 || c == 0xff)
			break;
		to[len++] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

/* Empty if all bits are set: it was never written. */
static void put_number(const uint8_t *wire, const struct field *field, char *to, size_t size)
{
	static const enum register_type of_width[] = {
		[1] = REGISTER_UINT16, [2] = REGISTER_UINT32, [4] = REGISTER_UINT64};
	struct register_value v = register_read(wire, of_width[field->registers], field->order);
	uint64_t most = UINT64_MAX >> (64 - 16 * field->registers);
	to[0] = '\0';
	if (v.kind == REGISTER_INTEGER && (uint64_t)v.integer != most)
		snprintf(to, size, "%lld", (long long)v.integer);
}

static void to_wire(
	enum assay_modbus_table table, const uint16_t *places, unsigned count, uint8_t *wire)
{
	if (!plan_is_bits(table)) {
		for (unsigned i = 0; i < count; i++) {
			wire[2 * i] = (uint8_t)(places[i] >> 8);
			wire[2 * i + 1] = (uint8_t)places[i];
		}
		return;
	}
	memset(wire, 0, plan_bytes(table, count));
	for (unsigned i = 0; i < count; i++)
		wire[i / 8] |= (uint8_t)((places[i] != 0) << i % 8);
}

static int fetch_field(
	struct assay_instrument *ins, const struct field *field, struct assay_identity *id)
{
	uint16_t places[TEXT_REGISTERS_MAX];
	uint8_t wire[TEXT_REGISTERS_MAX * 2];
	char *const texts[] = {id->make, id->model, id->serial, id->fw}; /* as in `fields` */
	char why[WHY_MAX], *to = texts[field->index];
	if (field->address < 0 || field->address + (long)field->registers > 65536) {
		assay_explain(
			ins, "identity: the address of %s lies outside 0 to 65535", field->name);
		return -EINVAL;
	}
	int r = assay_modbus_read(
		ins, field->table, (unsigned)field->address, field->registers, places);
	if (is_exception(r)) {
		assay_explain(ins, "identity: %s cannot be read: %s", field->name,
			explain(r, why, sizeof(why)));
		return -EPROTO;
	}
	if (r < 0)
		return r;
	to_wire(field->table, places, field->registers, wire);
	if (field->is_text) {
		bool swapped = field->order == REGISTER_BADC || field->order == REGISTER_DCBA;
		put_text(wire, field->registers * 2, swapped, to, sizeof(id->make));
	} else
		put_number(wire, field, to, sizeof(id->make));
	if (to == id->serial && to[0] == '\0')
		snprintf(to, sizeof(id->serial), "none");
	return 0;
}

/* 0 if the instrument replies and has at least one of the map's areas. */
static int find_any_area(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	struct plan *plan = &map->plan;
	uint16_t places[PLAN_BITS_MAX];
	char why[WHY_MAX];
	int r = -ETIMEDOUT;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_block *block = &plan->blocks[i];
		r = assay_modbus_read(ins, block->table, block->address, block->count, places);
		if (!is_exception(r))
			return r;
		if (is_temporary(r))
			break;
		if (is_refusal(r) && plan_split(plan, i))
			i--; /* its parts */
	}
	if (is_temporary(r))
		assay_explain(ins, "the instrument does not reply with its registers: %s",
			explain(r, why, sizeof(why)));
	else
		assay_explain(ins,
			"the instrument refuses all requests of the map; the last, %s: %s. "
			"Addresses are those on the wire, counted from 0 (a manual's 40001 is "
			"holding 0): check table, address and address_offset",
			plan->blocks[plan->count - 1].name, explain(r, why, sizeof(why)));
	return -EPROTO;
}

int poll_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct map *map = ins->state;
	int r = check_plan(ins, &map->plan);
	if (r == 0)
		r = find_any_area(ins);
	size_t count = assay_count(ins->settings, "identity");
	id->declared = count == 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct field field;
		read_field(ins->settings, assay_row(ins->settings, "identity", i), &field);
		r = fetch_field(ins, &field, id);
	}
	return r;
}

/* --- configuration ---------------------------------------------------------------------------- */

/* Optional areas that the instrument does not have are left out of the polls. */
int poll_configure(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	uint16_t places[PLAN_BITS_MAX];
	int r = check_plan(ins, &map->plan);
	for (size_t i = 0; r == 0 && i < map->plan.count; i++) {
		struct plan_block *block = &map->plan.blocks[i];
		if (!block->is_optional)
			continue;
		r = assay_modbus_read(ins, block->table, block->address, block->count, places);
		if (r == ILLEGAL_ADDRESS) {
			block->is_absent = true;
			assay_log(ins, ASSAY_LOG_WARN,
				"the instrument does not have the optional %s", block->name);
		}
		if (r != -ECANCELED && r != -ENODEV)
			r = 0;
	}
	return r;
}

/* --- polling ---------------------------------------------------------------------------------- */

static void begin(struct map *map)
{
	map->next = map->answered = 0;
	map->repeats = 0;
}

int poll_start(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	map->readings = 0;
	begin(map);
	return 0;
}

/* A block that cannot be read is logged when that begins and when it ends. */
static void note_block(struct assay_instrument *ins, struct plan_block *block, int r)
{
	char why[WHY_MAX];
	bool was_unreadable = block->is_unreadable;
	block->failures = r == 0 ? 0 : block->failures + 1;
	block->is_unreadable = r != 0 &&
			       (was_unreadable || is_exception(r) || block->failures >= LASTING);
	if (was_unreadable && r == 0)
		assay_log(ins, ASSAY_LOG_INFO, "%s can be read again", block->name);
	if (!was_unreadable && block->is_unreadable)
		assay_log(ins, ASSAY_LOG_WARN, "%s cannot be read: %s", block->name,
			explain(r, why, sizeof(why)));
}

/*
 * -EAGAIN if the request is to be sent once more: after a lost or damaged reply, which is common on
 * RS-485 lines, and for some seconds while the device is busy.  A block that was unreadable in the
 * poll before has one request per poll, or it would take the time of the others in each poll.
 */
static int repeat_later(
	struct assay_instrument *ins, struct map *map, const struct plan_block *block, int r)
{
	bool is_lost = (r == -ETIMEDOUT && map->answered > 0) || r == -EBADMSG;
	int most = block->is_unreadable ? 0 : is_lost ? 1 : is_temporary(r) ? BUSY_MAX : 0;
	if (map->repeats >= most)
		return r;
	int ms = is_lost ? 0 : BUSY_MS << map->repeats;
	map->repeats++;
	assay_retried(ins);
	return assay_again(ins, ms);
}

/*
 * Reads one block.  A block that fails does not end the poll, unless it times out and no block
 * before it had a reply: then the instrument is gone, and the other blocks would time out, too.
 * -EAGAIN: the poll goes on with this block, or its first part, in the next call.
 */
static int poll_block(struct assay_instrument *ins, struct map *map, size_t index)
{
	struct plan_block *block = &map->plan.blocks[index];
	uint16_t places[PLAN_BITS_MAX];
	int r = assay_modbus_read(ins, block->table, block->address, block->count, places);
	map->results[index] = r;
	if (r == 0) {
		to_wire(block->table, places, block->count, map->wire[index]);
		map->answered++;
		block->is_readable = true;
	}
	if (r == 0 || is_exception(r) || r == -EBADMSG || r == -ETIMEDOUT) {
		int again = r == 0 ? 0 : repeat_later(ins, map, block, r);
		if (again == -EAGAIN)
			return again;
	}
	if (r < 0)
		map->failed = index;
	bool is_silent = r == -ETIMEDOUT && map->answered > 0;
	if (!block->is_readable &&
		(is_refusal(r) || (is_silent && plan_has_gaps(&map->plan, index))) &&
		split(ins, &map->plan, index, r)) {
		map->repeats = 0;
		return assay_again(ins, 0);
	}
	if (r < 0 && !is_silent && !is_exception(r) && r != -EBADMSG)
		return r;
	note_block(ins, block, r);
	return 0;
}

static int put_block(const struct map *map, struct assay_raw *raw, size_t index)
{
	const struct plan_block *block = &map->plan.blocks[index];
	char why[32];
	if (map->results[index] == 0)
		return assay_raw_add(raw, MAP_MEDIA_REGISTERS, block->name, map->wire[index],
			plan_bytes(block->table, block->count));
	describe(map->results[index], why, sizeof(why));
	return assay_raw_add(raw, MAP_MEDIA_FAILURE, block->name, why, strlen(why));
}

/* The blocks that are left: 0 after the last of them. */
static int poll_blocks(struct assay_instrument *ins, struct map *map)
{
	for (; map->next < map->plan.count; map->next++) {
		if (map->plan.blocks[map->next].is_absent)
			continue;
		int r = poll_block(ins, map, map->next);
		if (r < 0)
			return r;
		map->repeats = 0;
	}
	return 0;
}

int poll_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct map *map = ins->state;
	uint64_t readings = (uint64_t)assay_int(ins->settings, "readings");
	if (assay_stopping(ins) && map->next == 0)
		return ASSAY_DONE;
	int r = poll_blocks(ins, map);
	if (r == -EAGAIN)
		return r;
	size_t answered = map->answered;
	begin(map);
	if (r == 0 && answered == 0) {
		char why[WHY_MAX];
		assay_explain(ins, "none of %zu requests got registers; the last, %s: %s",
			map->plan.count, map->plan.blocks[map->failed].name,
			explain(map->results[map->failed], why, sizeof(why)));
		r = -EPROTO;
	}
	for (size_t i = 0; r == 0 && i < map->plan.count; i++)
		if (!map->plan.blocks[i].is_absent)
			r = put_block(map, raw, i);
	if (r < 0)
		return r;
	map->readings++;
	bool is_last = (readings > 0 && map->readings >= readings) || assay_stopping(ins);
	return is_last ? ASSAY_LAST : ASSAY_FRAME;
}
