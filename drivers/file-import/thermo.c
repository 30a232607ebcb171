/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thermo .raw, bytes only: 01 A1 and "Finnigan" in UTF-16, and the FILETIME at 40 when it was created.  Only
 * the vendor's library sees that an acquisition still runs: the settle time decides.  A failed run
 * has a name that ends with _CORRUPTED.raw.
 */
#include <stdio.h>

#include "bytes.h"
#include "date.h"

#define HEAD 48

static const uint8_t magic[18] = {
	1, 0xa1, 'F', 0, 'i', 0, 'n', 0, 'n', 0, 'i', 0, 'g', 0, 'a', 0, 'n', 0};

static bool fits(struct source *s)
{
	uint8_t head[sizeof magic];
	return s->files == 1 && !s->is_folder && name_ends(s->name, ".raw") &&
	       s->read(s, 0, 0, head, sizeof head) == 0 && memcmp(head, magic, sizeof head) == 0;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	(void)state;
	uint8_t head[HEAD];
	int r = s->read(s, 0, 0, head, sizeof head);
	if (r < 0)
		return r;
	if (date_from_filetime(facts->acquired, get_le64(head + 40)))
		snprintf(facts->zone, sizeof facts->zone, "Z");
	snprintf(facts->make, sizeof facts->make, "Thermo");
	if (name_ends(s->name, "_corrupted.raw")) {
		snprintf(facts->why, sizeof facts->why, "its program has named it corrupted");
		return FORMAT_DAMAGED;
	}
	return FORMAT_UNDECODED;
}

const struct format format_thermo = {
	.name = "thermo-raw",
	.summary = "Thermo: *.raw, bytes only",
	.techniques = "gcms ms",
	.fits = fits,
	.look = look,
};
