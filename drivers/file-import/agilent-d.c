/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder *.D of ChemStation or MassHunter is one data set: its scans, then the signals of its detectors.  One
 * that has the scans twice, in data.ms and below AcqData, gives those of data.ms.
 */
#include "agilent-d.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

#define MEMBERS 64 /* more signals than that are recorded as bytes */

struct folder {
	struct member {
		unsigned file;
		bool is_ms;
	} members[MEMBERS];
	unsigned count;
	bool has_mh;
	unsigned at;  /* next(): the member; behind the last one: MassHunter's scans */
	bool is_open; /* next(): the member has given a frame */
	struct agilent_ms ms;
	struct agilent_mh mh;
};

/* Those at the folder's top; in folders of methods are others of the same kinds. */
static bool is_top(const struct source *s, unsigned file)
{
	return strchr(s->file[file].path, '/') == NULL;
}

static bool fits(struct source *s)
{
	if (!s->is_folder || !name_ends(s->name, ".d"))
		return false;
	for (unsigned i = 0; i < s->files; i++)
		if (is_top(s, i) && (agilent_ms_fits(s, i) || agilent_ch_fits(s, i)))
			return true;
	return agilent_mh_fits(s);
}

/* What the files before have not stated. */
static void merge(struct format_facts *to, const struct format_facts *from)
{
	static const size_t facts[] = {offsetof(struct format_facts, sample),
		offsetof(struct format_facts, person), offsetof(struct format_facts, method),
		offsetof(struct format_facts, title), offsetof(struct format_facts, make),
		offsetof(struct format_facts, model), offsetof(struct format_facts, software)};
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		if (((char *)to)[facts[i]] == '\0')
			memcpy((char *)to + facts[i], (const char *)from + facts[i], FORMAT_FACT);
	if (to->acquired[0] == '\0') {
		memcpy(to->acquired, from->acquired, FORMAT_FACT);
		memcpy(to->zone, from->zone, FORMAT_FACT);
	}
}

/* Looks at the files of one kind; one with the name and another begin is of another program. */
static int look_members(struct source *s, struct folder *f, bool is_ms, struct format_facts *facts)
{
	for (unsigned i = 0; i < s->files && f->count < MEMBERS; i++) {
		struct format_facts own = {0};
		if (!is_top(s, i) || !name_ends(s->file[i].path, is_ms ? ".ms" : ".ch"))
			continue;
		if (!(is_ms ? agilent_ms_fits(s, i) : agilent_ch_fits(s, i))) {
			int e = agilent_is_empty(s, i);
			if (e == 0)
				continue;
			agilent_why(facts, s->file[i].path, "not there yet");
			return e < 0 ? e : FORMAT_INCOMPLETE;
		}
		int r = is_ms ? agilent_ms_look(s, i, &f->ms, &own) : agilent_ch_look(s, i, &own);
		if (r != FORMAT_WHOLE) {
			memcpy(facts->why, own.why, FORMAT_FACT);
			return r;
		}
		merge(facts, &own);
		f->members[f->count++] = (struct member){i, is_ms};
	}
	return FORMAT_WHOLE;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct folder *f = state;
	int r = look_members(s, f, true, facts);
	bool has_ms = f->count > 0;
	if (r == FORMAT_WHOLE)
		r = look_members(s, f, false, facts);
	if (r == FORMAT_WHOLE)
		r = agilent_contents(s, facts);
	if (r == FORMAT_WHOLE && !has_ms && agilent_mh_fits(s)) {
		r = agilent_mh_look(s, &f->mh, facts);
		f->has_mh = r == FORMAT_WHOLE;
		if (r == FORMAT_UNDECODED && f->count > 0)
			r = FORMAT_WHOLE;
	}
	if (r != FORMAT_WHOLE)
		return r;
	snprintf(facts->make, sizeof facts->make, "Agilent");
	int e = agilent_facts(s, facts);
	return e < 0 ? e : FORMAT_WHOLE;
}

/* The next frame of the member's scans: the first time its head is read. */
static int next_scan(struct source *s, struct folder *f, struct format_plan *plan)
{
	struct format_facts facts = {0};
	bool is_first = !f->is_open;
	int r = is_first ? agilent_ms_open(s, f->members[f->at].file, &f->ms, &facts)
			 : FORMAT_WHOLE;
	if (r != FORMAT_WHOLE)
		return r < 0 ? r : -EBADMSG;
	f->is_open = true;
	return agilent_ms_next(s, &f->ms, is_first, plan);
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct folder *f = state;
	if (rewind) {
		f->at = 0;
		f->is_open = false;
	}
	for (; f->at < f->count; f->at++, f->is_open = false) {
		if (!f->members[f->at].is_ms) {
			agilent_ch_plan(s, f->members[f->at++].file, plan);
			return 1;
		}
		int r = next_scan(s, f, plan);
		if (r != 0)
			return r;
	}
	if (!f->has_mh)
		return 0;
	bool is_first = !f->is_open;
	f->is_open = true;
	return agilent_mh_next(s, &f->mh, is_first, plan);
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	if (strcmp(part, "signal") == 0)
		return agilent_ch_decode(in, out);
	if (strncmp(part, "masshunter-", 11) == 0)
		return agilent_mh_decode(in, part + 11, out);
	return agilent_ms_decode(in, part, out);
}

const struct format format_agilent_d = {
	.name = "agilent-d",
	.summary = "Agilent ChemStation, MassHunter: a folder *.D with scans and signals",
	.techniques = "gcms gc ms",
	.state_size = sizeof(struct folder),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = decode,
};
