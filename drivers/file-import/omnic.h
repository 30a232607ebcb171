/* SPDX-License-Identifier: Apache-2.0 */
/* A spectrum of Thermo/Nicolet OMNIC, from the bytes of its sections. */
#ifndef FILE_IMPORT_OMNIC_H
#define FILE_IMPORT_OMNIC_H

#include "curve.h"

#define OMNIC_HEAD        304 /* of the file; the table of sections follows */
#define OMNIC_HEADER      84  /* of a spectrum: of 140 bytes, those that are read */
#define OMNIC_MEMBER      260 /* of a group, of 264: its title and its time */
#define OMNIC_TITLE       256 /* the longest */
#define OMNIC_MEMBER_TIME 256
#define OMNIC_HEAD_TITLE  30
#define OMNIC_HEAD_TIME   296

/* The curve of a header and of `len` bytes of values, if FORMAT_WHOLE; else with the reason. */
enum format_found omnic_read_curve(const uint8_t *header, const uint8_t *values, uint64_t len,
	struct curve *c, char why[FORMAT_FACT]);

/* A time of four bytes: seconds since 1899-12-31 in UTC. */
bool omnic_date(char *to, const uint8_t *time);

int omnic_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out);

#endif
