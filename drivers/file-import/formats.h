/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a data set or a raw block has. */
#ifndef FILE_IMPORT_FORMATS_H
#define FILE_IMPORT_FORMATS_H

#include "format.h"

#define FORMATS_MEDIA   128       /* bytes of a media type */
#define FORMATS_UNKNOWN "unknown" /* NAME of a data set without format */

/* Of a raw block: "application/x-assay-file;format=NAME;part=PART". */
void formats_write_media(char media[FORMATS_MEDIA], const char *format, const char *part);

/* The format of a media type, NULL: an unknown one, and its part.  False: it is none of these. */
bool formats_read_media(const char *media, const struct format **format, char part[FORMATS_MEDIA]);

/* NULL: there is none of this name. */
const struct format *formats_find(const char *name, size_t len);

/* Whether the frames of a format can have a technique. */
bool format_has_technique(const struct format *format, const char *technique);

#endif
