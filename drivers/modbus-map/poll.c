/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "registers.h"

#define ILLEGAL_ADDRESS    (ASSAY_MODBUS_EXCEPTION - 2)
#define TEXT_REGISTERS_MAX 32

static bool is_final(int r)
{
	return r == -ECANCELED || r == -ENODEV;
}

static bool is_exception(int r)
{
	return r <= ASSAY_MODBUS_EXCEPTION - 1 && r >= ASSAY_MODBUS_EXCEPTION - 255;
}

/* Once more after a lost or damaged reply: on an RS-485 line that is every day's business. */
static int read_places(struct assay_instrument *ins, enum assay_modbus_table table,
	unsigned address, unsigned count, uint16_t *out)
{
	int r = assay_modbus_read(ins, table, address, count, out);
	if (r != -ETIMEDOUT && r != -EBADMSG)
		return r;
	assay_retried(ins);
	return assay_modbus_read(ins, table, address, count, out);
}

static int read_block(struct assay_instrument *ins, const struct plan_block *block, uint16_t *out)
{
	return read_places(ins, block->table, block->address, block->count, out);
}

/* What a failed request means in words. */
static const char *describe(int r, char *text, size_t size)
{
	if (is_exception(r))
		snprintf(text, size, "exception %d", ASSAY_MODBUS_EXCEPTION - r);
	else
		snprintf(text, size, "%s", r == -ETIMEDOUT ? "timeout" : "malformed");
	return text;
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
		.help = "what stands there"},
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
	field->table = strcmp(assay_text(row, "table"), "input") == 0 ? ASSAY_INPUT : ASSAY_HOLDING;
	field->address = (long)(assay_int(row, "address") + assay_int(settings, "address_offset"));
	field->is_text = strcmp(type, "text") == 0;
	field->registers = field->is_text                ? (unsigned)assay_int(row, "registers")
			   : strcmp(type, "uint64") == 0 ? 4
			   : strcmp(type, "uint32") == 0 ? 2
							 : 1;
	field->order = (enum register_order)register_name_index(register_order_names, order);
}

static void put_text(const uint8_t *wire, size_t bytes, bool swapped, char *to, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < bytes && len + 1 < size; i++) {
		char c = (char)wire[swapped ? i ^ 1 : i];
		if (c == '\0')
			break;
		to[len++] = c >= ' ' && c <= '~' ? c : '?';
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

static void put_number(const uint8_t *wire, const struct field *field, char *to, size_t size)
{
	enum register_type type = field->registers == 4   ? REGISTER_UINT64
				  : field->registers == 2 ? REGISTER_UINT32
							  : REGISTER_UINT16;
	struct register_value v = register_read(wire, type, field->order);
	if (v.kind == REGISTER_INTEGER)
		snprintf(to, size, "%lld", (long long)v.integer);
}

static char *place_in(struct assay_identity *id, const char *field)
{
	switch (field[0]) {
	case 'f': return id->fw;
	case 's': return id->serial;
	default: return field[1] == 'a' ? id->make : id->model;
	}
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

static int ask_field(
	struct assay_instrument *ins, const struct field *field, struct assay_identity *id)
{
	uint16_t places[TEXT_REGISTERS_MAX];
	uint8_t wire[TEXT_REGISTERS_MAX * 2];
	char why[32], *to = place_in(id, field->name);
	if (field->address < 0 || field->address + (long)field->registers > 65536) {
		assay_explain(
			ins, "identity: the address of %s lies outside 0 to 65535", field->name);
		return -EINVAL;
	}
	int r = read_places(ins, field->table, (unsigned)field->address, field->registers, places);
	if (is_exception(r)) {
		assay_explain(ins, "identity: %s cannot be read: %s", field->name,
			describe(r, why, sizeof(why)));
		return -EPROTO;
	}
	if (r < 0)
		return r;
	to_wire(field->table, places, field->registers, wire);
	bool swapped = field->order == REGISTER_BADC || field->order == REGISTER_DCBA;
	if (field->is_text)
		put_text(wire, field->registers * 2, swapped, to, sizeof(id->make));
	else
		put_number(wire, field, to, sizeof(id->make));
	return 0;
}

static int ask_identity(struct assay_instrument *ins, struct assay_identity *id)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < assay_count(ins->settings, "identity"); i++) {
		struct field field;
		read_field(ins->settings, assay_row(ins->settings, "identity", i), &field);
		r = ask_field(ins, &field, id);
	}
	return r;
}

