/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans of Agilent's mass spectrometers: data.ms, dataSim.ms of a gas chromatograph, MSD1.MS of a liquid one.
 * Big-endian; places are counted in words of two bytes, from 1.
 */
#include "agilent.h"

#include <errno.h>
#include <stdio.h>

#include "bytes.h"
#include "text.h"

#define HEADER_MIN  298
#define HEADER_LONG 5768 /* of gas chromatographs: the texts again, not cut */
#define LONG_METHOD 0x466
#define LONG_MODEL  0x1c0
#define LONG_TEXT   0x1fe /* bytes, UTF-16 */
#define SCAN_HEAD   18
#define SCAN_FRAME  28 /* bytes of a scan without its peaks */
#define INDEX_ENTRY 12
#define ENTRIES     256 /* of the index in one read */
#define MZ_PER_UNIT 20

static const char *const kinds[] = {"GC / MS Data File", "MSD Spectral File"};

bool agilent_ms_fits(struct source *s, unsigned file)
{
	uint8_t h[32];
	if (!name_ends(s->file[file].path, ".ms") || s->read(s, file, 0, h, sizeof h) < 0 ||
		memcmp(h,
			"\1"
			"2\0",
			4) != 0)
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (h[4] == strlen(kinds[i]) && memcmp(h + 5, kinds[i], h[4]) == 0)
			return true;
	return false;
}

/* A scan of exactly these bytes: the reason why it is none, or NULL. */
static const char *scan_fault(const uint8_t *scan, size_t len)
{
	if (len < SCAN_FRAME || 2u * get_be16(scan) != len)
		return "another length than it states";
	size_t n = get_be16(scan + 12);
	if (len != SCAN_FRAME + 4 * n)
		return "its number of peaks does not fit its length";
	for (size_t i = 0, before = 0x10000; i < n; i++) {
		size_t mz = get_be16(scan + SCAN_HEAD + 4 * i);
		if (mz >= before || mz == 0)
			return "its m/z do not descend";
		before = mz;
	}
	return NULL;
}

static uint32_t scan_total(const uint8_t *scan, size_t len)
{
	return get_be32(scan + len - 4);
}

/* A text with its length in front, for which the file has `room` bytes. */
static void take_text(char *to, size_t size, const uint8_t *at, size_t room)
{
	text_convert(to, size, TEXT_CP1252, at + 1, at[0] < room ? at[0] : room);
}

#define TAKE(fact, at, room) take_text(facts->fact, sizeof facts->fact, h + (at), (room))

static void take_facts(const uint8_t *h, size_t len, struct format_facts *facts)
{
	char date[FORMAT_FACT];
	TAKE(sample, 24, 61);
	TAKE(title, 86, 61);
	TAKE(person, 148, 29);
	TAKE(model, 208, 9);
	TAKE(method, 228, 19);
	take_text(date, sizeof date, h + 178, 29);
	agilent_date(date, facts);
	if (len >= HEADER_LONG) {
		char text[FORMAT_FACT];
		text_set(text, TEXT_UTF_16_LE, h + LONG_METHOD, LONG_TEXT);
		if (text[0] != '\0')
			text_set(facts->method, TEXT_UTF_16_LE, h + LONG_METHOD, LONG_TEXT);
		text_set(text, TEXT_UTF_16_LE, h + LONG_MODEL, 0x268 - LONG_MODEL);
		if (text[0] != '\0')
			text_set(facts->model, TEXT_UTF_16_LE, h + LONG_MODEL, 0x268 - LONG_MODEL);
	}
	snprintf(facts->make, sizeof facts->make, "Agilent");
}

int agilent_ms_open(
	struct source *s, unsigned file, struct agilent_ms *ms, struct format_facts *facts)
{
	ms->file = file;
	ms->is_sim = name_ends(s->file[file].path, "sim.ms");
	uint8_t h[HEADER_LONG];
	uint64_t size = s->file[ms->file].size;
	size_t len = size < sizeof h ? (size_t)size : sizeof h;
	int r = len < HEADER_MIN ? 0 : s->read(s, ms->file, 0, h, len);
	if (r < 0 && r != -ENODATA)
		return r;
	if (r < 0 || len < HEADER_MIN || get_be16(h + 266) == 0 || get_be32(h + 278) == 0) {
		agilent_why(facts, s->file[ms->file].path, "its head has no number of scans yet");
		return FORMAT_INCOMPLETE;
	}
	ms->count = get_be32(h + 278);
	ms->start = 2 * (uint64_t)get_be16(h + 266) - 2;
	ms->index = 2 * (uint64_t)get_be32(h + 260) - 2;
	if (get_be32(h + 260) == 0 || !bytes_fit_items(ms->index, ms->count, INDEX_ENTRY, size)) {
		agilent_why(facts, s->file[ms->file].path,
			"the index of %u scans ends behind the end of the file",
			(unsigned)ms->count);
		return FORMAT_INCOMPLETE;
	}
	if (ms->start < HEADER_MIN || ms->index < ms->start ||
		ms->count > (ms->index - ms->start) / SCAN_FRAME ||
		ms->start + (uint64_t)ms->count * INDEX_ENTRY > AGILENT_FRAME_MAX) {
		agilent_why(facts, s->file[ms->file].path,
			"%u scans do not fit between head and index", (unsigned)ms->count);
		return FORMAT_DAMAGED;
	}
	take_facts(h, len < ms->start ? len : (size_t)ms->start, facts);
	return FORMAT_WHOLE;
}

