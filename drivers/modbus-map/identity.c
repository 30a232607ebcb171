/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exception.h"
#include "registers.h"
#include "row.h"
#include "table.h"

#define TEXT_REGISTERS_MAX 32

static const char *const fields[] = {"make", "model", "serial", "fw", NULL};
static const char *const tables[] = {"holding", "input", "device-id", NULL};
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
		.help = "function code 03 or 04; device-id: 43, whose objects have numbers"},
	{.name = "address",
		.type = ASSAY_INT,
		.min = 0,
		.max = 65535,
		.flags = ASSAY_REQUIRED,
		.help = "protocol address, counted from 0, or number of the object"},
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
	{.name = "codes",
		.type = ASSAY_TEXT,
		.flags = ASSAY_LIST,
		.help = "texts that its numbers stand for, such as 210=ADAM-4017+"},
	{.name = NULL},
};

struct field {
	const char *name;
	unsigned index; /* in `fields` */
	enum table table;
	long address;
	unsigned registers;
	bool is_text, is_object; /* of function 43 */
	enum register_order order;
};

bool identity_code_read(
	const struct assay_host *host, const char *entry, int64_t *code, const char **text)
{
	const char *equals = strchr(entry, '=');
	struct row_nothing number;
	char copy[24];
	if (equals == NULL || equals[1] == '\0' || (size_t)(equals - entry) >= sizeof(copy))
		return false;
	memcpy(copy, entry, (size_t)(equals - entry));
	copy[equals - entry] = '\0';
	*text = equals + 1;
	if (!row_nothing_read(host, copy, &number) || !number.is_integer)
		return false;
	*code = number.integer;
	return true;
}

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
	field->is_object = strcmp(assay_text(row, "table"), "device-id") == 0;
	field->registers = field->is_text                ? (unsigned)assay_int(row, "registers")
			   : strcmp(type, "uint64") == 0 ? 4
			   : strcmp(type, "uint32") == 0 ? 2
							 : 1;
	field->order = (enum register_order)register_name_index(register_order_names, order);
}

/* --- registers -------------------------------------------------------------------------------- */

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

/* --- objects of function 43 ------------------------------------------------------------------- */

/*
 * "Modbus application protocol" 6.21, access to one object: the type of the request, the code,
 * conformity, more, next, number of objects, and of each its number, length and bytes.
 */
enum { OBJECT_TYPE = 0x0e, OBJECT_ONE = 4, OBJECT_HEAD = 6 };

static int fetch_object(struct assay_instrument *ins, unsigned number, char *to, size_t size)
{
	const uint8_t request[] = {OBJECT_TYPE, OBJECT_ONE, (uint8_t)number};
	uint8_t reply[252];
	ssize_t n = assay_modbus_raw(ins, 43, request, sizeof(request), reply, sizeof(reply), 0);
	if (n < 0)
		return (int)n;
	if (n < OBJECT_HEAD + 2 || reply[0] != OBJECT_TYPE || reply[1] != OBJECT_ONE ||
		reply[OBJECT_HEAD] != number || n < OBJECT_HEAD + 2 + reply[OBJECT_HEAD + 1])
		return -EBADMSG;
	register_letters(reply + OBJECT_HEAD + 2, reply[OBJECT_HEAD + 1], false, to, size);
	return 0;
}

/* --- one field -------------------------------------------------------------------------------- */

/* The text that the number stands for; a number without one stays as it is. */
static void apply_codes(const struct assay_settings *row, char *to, size_t size)
{
	for (size_t i = 0; i < assay_count(row, "codes"); i++) {
		const char *entry = assay_text_at(row, "codes", i), *text;
		int64_t code, number;
		if (!identity_code_read(row->host, entry, &code, &text) ||
			assay_parse_integer(row->host, to, strlen(to), &number) != 0 ||
			code != number)
			continue;
		snprintf(to, size, "%s", text);
		return;
	}
}

static int fetch_registers(
	struct assay_instrument *ins, const struct field *field, char *to, size_t size)
{
	uint8_t wire[TEXT_REGISTERS_MAX * 2];
	if (field->address < 0 || field->address + (long)field->registers > 65536) {
		assay_explain(
			ins, "identity: the address of %s lies outside 0 to 65535", field->name);
		return -EINVAL;
	}
	int r = table_read(ins, field->table, (unsigned)field->address, field->registers, wire);
	if (r < 0)
		return r;
	if (field->is_text)
		register_text(wire, field->registers, field->order, to, size);
	else
		put_number(wire, field, to, size);
	return 0;
}

static int fetch_field(struct assay_instrument *ins, const struct assay_settings *row,
	const struct field *field, struct assay_identity *id)
{
	char *const texts[] = {id->make, id->model, id->serial, id->fw}; /* as in `fields` */
	char why[EXCEPTION_TEXT], *to = texts[field->index];
	int r = field->is_object ? fetch_object(ins, (unsigned)assay_int(row, "address"), to,
					   sizeof(id->make))
				 : fetch_registers(ins, field, to, sizeof(id->make));
	if (exception_is(r)) {
		assay_explain(ins, "identity: %s cannot be read: %s", field->name,
			exception_explain(r, why, sizeof(why)));
		return -EPROTO;
	}
	if (r < 0)
		return r;
	apply_codes(row, to, sizeof(id->make));
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
		const struct assay_settings *row = assay_row(ins->settings, "identity", i);
		struct field field;
		read_field(ins->settings, row, &field);
		r = fetch_field(ins, row, &field, id);
	}
	return r;
}
