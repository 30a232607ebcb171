/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register map of one make of analyser: its areas, the register of each gas, its status.
 * Written from the published register maps alone.
 */
#ifndef ASSAY_SIM_MODBUS_PROFILE_H
#define ASSAY_SIM_MODBUS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cycle.h"
#include "gas.h"
#include "image.h"

/* The readings of an analyser: it holds the shown values unless it is measuring. */
struct analyser {
	enum cycle_state state;
	double shown[GAS_COUNT];
	double zero[GAS_COUNT], span[GAS_COUNT]; /* found at the last check, same units */
	int64_t zeroed, spanned;                 /* times of these checks, Unix seconds */
	unsigned analyses, streams;              /* of a process GC: done, and taken in turn */
};

struct profile_area {
	enum image_table table;
	uint16_t first;
	int count;
	bool extra; /* only on larger configurations */
	bool is_enron;
};

struct profile_value {
	uint16_t address; /* of the first of two registers */
	enum gas gas;
};

/* The longest reply data of a vendor function. */
#define PROFILE_VENDOR_MAX 250

struct profile {
	const char *name, *summary;
	enum image_table table; /* where the values are */
	enum word_order order;
	const struct profile_area *areas;
	size_t n_areas;
	const struct profile_value *values;
	size_t n_values;

	/* Writes everything except the values; may be NULL. */
	void (*encode_status)(struct image *image, const struct analyser *analyser);

	/*
	 * Answers a vendor's own function code that reads `count` 16-bit items from `start`: writes
	 * the data that follow the byte count and returns their length, or -EOPNOTSUPP (the master
	 * then gets exception 01).  May be NULL.
	 */
	ssize_t (*vendor)(const struct analyser *analyser, uint8_t function, uint16_t start,
		uint16_t count, uint8_t *data);
};

#define PROFILE_COUNT 5
extern const struct profile *const profiles[PROFILE_COUNT];

/* Adds the profile's areas to an initialised image.  0 or -ENOMEM. */
int profile_lay_out(const struct profile *profile, bool extras, struct image *image);

/* Writes the shown values and the status into the image. */
void profile_encode(
	const struct profile *profile, const struct analyser *analyser, struct image *image);

extern const struct profile profile_sick_mcs100ft;
extern const struct profile profile_gasmet_cx4000;
extern const struct profile profile_generic;
extern const struct profile profile_daniel_2251;
extern const struct profile profile_daniel_2251_registers;

#endif
