/* SPDX-License-Identifier: Apache-2.0 */
#include "formats.h"

#include <stdio.h>
#include <string.h>

#define MEDIA "application/x-assay-file;format="
#define PART  ";part="

extern const struct format format_asp;
/* bytes only */
extern const struct format format_thermo, format_waters;
extern const struct format format_shimadzu, format_varian, format_sciex, format_agilent_profile;
extern const struct format format_bruker_ms, format_ispd, format_fpa, format_uvprobe, format_ndt;
extern const struct format format_agilent_ch, format_agilent_ms, format_asp;
extern const struct format format_mca;
extern const struct format format_msa;
extern const struct format format_pdz;
extern const struct format format_pdz24;
extern const struct format format_spe;

const struct format *const formats[] = {
	&format_agilent_ms,
	&format_agilent_ch,
extern const struct format format_jasco_ole2;
extern const struct format format_jasco;
extern const struct format format_perkinelmer;
extern const struct format format_omnic;

const struct format *const formats[] = {
	&format_omnic,
	&format_perkinelmer,
	&format_jasco,
	&format_jasco_ole2,
extern const struct format format_asp, format_spc;
extern const struct format format_asp, format_opus, format_spc;
extern const struct format format_asp, format_jcamp, format_opus, format_spc;

const struct format *const formats[] = {
	&format_opus,
	&format_jcamp,
	&format_spc,
	&format_asp,
	/* bytes only */
	&format_thermo,
	&format_waters,
	&format_shimadzu,
	&format_varian,
	&format_sciex,
	&format_agilent_profile,
	&format_bruker_ms,
	&format_ispd,
	&format_fpa,
	&format_uvprobe,
	&format_ndt,
	&format_pdz,
	&format_pdz24,
	&format_msa,
	&format_mca,
	&format_spe,
	NULL,
};

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
