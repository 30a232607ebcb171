/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a folder *.D beside the files of agilent.h. */
#ifndef FILE_IMPORT_AGILENT_D_H
#define FILE_IMPORT_AGILENT_D_H

#include "agilent.h"

/*
 * MSScan.bin and MSPeak.bin of a folder AcqData: centroids, with all digits.  MSScan.xsd describes the records of
 * MSScan.bin, which differ between versions.
 */
struct agilent_mh_place {
	uint16_t offset; /* in a record */
	uint8_t size;    /* bytes; 0: the record has no such field */
};

enum agilent_mh_field {
	MH_TIME,
	MH_TOTAL,
	MH_SCAN_TYPE,
	MH_OFFSET,
	MH_BYTES,
	MH_POINTS,
	MH_UNPACKED,
	MH_FIRST,
	MH_LAST,
	MH_FIELDS,
};

struct agilent_mh_record {
	struct agilent_mh_place place[MH_FIELDS];
	unsigned size; /* bytes */
};

/* By the schema, of which look() has checked that it is one: 0, -EBADMSG, -ENOTSUP: records of another kind. */
int agilent_mh_layout(const uint8_t *xsd, size_t len, struct agilent_mh_record *to);
int64_t agilent_mh_integer(const uint8_t *at, size_t size);
double agilent_mh_number(const uint8_t *at, size_t size);

struct agilent_mh {
	unsigned xsd, scans, peaks; /* files */
	struct agilent_mh_record record;
	uint64_t start; /* of the first record */
	uint32_t count; /* of records */
	uint32_t at;    /* next(): the record */
};

/* Whether the files are there. */
bool agilent_mh_fits(const struct source *s);
int agilent_mh_look(struct source *s, struct agilent_mh *mh, struct format_facts *facts);
int agilent_mh_next(struct source *s, struct agilent_mh *mh, bool rewind, struct format_plan *plan);
int agilent_mh_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out);

/* Fills what the other files of a folder state and `facts` lacks.  0 or an error. */
int agilent_facts(struct source *s, struct format_facts *facts);

/* AcqData/Contents.xml: FORMAT_WHOLE if it has ended the acquisition, or is not needed; or an error. */
int agilent_contents(struct source *s, struct format_facts *facts);

#endif
