/* SPDX-License-Identifier: Apache-2.0 */
#include "opus.h"

#include <errno.h>
#include <string.h>

#define HEADER_SIZE    24
#define ENTRY_SIZE     12
#define PARAMETER_SIZE 8

/*
 * Fields of a block's type.  Bit 30 may be set on any block, so a type is never compared as a whole.
 */
#define OF_SHIFT      2
#define OF_MASK       3u
#define ABOUT_SHIFT   4
#define ABOUT_MASK    0x3fu
#define DATA_SHIFT    10
#define DATA_MASK     0x3fu
#define EXTRA_SHIFT   16
#define EXTRA_MASK    0x3fu
#define ABOUT_NUMBERS 1u /* the parameters of a block of numbers */

enum { TYPE_INTEGER = 0, TYPE_FLOAT = 1, TYPE_TEXT_FIRST = 2, TYPE_TEXT_LAST = 4 };

static uint16_t u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32_at(const uint8_t *p)
{
	return u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

float opus_value(const uint8_t *numbers, size_t i)
{
	uint32_t bits = u32_at(numbers + 4 * i);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double f64_at(const uint8_t *p)
{
	uint64_t bits = u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint32_t type_of(const struct opus *file, size_t i)
{
	return u32_at(file->directory + i * ENTRY_SIZE);
}

/* The size in the directory is a number of 4-byte words; opus_open() has checked both. */
static struct opus_block block_of(const struct opus *file, size_t i)
{
	const uint8_t *entry = file->directory + i * ENTRY_SIZE;
	return (struct opus_block){
		.bytes = file->bytes + u32_at(entry + 8),
		.len = (size_t)u32_at(entry + 4) * 4,
	};
}

int opus_open(struct opus *file, const uint8_t *bytes, size_t len)
{
	static const uint8_t magic[] = {0x0a, 0x0a, 0xfe, 0xfe};
	if (len < HEADER_SIZE || memcmp(bytes, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	size_t at = u32_at(bytes + 12), count = u32_at(bytes + 20);
	if (at > len || count > (len - at) / ENTRY_SIZE)
		return -EBADMSG;
	*file = (struct opus){.bytes = bytes, .len = len, .directory = bytes + at, .blocks = count};
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = file->directory + i * ENTRY_SIZE;
		uint64_t end = u32_at(entry + 8) + (uint64_t)u32_at(entry + 4) * 4;
		if (end > len)
			return -EBADMSG;
	}
	return 0;
}

size_t opus_find_data(const struct opus *file, enum opus_of of, enum opus_data kind,
	struct opus_block *numbers, struct opus_block *about)
{
	size_t found = 0;
	*numbers = *about = (struct opus_block){0};
	for (size_t i = 0; i < file->blocks; i++) {
		uint32_t type = type_of(file, i);
		if ((type >> DATA_SHIFT & DATA_MASK) != kind ||
			(type >> OF_SHIFT & OF_MASK) != of || (type >> EXTRA_SHIFT & EXTRA_MASK))
			continue;
		unsigned about_kind = type >> ABOUT_SHIFT & ABOUT_MASK;
		if (about_kind == ABOUT_NUMBERS && about->bytes == NULL)
			*about = block_of(file, i);
		else if (about_kind == 0 && found++ == 0)
			*numbers = block_of(file, i);
	}
	return found;
}

/* Parameters of the reference have its bits, those of the sample none or those of a sample. */
struct opus_block opus_find_parameters(
	const struct opus *file, enum opus_of of, enum opus_parameters kind)
{
	for (size_t i = 0; i < file->blocks; i++) {
		uint32_t type = type_of(file, i);
		bool is_reference = (type >> OF_SHIFT & OF_MASK) == OPUS_REFERENCE;
		if ((type >> ABOUT_SHIFT & ABOUT_MASK) == kind &&
			(type >> DATA_SHIFT & DATA_MASK) == 0 &&
			is_reference == (of == OPUS_REFERENCE))
			return block_of(file, i);
	}
	return (struct opus_block){0};
}

/*
 * Finds a parameter: three letters, a zero, its type, its size in 2-byte words, the value.  The
 * list ends with END, or with the block.
 */
static const uint8_t *find(struct opus_block block, const char *name, unsigned *type, size_t *len)
{
	for (size_t at = 0; block.len - at >= PARAMETER_SIZE;) {
		const uint8_t *head = block.bytes + at;
		*len = (size_t)u16_at(head + 6) * 2;
		if (memcmp(head, "END", 3) == 0 || *len > block.len - at - PARAMETER_SIZE)
			return NULL;
		*type = u16_at(head + 4);
		if (memcmp(head, name, 3) == 0)
			return head + PARAMETER_SIZE;
		at += PARAMETER_SIZE + *len;
	}
	return NULL;
}

bool opus_number(struct opus_block block, const char *name, double *out)
{
	unsigned type;
	size_t len;
	const uint8_t *value = find(block, name, &type, &len);
	if (value != NULL && type == TYPE_INTEGER && len == 4)
		*out = (int32_t)u32_at(value);
	else if (value != NULL && type == TYPE_FLOAT && len == 8)
		*out = f64_at(value);
	else
		return false;
	return *out - *out == 0;
}

bool opus_text(struct opus_block block, const char *name, char *out, size_t size)
{
	unsigned type;
	size_t len, n = 0;
	const uint8_t *value = find(block, name, &type, &len);
	if (value == NULL || type < TYPE_TEXT_FIRST || type > TYPE_TEXT_LAST)
		return false;
	for (; n < len && n + 1 < size && value[n] != '\0'; n++)
		out[n] = value[n] >= ' ' && value[n] <= '~' ? (char)value[n] : '?';
	out[n] = '\0';
	return n > 0;
}
