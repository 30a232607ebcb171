/* SPDX-License-Identifier: Apache-2.0 */
#include "registers.h"

#include <assert.h>
#include <string.h>

const char *const register_type_names[] = {"bit", "int16", "uint16", "int32", "uint32", "int64",
	"uint64", "float32", "float64", "bcd16", "bcd32", "text", NULL};
const char *const register_order_names[] = {"abcd", "cdab", "badc", "dcba", NULL};

static const uint8_t widths[REGISTER_TYPES] = {1, 1, 1, 2, 2, 4, 4, 2, 4, 1, 2, 0};

unsigned register_name_index(const char *const *names, const char *name)
{
	unsigned i = 0;
	while (names[i] != NULL && strcmp(names[i], name) != 0)
		i++;
	assert(names[i] != NULL);
	return i;
}

unsigned register_width(enum register_type type)
{
	return widths[type];
}

static uint64_t gather(const uint8_t *wire, unsigned words, enum register_order order)
{
	uint64_t v = 0;
	bool swaps_bytes = words > 1 && (order == REGISTER_BADC || order == REGISTER_DCBA);
	for (unsigned i = 0; i < words; i++) {
		unsigned w = order == REGISTER_CDAB || order == REGISTER_DCBA ? words - 1 - i : i;
		unsigned high = wire[2 * w], low = wire[2 * w + 1];
		if (swaps_bytes)
			v = v << 16 | low << 8 | high;
		else
			v = v << 16 | high << 8 | low;
	}
	return v;
}

static struct register_value integer(int64_t v)
{
	return (struct register_value){.kind = REGISTER_INTEGER, .integer = v};
}

static struct register_value real(double v, bool is_single)
{
	if (v - v != 0)
		return (struct register_value){.kind = REGISTER_NOTHING};
	return (struct register_value){.kind = REGISTER_REAL, .real = v, .is_single = is_single};
}

static double float32(uint64_t bits)
{
	uint32_t b = (uint32_t)bits;
	float f;
	memcpy(&f, &b, sizeof(f));
	return (double)f;
}

static double float64(uint64_t bits)
{
	double f;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

static struct register_value bcd(uint64_t bits, unsigned digits)
{
	int64_t v = 0;
	for (unsigned i = digits; i-- > 0;) {
		unsigned digit = bits >> 4 * i & 0xf;
		if (digit > 9)
			return (struct register_value){.kind = REGISTER_NOTHING};
		v = v * 10 + digit;
	}
	return integer(v);
}

struct register_value register_read(
	const uint8_t *wire, enum register_type type, enum register_order order)
{
	uint64_t v = gather(wire, register_width(type), order);
	switch (type) {
	case REGISTER_INT16: return integer((int16_t)v);
	case REGISTER_INT32: return integer((int32_t)v);
	case REGISTER_INT64: return integer((int64_t)v);
	case REGISTER_FLOAT32: return real(float32(v), true);
	case REGISTER_FLOAT64: return real(float64(v), false);
	case REGISTER_BCD16: return bcd(v, 4);
	case REGISTER_BCD32: return bcd(v, 8);
	default: break;
	}
	if (v > INT64_MAX)
		return (struct register_value){.kind = REGISTER_NOTHING};
	return integer((int64_t)v);
}

void registers_to_wire(const uint16_t *registers, unsigned count, uint8_t *wire)
{
	for (unsigned i = 0; i < count; i++) {
		wire[2 * i] = (uint8_t)(registers[i] >> 8);
		wire[2 * i + 1] = (uint8_t)registers[i];
	}
}

void register_letters(const uint8_t *bytes, size_t count, bool are_swapped, char *to, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < count && len + 1 < size; i++) {
		uint8_t c = bytes[are_swapped ? i ^ 1 : i];
		if (c == 0 || c == 0xff)
			break;
		to[len++] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

void register_text(
	const uint8_t *wire, unsigned registers, enum register_order order, char *to, size_t size)
{
	register_letters(wire, 2 * (size_t)registers,
		order == REGISTER_BADC || order == REGISTER_DCBA, to, size);
}

double register_number(const struct register_value *value)
{
	if (value->kind == REGISTER_NOTHING)
		return 0;
	return value->kind == REGISTER_REAL ? value->real : (double)value->integer;
}
