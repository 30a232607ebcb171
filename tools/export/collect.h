/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spectra of a run in memory, for formats that have one axis per file and points before frames:
 * spectra with the same axis are one group, which becomes one file.
 */
#ifndef ASSAY_EXPORT_COLLECT_H
#define ASSAY_EXPORT_COLLECT_H

#include "export.h"

#define COLLECT_MAX  (UINT64_C(1) << 30) /* bytes of one run */
#define COLLECT_VARS 32                  /* of a group */

struct collect_variable {
	char name[ASSAY_NAME_MAX + 1];
	char label[200]; /* "counts {2} [{count}]": tells it from others of the name */
	char unit[64];
	bool is_single; /* all its values are 32-bit floats */
};

struct collect_frame {
	uint64_t n, utc;
	enum assay_quality_flag quality;
};

struct collect_spectrum {
	size_t frame, variable; /* of the group */
	double *y;              /* owned; `points` numbers */
};

struct collect_group {
	struct collect_variable x, variables[COLLECT_VARS];
	size_t variables_count;
	double *points; /* owned: the axis */
	size_t points_count;
	struct collect_frame *frames;
	size_t frames_count, frames_size;
	struct collect_spectrum *spectra; /* in the order of the frames */
	size_t spectra_count, spectra_size;
};

struct collection {
	struct collect_group *groups;
	size_t count;
	size_t next; /* for end(): the group that is written next */
	uint64_t bytes;
};

/*
 * Adds the spectra of the item to e->own.  0, -ENOMEM, or -EFBIG: more than COLLECT_MAX.  Frames without
 * a spectrum are left out with a note.
 */
int collect_add(struct export *e, const struct export_item *item);

/*
 * For end(): the next group, whose file is chosen.  1, or 0 after the last; or a negative errno.
 * collect_more() is end()'s result.
 */
int collect_next(struct export *e, const struct collect_group **group);
int collect_more(const struct export *e);

/* The spectrum of this variable in this frame; NULL: there is none.  `*from` starts with 0. */
const double *collect_find(
	const struct collect_group *group, size_t frame, size_t variable, size_t *from);

/* The slot forget(). */
void collect_forget(struct export *e);

#endif
