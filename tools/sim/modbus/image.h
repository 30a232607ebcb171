/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers and bits of one unit as a master sees them: a few contiguous areas and nothing
 * between them.  Map addresses are those of the printed map (0-based); the image adds the
 * configured offset to get wire addresses.
 */
#ifndef ASSAY_SIM_MODBUS_IMAGE_H
#define ASSAY_SIM_MODBUS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The function code that reads the table. */
enum image_table {
	IMAGE_COILS = 1,
	IMAGE_INPUT_BITS = 2,
	IMAGE_HOLDING = 3,
	IMAGE_INPUT = 4,
};

enum word_order {
	ORDER_CDAB, /* low word first */
	ORDER_ABCD,
};

struct image_area {
	enum image_table table;
	uint16_t first;
	int count;
	bool is_enron;       /* each address is one 32-bit value, in two registers */
	uint16_t *registers; /* one of the two */
	uint8_t *bits;
};

#define IMAGE_AREAS_MAX 4

struct image {
	struct image_area areas[IMAGE_AREAS_MAX];
	size_t n;
	enum word_order order;
	int offset;
};

void image_init(struct image *image, enum word_order order, int offset);

/* Frees the areas; legal on a zeroed image. */
void image_finish(struct image *image);

/*
 * Adds an area of zeroes, cut to wire addresses 0..65535; `is_enron`: of 32-bit values.  0 or -ENOMEM.
 */
int image_add(
	struct image *image, enum image_table table, uint16_t first, int count, bool is_enron);

/* True when the table has any area: its function code is supported. */
bool image_has_table(const struct image *image, int function);

/* The area that holds all `count` items from wire address `first`, borrowed, or NULL. */
const struct image_area *image_find(
	const struct image *image, int function, uint16_t first, int count);

/* These write at a map address; a write outside every area is dropped. */
void image_set_register(
	struct image *image, enum image_table table, uint16_t address, uint16_t value);
void image_set_float(struct image *image, enum image_table table, uint16_t address, float value);
void image_set_int32(struct image *image, enum image_table table, uint16_t address, uint32_t value);
void image_set_bit(struct image *image, enum image_table table, uint16_t address, bool value);

/* The float a master would decode at a map address: true and `*value`, or false outside. */
bool image_get_float(
	const struct image *image, enum image_table table, uint16_t address, float *value);

#endif