/* Compares scan `i` at `*at` with its entry of the index, and moves `*at` behind it. */
static int compare_scan(struct source *s, struct agilent_ms *ms, uint32_t i, uint64_t *at,
	const uint8_t *entry, struct format_facts *facts)
{
	const char *path = s->file[ms->file].path, *fault = NULL;
	uint8_t words[2];
	int r = s->read(s, ms->file, *at, words, sizeof words);
	size_t len = 2 * (size_t)get_be16(words);
	if (r == 0 && (len == 0 || get_be32(entry) == 0)) {
		agilent_why(facts, path, "scan %u is not there yet", (unsigned)i);
		return FORMAT_INCOMPLETE;
	}
	if (r == 0 && bytes_fit(*at, len, ms->index))
		r = s->read(s, ms->file, *at, ms->scan, len);
	else if (r == 0)
		fault = "it ends behind the begin of the index";
	if (r < 0)
		return r;
	if (fault == NULL)
		fault = scan_fault(ms->scan, len);
	if (fault == NULL && 2 * (uint64_t)get_be32(entry) - 2 != *at)
		fault = "the index has another place of it";
	if (fault == NULL && (get_be32(entry + 4) != get_be32(ms->scan + 2) ||
				     get_be32(entry + 8) != scan_total(ms->scan, len)))
		fault = "the index has another time or total of it";
	if (fault != NULL) {
		agilent_why(facts, path, "scan %u: %s", (unsigned)i, fault);
		return FORMAT_DAMAGED;
	}
	*at += len;
	return FORMAT_WHOLE;
}

/*
 * The end mark is the walk: the scans lead from the head to the index, whose entries have the place, time and
 * total of each.
 */
int agilent_ms_look(
	struct source *s, unsigned file, struct agilent_ms *ms, struct format_facts *facts)
{
	uint8_t entries[ENTRIES * INDEX_ENTRY];
	int r = agilent_ms_open(s, file, ms, facts);
	uint64_t at = ms->start;
	uint32_t before = 0;
	for (uint32_t i = 0; r == FORMAT_WHOLE && i < ms->count; i++) {
		uint32_t k = i % ENTRIES, left = ms->count - i;
		int e = k > 0 ? 0
			      : s->read(s, file, ms->index + (uint64_t)i * INDEX_ENTRY, entries,
					INDEX_ENTRY * (left < ENTRIES ? left : ENTRIES));
		if (e < 0)
			return e;
		const uint8_t *entry = entries + (size_t)k * INDEX_ENTRY;
		e = compare_scan(s, ms, i, &at, entry, facts);
		if (e != FORMAT_WHOLE)
			return e;
		if (i > 0 && get_be32(entry + 4) <= before) {
			agilent_why(facts, s->file[file].path,
				"scan %u is not later than the one before", (unsigned)i);
			return FORMAT_DAMAGED;
		}
		before = get_be32(entry + 4);
	}
	if (r == FORMAT_WHOLE && at != ms->index) {
		agilent_why(facts, s->file[file].path, "bytes between the last scan and the index");
		r = FORMAT_DAMAGED;
	}
	return r;
}

int agilent_ms_next(struct source *s, struct agilent_ms *ms, bool rewind, struct format_plan *plan)
{
	if (rewind)
		ms->has_begun = false;
	if (!ms->has_begun) {
		*plan = (struct format_plan){
			.part = ms->is_sim ? "chromatogram-sim" : "chromatogram",
			.slice = {{ms->file, 0, ms->start},
				{ms->file, ms->index, (uint64_t)ms->count * INDEX_ENTRY}},
			.count = 2};
		ms->has_begun = true;
		ms->at = ms->start;
		return 1;
	}
	if (ms->at >= ms->index)
		return 0;
	uint8_t words[2];
	int r = s->read(s, ms->file, ms->at, words, sizeof words);
	uint64_t len = 2 * (uint64_t)get_be16(words);
	if (r < 0)
		return r;
	if (len < SCAN_FRAME || len > ms->index - ms->at)
		return -EBADMSG;
	*plan = (struct format_plan){.part = ms->is_sim ? "scan-sim" : "scan",
		.slice = {{ms->file, ms->at, len}},
		.count = 1};
	ms->at += len;
	return 1;
}

