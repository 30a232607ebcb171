/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <errno.h>
#include <string.h>

#include "registers.h"

const char *const table_names[] = {
	"coil", "discrete", "holding", "input", "holding32", "input32", NULL};

const char *table_name(enum table table)
{
	return table_names[table - TABLE_FIRST];
}

bool table_is_bits(enum table table)
{
	return table == TABLE_COILS || table == TABLE_DISCRETE;
}

unsigned table_register_bits(enum table table)
{
	return table == TABLE_HOLDING32 || table == TABLE_INPUT32 ? 32 : 16;
}

unsigned table_most(enum table table)
{
	if (table_is_bits(table))
		return TABLE_BITS_MAX;
	return table_register_bits(table) == 32 ? TABLE_REGS32_MAX : TABLE_REGS_MAX;
}

size_t table_bytes(enum table table, unsigned count)
{
	return table_is_bits(table) ? (count + 7) / 8
				    : (size_t)count * table_register_bits(table) / 8;
}

/* Functions 3 and 4 with replies of four bytes per register. */
static int read_wide(struct assay_instrument *ins, enum table table, unsigned address,
	unsigned count, uint8_t *wire)
{
	uint8_t reply[1 + TABLE_BYTES_MAX];
	const uint8_t request[] = {
		(uint8_t)(address >> 8), (uint8_t)address, (uint8_t)(count >> 8), (uint8_t)count};
	size_t bytes = table_bytes(table, count);
	ssize_t n = assay_modbus_raw(ins, table == TABLE_HOLDING32 ? 3 : 4, request,
		sizeof(request), reply, sizeof(reply), 1 + bytes);
	if (n < 0)
		return (int)n;
	if (reply[0] != bytes)
		return -EBADMSG;
	memcpy(wire, reply + 1, bytes);
	return 0;
}

int table_read(struct assay_instrument *ins, enum table table, unsigned address, unsigned count,
	uint8_t *wire)
{
	uint16_t places[TABLE_BITS_MAX];
	if (table_register_bits(table) == 32)
		return read_wide(ins, table, address, count, wire);
	int r = assay_modbus_read(ins, (enum assay_modbus_table)table, address, count, places);
	if (r < 0)
		return r;
	if (!table_is_bits(table)) {
		registers_to_wire(places, count, wire);
		return 0;
	}
	memset(wire, 0, table_bytes(table, count));
	for (unsigned i = 0; i < count; i++)
		wire[i / 8] |= (uint8_t)((places[i] != 0) << i % 8);
	return 0;
}
