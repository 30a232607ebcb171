/* SPDX-License-Identifier: Apache-2.0 */
#include "formats.h"

#include <stdio.h>
#include <string.h>

#define MEDIA "application/x-assay-file;format="
#define PART  ";part="

/* The surest first; those of which only the bytes are kept come last. */
/* clang-format off */
#define FORMATS(F) \
	F(agilent_d) F(agilent_ms) F(agilent_ch) F(omnic) F(perkinelmer) F(jasco) F(jasco_ole2) F(opus) F(spc) F(pdz) \
	F(pdz24) F(spx) F(msa) F(mca) F(spe) F(jcamp) F(asp) F(columns) \
	F(thermo) F(waters) F(shimadzu) F(varian) F(sciex) F(agilent_profile) F(bruker_ms) F(ispd) F(fpa) \
	F(uvprobe) F(ndt)
/* clang-format on */

#define DECLARE(name) extern const struct format format_##name;
FORMATS(DECLARE)

#define ROW(name) &format_##name,
const struct format *const formats[] = {FORMATS(ROW) NULL};

void formats_write_media(char media[FORMATS_MEDIA], const char *format, const char *part)
{
	snprintf(media, FORMATS_MEDIA, MEDIA "%s" PART "%s", format, part);
}

const struct format *formats_find(const char *name, size_t len)
{
	for (size_t i = 0; formats[i] != NULL; i++)
		if (strlen(formats[i]->name) == len && memcmp(formats[i]->name, name, len) == 0)
			return formats[i];
	return NULL;
}

bool formats_read_media(const char *media, const struct format **format, char part[FORMATS_MEDIA])
{
	size_t len = strlen(media);
	if (len >= FORMATS_MEDIA || strncmp(media, MEDIA, strlen(MEDIA)) != 0)
		return false;
	const char *name = media + strlen(MEDIA), *end = strstr(name, PART);
	if (end == NULL)
		return false;
	snprintf(part, FORMATS_MEDIA, "%s", end + strlen(PART));
	*format = formats_find(name, (size_t)(end - name));
	return true;
}

bool format_has_technique(const struct format *format, const char *technique)
{
	size_t len = strlen(technique);
	for (const char *at = format->techniques; *at != '\0';) {
		size_t n = strcspn(at, " ");
		if (n == len && memcmp(at, technique, n) == 0)
			return true;
		at += n + strspn(at + n, " ");
	}
	return false;
}
