/* SPDX-License-Identifier: Apache-2.0 */
/* An X-ray spectrum as files have it. */
#ifndef FILE_IMPORT_XRAY_H
#define FILE_IMPORT_XRAY_H

#include "format.h"

#define XRAY_CHANNELS (1u << 17)

struct xray {
	const char *unit;   /* of the energies; NULL: no calibration, and the axis is channels */
	double first, step; /* of an even axis */
	const double *energies; /* of another one; NULL */
	const double *counts;
	size_t n;
	/* NAN: not stated. */
	double live, real, voltage, current;
	const char *current_unit;
};

/* All is absent. */
extern const struct xray xray_none;

/*
 * Adds axis, counts and times; the tube's values are settings of the frame.  Counts that are whole numbers
 * become integers.  The frame is a spectrum without a checksum.  0 or -ENOMEM.
 */
int xray_add(const struct xray *x, struct assay_frame *out);

/* A value that is not finite is left out, a text that is empty, too. */
void xray_add_aux(struct assay_frame *out, const char *name, double value, const char *unit);
void xray_add_setting_number(
	struct assay_frame *out, const char *name, double value, const char *unit);
void xray_add_setting_text(struct assay_frame *out, const char *name, const char *text);

/* The symbol of an element, 1 ... 118; NULL: there is none. */
const char *xray_element(unsigned z);

/* Its number by the symbol; 0: none has it. */
unsigned xray_element_find(const char *symbol, size_t len);

/*
 * Windows' SYSTEMTIME: u16 year, month, day of the week, day, hour, minute, second, millisecond.  "" if it
 * is no time.
 */
#define XRAY_TIME 40
void xray_write_time(char to[XRAY_TIME], const uint8_t *at);

/* next() of a file that is one frame; the state begins with a bool: whether it was given. */
int xray_plan_file(struct source *s, void *state, bool rewind, struct format_plan *plan);

#endif