/* Somebody must be there, and must have at least one of the areas that the map speaks of. */
static int find_anything(struct assay_instrument *ins)
{
	const struct map *map = ins->state;
	uint16_t places[PLAN_BITS_MAX];
	char why[32];
	int r = -ETIMEDOUT;
	for (size_t i = 0; i < map->plan.count; i++) {
		r = read_block(ins, &map->plan.blocks[i], places);
		if (!is_exception(r))
			return r;
	}
	assay_explain(ins, "the instrument has none of the map's areas; %s: %s",
		map->plan.blocks[map->plan.count - 1].name, describe(r, why, sizeof(why)));
	return -EPROTO;
}

int poll_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct map *map = ins->state;
	int r = plan_make(ins, &map->plan);
	if (r == 0)
		r = find_anything(ins);
	if (r < 0)
		return r;
	id->declared = assay_count(ins->settings, "identity") == 0;
	return ask_identity(ins, id);
}

/* --- configuration ---------------------------------------------------------------------------- */

/* An option that the instrument does not have is left out from here on. */
static int probe(struct assay_instrument *ins, struct plan_block *block)
{
	uint16_t places[PLAN_BITS_MAX];
	int r = read_block(ins, block, places);
	if (r == ILLEGAL_ADDRESS) {
		block->is_absent = true;
		assay_log(ins, ASSAY_LOG_WARN, "the instrument does not have the optional %s",
			block->name);
	}
	return is_final(r) ? r : 0;
}

int poll_configure(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	int r = plan_make(ins, &map->plan);
	for (size_t i = 0; r == 0 && i < map->plan.count; i++)
		if (map->plan.blocks[i].is_optional)
			r = probe(ins, &map->plan.blocks[i]);
	return r;
}

/* --- polling ---------------------------------------------------------------------------------- */

int poll_start(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	map->readings = 0;
	return 0;
}

static int add_block(struct assay_raw *raw, const struct plan_block *block, const uint16_t *places)
{
	uint8_t wire[PLAN_BYTES_MAX];
	to_wire(block->table, places, block->count, wire);
	return assay_raw_add(raw, MAP_MEDIA_REGISTERS, block->name, wire,
		plan_bytes(block->table, block->count));
}

static int add_failure(struct assay_raw *raw, const struct plan_block *block, int r)
{
	char why[32];
	describe(r, why, sizeof(why));
	return assay_raw_add(raw, MAP_MEDIA_FAILURE, block->name, why, strlen(why));
}

/*
 * One block that fails does not lose the others, unless nothing answered before it: then the
 * instrument is gone, and waiting for each block's timeout would help nobody.
 */
static int poll_block(struct assay_instrument *ins, struct assay_raw *raw,
	const struct plan_block *block, size_t *answered)
{
	uint16_t places[PLAN_BITS_MAX];
	int r = read_block(ins, block, places);
	if (r == 0) {
		++*answered;
		return add_block(raw, block, places);
	}
	if (!is_exception(r) && r != -EBADMSG && (r != -ETIMEDOUT || *answered == 0))
		return r;
	return add_failure(raw, block, r);
}

int poll_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct map *map = ins->state;
	uint64_t readings = (uint64_t)assay_int(ins->settings, "readings");
	size_t answered = 0;
	if (assay_stopping(ins))
		return ASSAY_DONE;
	for (size_t i = 0; i < map->plan.count; i++) {
		int r = map->plan.blocks[i].is_absent
				? 0
				: poll_block(ins, raw, &map->plan.blocks[i], &answered);
		if (r < 0)
			return r;
	}
	if (answered == 0) {
		assay_explain(ins, "not one of %zu requests got registers", map->plan.count);
		return -EPROTO;
	}
	map->readings++;
	bool last = (readings > 0 && map->readings >= readings) || assay_stopping(ins);
	return last ? ASSAY_LAST : ASSAY_FRAME;
}