/* --- decode ----------------------------------------------------------------------------------- */

/* Of the index alone; the head gives the date. */
static int decode_chromatogram(const struct assay_decoding *in, struct assay_frame *out)
{
	if (in->raw_count < 2 || in->raw[0].len < HEADER_MIN || in->raw[1].len == 0 ||
		in->raw[1].len % INDEX_ENTRY != 0) {
		assay_explain_decode(in, "no head and index of scans");
		return -EBADMSG;
	}
	size_t n = in->raw[1].len / INDEX_ENTRY;
	uint32_t *times = assay_frame_scratch(out, n * sizeof *times);
	uint32_t *totals = assay_frame_scratch(out, n * sizeof *totals);
	if (times == NULL || totals == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		times[i] = get_be32(in->raw[1].data + i * INDEX_ENTRY + 4);
		totals[i] = get_be32(in->raw[1].data + i * INDEX_ENTRY + 8);
		if (i > 0 && times[i] <= times[i - 1]) {
			assay_explain_decode(in, "scan %zu is not later than the one before", i);
			return -EBADMSG;
		}
	}
	char date[FORMAT_FACT];
	take_text(date, sizeof date, in->raw[0].data + 178, 29);
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	if (date[0] != '\0')
		assay_frame_device_time(out, date);
	agilent_add(out, "time", ASSAY_AXIS, "time", "ms", ASSAY_U32, times, n);
	agilent_add(out, "total_ion_current", ASSAY_DATA, "time", "1", ASSAY_U32, totals, n);
	return 0;
}

/* A scan without peaks has nothing along an axis: single values only. */
static int decode_scan(const struct assay_decoding *in, struct assay_frame *out)
{
	const char *fault = in->raw_count < 1 ? "no scan"
					      : scan_fault(in->raw[0].data, in->raw[0].len);
	if (fault != NULL) {
		assay_explain_decode(in, "a scan of a file .ms: %s", fault);
		return -EBADMSG;
	}
	const uint8_t *scan = in->raw[0].data;
	size_t n = get_be16(scan + 12);
	double *mz = assay_frame_scratch(out, (n + 1) * sizeof *mz);
	uint32_t *intensity = assay_frame_scratch(out, (n + 1) * sizeof *intensity);
	if (mz == NULL || intensity == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint32_t packed = get_be16(scan + SCAN_HEAD + 4 * i + 2);
		mz[i] = (double)get_be16(scan + SCAN_HEAD + 4 * i) / MZ_PER_UNIT;
		intensity[i] = (packed & 0x3fff) << 3 * (packed >> 14);
	}
	assay_frame_kind(out, n > 0 ? ASSAY_SPECTRUM : ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	if (n > 0) {
		agilent_add(out, "mz", ASSAY_AXIS, "mz", "1", ASSAY_F64, mz, n);
		agilent_add(out, "intensity", ASSAY_DATA, "mz", "1", ASSAY_U32, intensity, n);
	}
	assay_add_int(out, "retention_time", ASSAY_AUX, get_be32(scan + 2), "ms");
	assay_add_int(out, "total_ion_current", ASSAY_AUX, scan_total(scan, in->raw[0].len), "1");
	return 0;
}

int agilent_ms_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct assay_variable mode = {.type = ASSAY_SCALAR_TEXT, .text = "selected ion monitoring"};
	bool is_scan = strncmp(part, "scan", 4) == 0;
	int r = is_scan ? decode_scan(in, out) : decode_chromatogram(in, out);
	if (r == 0 && name_ends(part, "-sim"))
		assay_frame_setting(out, "scan_mode", &mode);
	return r;
}

/* --- a file alone ------------------------------------------------------------------------------ */

static bool fits(struct source *s)
{
	return s->files == 1 && name_ends(s->file[0].path, ".ms") &&
	       (agilent_ms_fits(s, 0) || agilent_is_empty(s, 0) > 0);
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	return agilent_ms_look(s, 0, state, facts);
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	return agilent_ms_next(s, state, rewind, plan);
}

const struct format format_agilent_ms = {
	.name = "agilent-ms",
	.summary = "Agilent ChemStation, MassHunter: scans, data.ms, dataSim.ms, MSD1.MS",
	.techniques = "gcms ms",
	.state_size = sizeof(struct agilent_ms),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = agilent_ms_decode,
};
