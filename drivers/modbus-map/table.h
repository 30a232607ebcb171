/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a Modbus device, and reading them.
 *
 * holding32 and input32 are those of Daniel and Enron: one address is one register of 32 bits, so
 * that a reply has four bytes for each.
 */
#ifndef ASSAY_MODBUS_MAP_TABLE_H
#define ASSAY_MODBUS_MAP_TABLE_H

#include <assay/driver.h>

enum table {
	TABLE_COILS = ASSAY_COILS,
	TABLE_DISCRETE = ASSAY_DISCRETE,
	TABLE_HOLDING = ASSAY_HOLDING,
	TABLE_INPUT = ASSAY_INPUT,
	TABLE_HOLDING32,
	TABLE_INPUT32,
	TABLE_LAST = TABLE_INPUT32
};

#define TABLE_FIRST      TABLE_COILS
#define TABLE_BITS_MAX   2000 /* of one request */
#define TABLE_REGS_MAX   125
#define TABLE_REGS32_MAX 62
#define TABLE_BYTES_MAX  250 /* of one reply of any table */

/* From TABLE_FIRST on: "coil" ..., NULL. */
extern const char *const table_names[];

const char *table_name(enum table table);

/* True for the tables of single bits. */
bool table_is_bits(enum table table);

/* Bits of a register. */
unsigned table_register_bits(enum table table);

/* The most places of one request, by the protocol. */
unsigned table_most(enum table table);

/* Bytes of a reply to `count` places. */
size_t table_bytes(enum table table, unsigned count);

/*
 * Reads `count` places to `wire`, table_bytes() of them: registers in wire order, bits packed as on
 * the wire.  The results of assay_modbus_read().
 */
int table_read(struct assay_instrument *ins, enum table table, unsigned address, unsigned count,
	uint8_t *wire);

#endif
