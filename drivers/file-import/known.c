/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats that are recognised by their name, their first bytes or a file of their folder, and recorded as
 * bytes only, because no sure description of them is public.
 */
#include <stdio.h>

#include "bytes.h"

static bool begins(struct source *s, unsigned file, const char *magic, size_t len)
{
	uint8_t head[16];
	return len <= sizeof head && s->read(s, file, 0, head, len) == 0 &&
	       memcmp(head, magic, len) == 0;
}

static bool is_file(const struct source *s, const char *end)
{
	return s->files == 1 && !s->is_folder && name_ends(s->name, end);
}

#define OLE2 "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

static bool fits_shimadzu(struct source *s)
{
	return (is_file(s, ".qgd") || is_file(s, ".gcd") || is_file(s, ".lcd")) &&
	       begins(s, 0, OLE2, sizeof OLE2 - 1);
}

static bool fits_varian(struct source *s)
{
	uint8_t mark[8];
	return (is_file(s, ".sms") && s->read(s, 0, 8, mark, sizeof mark) == 0 &&
		       memcmp(mark, "SATURNWS", sizeof mark) == 0) ||
	       is_file(s, ".xms");
}

/* NAME.wiff and NAME.wiff.scan are two data sets. */
static bool fits_sciex(struct source *s)
{
	return is_file(s, ".wiff") || is_file(s, ".wiff.scan") || is_file(s, ".wiff2");
}

/* Profile spectra only: centroids are decoded. */
static bool fits_agilent_profile(struct source *s)
{
	return s->is_folder && name_ends(s->name, ".d") &&
	       source_find(s, "acqdata/msprofile.bin") >= 0 &&
	       source_find(s, "acqdata/mspeak.bin") < 0;
}

static bool fits_bruker_ms(struct source *s)
{
	return s->is_folder && name_ends(s->name, ".d") &&
	       (source_find(s, "analysis.baf") >= 0 || source_find(s, "analysis.tdf") >= 0 ||
		       source_find(s, "analysis.yep") >= 0);
}

static bool fits_ispd(struct source *s)
{
	return is_file(s, ".ispd");
}

static bool fits_fpa(struct source *s)
{
	return is_file(s, ".seq") || is_file(s, ".dmt") || is_file(s, ".dms") ||
	       is_file(s, ".dmd") || is_file(s, ".drd") || is_file(s, ".bsp");
}

static bool fits_uvprobe(struct source *s)
{
	return is_file(s, ".spc") && (begins(s, 0, "\0\x16", 2) || begins(s, 0, "\xcf", 1));
}

static bool fits_ndt(struct source *s)
{
	return is_file(s, ".ndt");
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	(void)s;
	(void)state;
	(void)facts;
	return FORMAT_UNDECODED;
}

#define KNOWN(id, NAME, SUMMARY, TECHNIQUES)             \
	const struct format format_##id = {.name = NAME, \
		.summary = SUMMARY ", bytes only",       \
		.techniques = TECHNIQUES,                \
		.fits = fits_##id,                       \
		.look = look}

KNOWN(shimadzu, "shimadzu-gc", "Shimadzu: *.qgd, *.gcd, *.lcd", "gcms gc ms");
KNOWN(varian, "varian-ms", "Varian, Bruker MS Workstation: *.sms, *.xms", "gcms ms");
KNOWN(sciex, "sciex", "SCIEX: *.wiff, *.wiff.scan, *.wiff2", "gcms ms");
KNOWN(agilent_profile, "agilent-profile", "Agilent profile spectra: folders *.D", "gcms ms");
KNOWN(bruker_ms, "bruker-ms", "Bruker: folders *.d", "gcms ms");
KNOWN(ispd, "shimadzu-ispd", "Shimadzu LabSolutions IR: *.ispd", "ftir");
KNOWN(fpa, "agilent-fpa", "Agilent imaging: *.seq, *.dmt and their parts", "ftir");
KNOWN(uvprobe, "shimadzu-uv", "Shimadzu UVProbe: *.spc", "uv-vis");
KNOWN(ndt, "niton-ndt", "Niton: *.ndt", "xrf");
