/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

#define ADDRESS_END 0x10000

void image_init(struct image *image, enum word_order order, int offset)
{
	*image = (struct image){.order = order, .offset = offset};
}

void image_finish(struct image *image)
{
	for (size_t i = 0; i < image->n; i++) {
		free(image->areas[i].registers);
		free(image->areas[i].bits);
	}
	*image = (struct image){0};
}

int image_add(struct image *image, enum image_table table, uint16_t first, int count, bool is_enron)
{
	assert(image->n < IMAGE_AREAS_MAX && count > 0);
	int start = first + image->offset, end = start + count;
	start = start < 0 ? 0 : start;
	end = end > ADDRESS_END ? ADDRESS_END : end;
	struct image_area area = {.table = table,
		.first = (uint16_t)start,
		.count = end - start,
		.is_enron = is_enron};
	if (table == IMAGE_HOLDING || table == IMAGE_INPUT)
		area.registers = calloc(
			(size_t)area.count * (is_enron ? 2 : 1), sizeof *area.registers);
	else
		area.bits = calloc((size_t)area.count, sizeof *area.bits);
	if (area.registers == NULL && area.bits == NULL)
		return -ENOMEM;
	image->areas[image->n++] = area;
	return 0;
}

bool image_has_table(const struct image *image, int function)
{
	for (size_t i = 0; i < image->n; i++)
		if ((int)image->areas[i].table == function)
			return true;
	return false;
}

const struct image_area *image_find(
	const struct image *image, int function, uint16_t first, int count)
{
	for (size_t i = 0; i < image->n; i++) {
		const struct image_area *area = &image->areas[i];
		if ((int)area->table == function && first >= area->first &&
			first + count <= area->first + area->count)
			return area;
	}
	return NULL;
}

/* The place of `n` registers, or of one 32-bit value. */
static uint16_t *registers_at(
	const struct image *image, enum image_table table, uint16_t address, int n)
{
	int wire = address + image->offset;
	if (wire < 0 || wire >= ADDRESS_END)
		return NULL;
	const struct image_area *area = image_find(image, (int)table, (uint16_t)wire, 1);
	if (area == NULL)
		return NULL;
	int at = wire - area->first;
	if (area->is_enron)
		return area->registers + 2 * at;
	return at + n <= area->count ? area->registers + at : NULL;
}

void image_set_register(
	struct image *image, enum image_table table, uint16_t address, uint16_t value)
{
	uint16_t *at = registers_at(image, table, address, 1);
	if (at != NULL)
		*at = value;
}

void image_set_int32(struct image *image, enum image_table table, uint16_t address, uint32_t value)
{
	uint16_t *at = registers_at(image, table, address, 2);
	if (at == NULL)
		return;
	bool low_first = image->order == ORDER_CDAB;
	at[low_first ? 0 : 1] = (uint16_t)(value & 0xffff);
	at[low_first ? 1 : 0] = (uint16_t)(value >> 16);
}

void image_set_float(struct image *image, enum image_table table, uint16_t address, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	image_set_int32(image, table, address, bits);
}

void image_set_bit(struct image *image, enum image_table table, uint16_t address, bool value)
{
	int wire = address + image->offset;
	if (wire < 0 || wire >= ADDRESS_END)
		return;
	const struct image_area *area = image_find(image, (int)table, (uint16_t)wire, 1);
	if (area != NULL)
		area->bits[wire - area->first] = value;
}

bool image_get_float(
	const struct image *image, enum image_table table, uint16_t address, float *value)
{
	const uint16_t *at = registers_at(image, table, address, 2);
	if (at == NULL)
		return false;
	bool low_first = image->order == ORDER_CDAB;
	uint32_t bits = (uint32_t)at[low_first ? 1 : 0] << 16 | at[low_first ? 0 : 1];
	memcpy(value, &bits, sizeof bits);
	return true;
}
