/* SPDX-License-Identifier: Apache-2.0 */
/* A spectrum of an optical instrument, as its file has it, and the frame that it makes. */
#ifndef FILE_IMPORT_CURVE_H
#define FILE_IMPORT_CURVE_H

#include "format.h"

#define CURVE_CHANNELS 8
#define CURVE_BYTES    (8u << 20) /* of one frame */

enum curve_x {
	CURVE_NO_X = 0,
	CURVE_WAVENUMBER,
	CURVE_RAMAN_SHIFT,
	CURVE_NANOMETRE,
	CURVE_MICROMETRE,
	CURVE_POINT, /* of an interferogram */
};

enum curve_y {
	CURVE_NO_Y = 0,
	CURVE_ABSORBANCE,
	CURVE_TRANSMITTANCE, /* in per cent */
	CURVE_REFLECTANCE,
	CURVE_REFLECTANCE_PERCENT,
	CURVE_LOG_1_R,
	CURVE_KUBELKA_MUNK,
	CURVE_PHOTOACOUSTIC,
	CURVE_SINGLE_BEAM,
	CURVE_INTENSITY,
	CURVE_VOLTS,
	CURVE_INTERFEROGRAM,
};

struct curve {
	enum curve_x x;
	double first, step;
	const uint8_t *xs; /* of an uneven axis, f32; NULL: first + i step */
	size_t points;
	unsigned channels;
	enum curve_y y[CURVE_CHANNELS];
	const uint8_t
		*ys; /* little-endian, the points of one channel behind those of the one before */
	unsigned width;          /* 4: f32, 8: f64 */
	bool has_void;           /* `no_value` stands where there is none, as NaN always does */
	uint32_t no_value;       /* the bits of this f32 */
	uint32_t scans;          /* averaged; 0: not stated */
	double resolution;       /* in cm-1; 0: not stated */
	char label[FORMAT_FACT]; /* the file's name of it; "" is none */
};

/*
 * Whether it can be a frame: an axis that strictly ascends or descends, 2 points or more, at most
 * CURVE_BYTES.  If not, `why` has one line.
 */
bool curve_check(const struct curve *c, char why[FORMAT_FACT]);

/*
 * The frame of a curve that passes the check, unchecked; a point without a value is NaN, and the frame then
 * has the reason out-of-range.  Borrows until it returns.
 */
int curve_add(const struct curve *c, struct assay_frame *out);

/*
 * A single file that begins with the magic number; or one with such a name, `ends` NULL at the end, whose
 * first bytes are not written yet: none, fewer, or zeros.
 */
bool curve_fits(struct source *s, const void *magic, size_t len, const char *const *ends);

/*
 * Of a format whose files are one curve each, and are read as a whole.  `c` may borrow from the bytes, and
 * from `work`, which has as many as the file.
 */
typedef enum format_found curve_parse(const uint8_t *bytes, size_t len, uint8_t *work,
	struct curve *c, struct format_facts *facts);

int curve_look(struct source *s, curve_parse *parse, struct format_facts *facts);
int curve_next(struct source *s, void *state, bool rewind, struct format_plan *plan);
int curve_decode(const struct assay_decoding *in, curve_parse *parse, struct assay_frame *out);

#define CURVE_STATE sizeof(bool)

#endif
