/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exception.h"
#include "registers.h"
#include "table.h"

#define TEXT_REGISTERS_MAX 32

static const char *const fields[] = {"make", "model", "serial", "fw", NULL};
static const char *const tables[] = {"holding", "input", NULL};
static const char *const types[] = {"text", "uint16", "uint32", "uint64", NULL};

const struct assay_setting identity_columns[] = {
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
	enum table table;
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
	field->table = strcmp(assay_text(row, "table"), "input") == 0 ? TABLE_INPUT : TABLE_HOLDING;
	field->address = (long)(assay_int(row, "address") + assay_int(settings, "address_offset"));
	field->is_text = strcmp(type, "text") == 0;
	field->registers = field->is_text                ? (unsigned)assay_int(row, "registers")
			   : strcmp(type, "uint64") == 0 ? 4
			   : strcmp(type, "uint32") == 0 ? 2
							 : 1;
	field->order = (enum register_order)register_name_index(register_order_names, order);
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

static int fetch_field(
	struct assay_instrument *ins, const struct field *field, struct assay_identity *id)
{
	uint8_t wire[TEXT_REGISTERS_MAX * 2];
	char *const texts[] = {id->make, id->model, id->serial, id->fw}; /* as in `fields` */
	char why[EXCEPTION_TEXT], *to = texts[field->index];
	if (field->address < 0 || field->address + (long)field->registers > 65536) {
		assay_explain(
			ins, "identity: the address of %s lies outside 0 to 65535", field->name);
		return -EINVAL;
	}
	int r = table_read(ins, field->table, (unsigned)field->address, field->registers, wire);
	if (exception_is(r)) {
		assay_explain(ins, "identity: %s cannot be read: %s", field->name,
			exception_explain(r, why, sizeof(why)));
		return -EPROTO;
	}
	if (r < 0)
		return r;
	if (field->is_text)
		register_text(wire, field->registers, field->order, to, sizeof(id->make));
	else
		put_number(wire, field, to, sizeof(id->make));
	if (to == id->serial && to[0] == '\0')
		snprintf(to, sizeof(id->serial), "none");
	return 0;
}

int identity_read(struct assay_instrument *ins, struct assay_identity *id)
{
	size_t count = assay_count(ins->settings, "identity");
	int r = 0;
	id->declared = count == 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct field field;
		read_field(ins->settings, assay_row(ins->settings, "identity", i), &field);
		r = fetch_field(ins, &field, id);
	}
	return r;
}
