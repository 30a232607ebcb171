/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "record/element.h"

/* RFC 8746, table 1: the little-endian ones, and u8 and i8 that have no order. */
static const struct {
	const char *name;
	uint8_t tag, size;
} elements[] = {
	[ASSAY_ELEMENT_U8] = {"u8", 64, 1},
	[ASSAY_ELEMENT_U16] = {"u16", 69, 2},
	[ASSAY_ELEMENT_U32] = {"u32", 70, 4},
	[ASSAY_ELEMENT_U64] = {"u64", 71, 8},
	[ASSAY_ELEMENT_I8] = {"i8", 72, 1},
	[ASSAY_ELEMENT_I16] = {"i16", 77, 2},
	[ASSAY_ELEMENT_I32] = {"i32", 78, 4},
	[ASSAY_ELEMENT_I64] = {"i64", 79, 8},
	[ASSAY_ELEMENT_F32] = {"f32", 85, 4},
	[ASSAY_ELEMENT_F64] = {"f64", 86, 8},
};

static bool is_element(enum assay_element element)
{
	return element >= ASSAY_ELEMENT_U8 && element <= ASSAY_ELEMENT_F64;
}

uint64_t element_tag(enum assay_element element)
{
	assert(is_element(element));
	return elements[element].tag;
}

int element_from_tag(uint64_t tag)
{
	for (int i = ASSAY_ELEMENT_U8; i <= ASSAY_ELEMENT_F64; i++)
		if (elements[i].tag == tag)
			return i;
	return -EINVAL;
}

size_t assay_element_size(enum assay_element element)
{
	assert(is_element(element));
	return elements[element].size;
}

const char *assay_element_name(enum assay_element element)
{
	return is_element(element) ? elements[element].name : NULL;
}

bool element_is_float(enum assay_element element)
{
	return element == ASSAY_ELEMENT_F32 || element == ASSAY_ELEMENT_F64;
}

double element_number(enum assay_element element, const uint8_t *data, size_t i)
{
	if (element == ASSAY_ELEMENT_F32) {
		float value;
		memcpy(&value, data + i * sizeof value, sizeof value);
		return (double)value;
	}
	if (element == ASSAY_ELEMENT_F64) {
		double value;
		memcpy(&value, data + i * sizeof value, sizeof value);
		return value;
	}
	bool negative;
	uint64_t value = element_integer(element, data, i, &negative);
	return negative ? -(double)value : (double)value;
}

/* The element's bytes are the low ones of a little-endian word. */
uint64_t element_integer(enum assay_element element, const uint8_t *data, size_t i, bool *negative)
{
	assert(is_element(element) && !element_is_float(element));
	size_t size = elements[element].size;
	uint64_t value = 0;
	memcpy(&value, data + i * size, size);
	bool is_signed = element >= ASSAY_ELEMENT_I8;
	*negative = is_signed && value >> (8 * size - 1) != 0;
	if (!*negative)
		return value;
	return size == 8 ? -value : (UINT64_C(1) << 8 * size) - value;
}
