/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of a data set, one after the other: those that its format plans, and the bytes of the files
 * that are in none of them, behind the blocks of the first frame if they fit, else in frames of their own.
 */
#ifndef FILE_IMPORT_FRAMES_H
#define FILE_IMPORT_FRAMES_H

#include "format.h"
#include "tiling.h"

#define FRAMES_BYTES  (8u << 20) /* of the blocks of one frame */
#define FRAMES_BLOCKS 64
#define FRAMES_NAME   128 /* of a block, with its NUL: longer ones are cut */

/* Parts of frames that have no values: only bytes. */
#define FRAMES_REST      "rest"        /* beside the frames of the format */
#define FRAMES_UNDECODED "not-decoded" /* all that there is */
#define FRAMES_DAMAGED   "damaged"     /* the same */

struct frames {
	struct source *s;
	const struct format *format; /* NULL: none plans */
	void *state;                 /* of the format */
	const char *label;           /* of the format, in media types */
	const char *rest_part;
	struct tiling rest;
	size_t at;               /* of rest.spans: the next one */
	bool is_rest_with_first; /* behind the blocks of the first frame */
	bool has_plan;           /* the next one of the format */
	bool is_first;
	struct format_plan plan;
};

/*
 * Plans all frames of the data set that look() has found whole; with format NULL they have its bytes
 * only, as `rest_part`.  0; -EBADMSG: the format plans bytes that are not in the files; or an error of
 * source.read.  Then frames_finish().
 */
int frames_plan(struct frames *f, struct source *s, const struct format *format, void *state,
	const char *label, const char *rest_part);
void frames_finish(struct frames *f);

/* Adds the blocks of the next frame: 1, or 0 if it is the last one; or an error of source.read. */
int frames_take(struct frames *f, struct assay_raw *raw);

#endif
