/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of Agilent's ChemStation and MassHunter, each as one part of a data set: a file alone, or
 * several in a folder *.D.  look(), next() and decode() are those of format.h, for one file.
 */
#ifndef FILE_IMPORT_AGILENT_H
#define FILE_IMPORT_AGILENT_H

#include "format.h"

#define AGILENT_SCAN_MAX \
	(2 * 0xffff) /* bytes of one scan of data.ms: its length is 16 bits of words */
#define AGILENT_FRAME_MAX (8U << 20) /* bytes of one frame */

/* data.ms, dataSim.ms, MSD1.MS: scans one after the other, and behind them an index. */
struct agilent_ms {
	unsigned file;
	bool is_sim; /* by its name: ions chosen before, interleaved with the scans of data.ms */
	uint64_t start, index; /* of the first scan; of the index, where the last scan ends */
	uint32_t count;        /* of scans */
	bool has_begun;        /* next(): the chromatogram was given */
	uint64_t at;           /* next(): the scan */
	uint8_t scan[AGILENT_SCAN_MAX];
};

bool agilent_ms_fits(struct source *s, unsigned file);

/* Reads its head, for next(): an enum format_found or an error.  look() does it, too. */
int agilent_ms_open(
	struct source *s, unsigned file, struct agilent_ms *ms, struct format_facts *facts);
int agilent_ms_look(
	struct source *s, unsigned file, struct agilent_ms *ms, struct format_facts *facts);
int agilent_ms_next(struct source *s, struct agilent_ms *ms, bool rewind, struct format_plan *plan);
int agilent_ms_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out);

/*
 * 1: a program has set the file's name, and perhaps its length, but not written its begin; 0; or an error.
 */
int agilent_is_empty(struct source *s, unsigned file);

/* FID1A.ch and other signals: the whole file is one frame. */
bool agilent_ch_fits(struct source *s, unsigned file);
int agilent_ch_look(struct source *s, unsigned file, struct format_facts *facts);
void agilent_ch_plan(struct source *s, unsigned file, struct format_plan *plan);
int agilent_ch_decode(const struct assay_decoding *in, struct assay_frame *out);

/*
 * A time of these files, such as "17 Dec 19  10:04 am -0500", "13-Oct-22, 08:52:05", "8/20/20 2:00:32 PM",
 * "2013-11-25T03:37:13Z".  If the order of day and month is not certain, `acquired` has the text as it is.
 */
void agilent_date(const char *text, struct format_facts *facts);

/* The line of an incomplete or damaged data set: file and reason. */
void agilent_why(struct format_facts *facts, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A variable along one axis. */
void agilent_add(struct assay_frame *out, const char *name, enum assay_role role, const char *axis,
	const char *unit, enum assay_value type, const void *data, size_t count);

#endif
