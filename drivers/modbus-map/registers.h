/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in Modbus registers.  Pure: bytes as on the wire, high byte of a register first.
 */
#ifndef ASSAY_MODBUS_MAP_REGISTERS_H
#define ASSAY_MODBUS_MAP_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum register_type {
	REGISTER_BIT, /* one coil or discrete input */
	REGISTER_INT16,
	REGISTER_UINT16,
	REGISTER_INT32,
	REGISTER_UINT32,
	REGISTER_INT64,
	REGISTER_UINT64,
	REGISTER_FLOAT32,
	REGISTER_FLOAT64,
	REGISTER_BCD16, /* four decimal digits */
	REGISTER_BCD32,
	REGISTER_TEXT, /* two letters per register */
	REGISTER_TYPES
};

/*
 * The order of the bytes A (most significant) to D of a number on the wire.  A number of one
 * register has none: Modbus sends its high byte first.
 */
enum register_order {
	REGISTER_ABCD,
	REGISTER_CDAB, /* low word first */
	REGISTER_BADC, /* low byte of each word first */
	REGISTER_DCBA,
	REGISTER_ORDERS
};

enum register_kind {
	REGISTER_INTEGER,
	REGISTER_REAL,
	REGISTER_NOTHING, /* NaN, an infinity, an integer above INT64_MAX, or no decimal digit */
};

struct register_value {
	enum register_kind kind;
	int64_t integer;
	double real;
	bool is_single; /* real: it came as a 32-bit float */
};

extern const char *const register_type_names[REGISTER_TYPES + 1];   /* "bit" ..., NULL */
extern const char *const register_order_names[REGISTER_ORDERS + 1]; /* "abcd" ..., NULL */

/* The index of `name` in a list that ends with NULL and has it. */
unsigned register_name_index(const char *const *names, const char *name);

/* Registers that a number of that type takes; a bit takes one place of its table; 0: a text. */
unsigned register_width(enum register_type type);

/* The number in the 2 * register_width() bytes at `wire`.  Not for bits and texts. */
struct register_value register_read(
	const uint8_t *wire, enum register_type type, enum register_order order);

/* High byte first, 2 * count bytes. */
void registers_to_wire(const uint16_t *registers, unsigned count, uint8_t *wire);

/*
 * The text of some bytes: it ends at a NUL, or at the first byte of memory that was never written, and
 * has no blanks at its end.
 */
void register_letters(const uint8_t *bytes, size_t count, bool are_swapped, char *to, size_t size);

/* The text of registers, two letters each; badc and dcba: they are swapped. */
void register_text(
	const uint8_t *wire, unsigned registers, enum register_order order, char *to, size_t size);

/* Both kinds as a number; 0 for nothing. */
double register_number(const struct register_value *value);

#endif
