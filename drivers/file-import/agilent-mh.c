/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Centroids of MassHunter: records of MSScan.bin, each with the place of its peaks in MSPeak.bin.  Little-endian.
 * Spectra of flight times, profiles and packed ones are not read: their bytes are recorded.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "agilent-d.h"
#include "bytes.h"
#include "xml.h"

#define START_AT  0x58 /* in MSScan.bin: the place of its first record */
#define XSD_MAX   (64u << 10)
#define RECORD    4096
#define PEAKS     512 /* in one read */
#define TOLERANCE 0.01
#define NO_PEAKS  "its m/z do not ascend or descend, or a value is no number"

bool agilent_mh_fits(const struct source *s)
{
	return source_find(s, "acqdata/msscan.bin") >= 0 &&
	       (source_find(s, "acqdata/mspeak.bin") >= 0 ||
		       source_find(s, "acqdata/msprofile.bin") >= 0);
}

/* A spectrum as its record states it. */
struct peaks {
	uint64_t offset;
	uint32_t bytes, points;
	unsigned mz, intensity; /* bytes of one */
};

static int64_t integer_of(
	const struct agilent_mh *mh, const uint8_t *record, enum agilent_mh_field field)
{
	struct agilent_mh_place place = mh->record.place[field];
	return agilent_mh_integer(record + place.offset, place.size);
}

static double number_of(
	const struct agilent_mh *mh, const uint8_t *record, enum agilent_mh_field field)
{
	struct agilent_mh_place place = mh->record.place[field];
	return agilent_mh_number(record + place.offset, place.size);
}

/* Bytes of one m/z and one intensity: f64 and f64, f64 and f32, f32 and f32.  False: another size. */
static bool take_widths(uint64_t bytes, uint64_t points, struct peaks *to)
{
	to->mz = bytes == 8 * points && points > 0 ? 4 : 8;
	to->intensity = bytes == 16 * points ? 8 : 4;
	return bytes == 16 * points || bytes == 12 * points || bytes == 8 * points;
}

/* Reads a record: a negative errno, or 0 with `fault`, the reason why it is none; NULL. */
static int read_record(struct source *s, const struct agilent_mh *mh, uint32_t i,
	uint8_t record[RECORD], struct peaks *to, const char **fault)
{
	int e = s->read(
		s, mh->scans, mh->start + (uint64_t)i * mh->record.size, record, mh->record.size);
	if (e < 0)
		return e;
	int64_t offset = integer_of(mh, record, MH_OFFSET),
		bytes = integer_of(mh, record, MH_BYTES);
	int64_t points = integer_of(mh, record, MH_POINTS),
		unpacked = integer_of(mh, record, MH_UNPACKED);
	*fault = NULL;
	if (!isfinite(number_of(mh, record, MH_TIME)) || !isfinite(number_of(mh, record, MH_TOTAL)))
		*fault = "its time or total is no number";
	else if (offset < 0 || bytes < 0 || points < 0 || bytes > (int64_t)AGILENT_FRAME_MAX / 2)
		*fault = "its place or size is not possible";
	else if (unpacked != 0 && unpacked != bytes)
		*fault = "it is packed";
	else if (!take_widths((uint64_t)bytes, (uint64_t)points, to))
		*fault = "its size does not fit its number of points";
	to->offset = (uint64_t)offset;
	to->bytes = (uint32_t)bytes;
	to->points = (uint32_t)points;
	return 0;
}

/* Along the m/z, which ascend or descend. */
struct walk {
	double before;
	int direction; /* of the first two; 0: not known yet */
};

static bool walk_on(struct walk *w, double mz)
{
	int direction = w->before == 0 ? 0 : mz > w->before ? 1 : mz < w->before ? -1 : 2;
	bool is_right = isfinite(mz) && mz > 0 && direction != 2 &&
			(w->direction == 0 || direction == w->direction);
	w->direction = direction;
	w->before = mz;
	return is_right;
}

/* --- look -------------------------------------------------------------------------------------- */

/* Whether the m/z ascend or descend in the range of the record, and the intensities are numbers. */
static int read_peaks(struct source *s, const struct agilent_mh *mh, const uint8_t *record,
	const struct peaks *p, const char **fault)
{
	uint8_t bytes[PEAKS * 8];
	bool has_range = mh->record.place[MH_FIRST].size != 0 &&
			 mh->record.place[MH_LAST].size != 0;
	double least = has_range ? number_of(mh, record, MH_FIRST) - TOLERANCE : 0;
	double most = has_range ? number_of(mh, record, MH_LAST) + TOLERANCE : INFINITY;
	struct walk walk = {0};
	for (uint32_t i = 0; i < 2 * p->points && *fault == NULL; i++) {
		bool is_mz = i < p->points;
		uint32_t k = is_mz ? i : i - p->points, left = p->points - k;
		unsigned size = is_mz ? p->mz : p->intensity;
		uint64_t base = p->offset + (is_mz ? 0 : (uint64_t)p->points * p->mz);
		int e = k % PEAKS != 0 ? 0
				       : s->read(s, mh->peaks, base + (uint64_t)k * size, bytes,
						 (left < PEAKS ? left : PEAKS) * (size_t)size);
		if (e < 0)
			return e;
		double value = agilent_mh_number(bytes + (size_t)(k % PEAKS) * size, size);
		if (is_mz ? !walk_on(&walk, value) : !isfinite(value))
			*fault = NO_PEAKS;
		else if (is_mz && (value < least || value > most))
			*fault = "its m/z are not in the range that its record states";
	}
	return 0;
}

/* Compares each record with its spectrum. */
static int look_records(struct source *s, struct agilent_mh *mh, struct format_facts *facts)
{
	const struct source_file *peaks = &s->file[mh->peaks];
	double before = -INFINITY;
	uint64_t end = 0; /* of the spectra */
	for (uint32_t i = 0; i < mh->count; i++) {
		uint8_t record[RECORD];
		struct peaks p = {0};
		const char *fault = NULL;
		int e = read_record(s, mh, i, record, &p, &fault);
		/* A record of zeros, in part: its spectrum is there, and no other has it. */
		bool is_begun = i + 1 == mh->count && p.points == 0 && end < peaks->size;
		if (e == 0 && fault == NULL &&
			(is_begun || !bytes_fit(p.offset, p.bytes, peaks->size))) {
			agilent_why(facts, peaks->path, "scan %u is not there yet", (unsigned)i);
			return FORMAT_INCOMPLETE;
		}
		if (e == 0 && fault == NULL && number_of(mh, record, MH_TIME) <= before)
			fault = "it is not later than the one before";
		if (e == 0 && fault == NULL)
			e = read_peaks(s, mh, record, &p, &fault);
		if (e < 0)
			return e;
		if (fault != NULL) {
			agilent_why(facts, peaks->path, "scan %u: %s", (unsigned)i, fault);
			return FORMAT_DAMAGED;
		}
		before = number_of(mh, record, MH_TIME);
		end = p.offset + p.bytes > end ? p.offset + p.bytes : end;
	}
	return FORMAT_WHOLE;
}

static int undecoded(struct format_facts *facts, const char *why)
{
	agilent_why(facts, "AcqData", "%s: its bytes are recorded", why);
	return FORMAT_UNDECODED;
}

static int read_layout(struct source *s, struct agilent_mh *mh)
{
	uint8_t xsd[XSD_MAX];
	uint64_t size = s->file[mh->xsd].size;
	int e = size > sizeof xsd ? -ENOTSUP : s->read(s, mh->xsd, 0, xsd, (size_t)size);
	return e < 0 ? e : agilent_mh_layout(xsd, (size_t)size, &mh->record);
}

static void close_segment(void *user, const char *name, const char *text)
{
	uint32_t *sum = user;
	uint32_t n = 0;
	for (size_t i = 0; i < 9 && text[i] >= '0' && text[i] <= '9'; i++)
		n = 10 * n + (uint32_t)(text[i] - '0');
	if (strcmp(name, "NumOfScans") == 0 && n <= UINT32_MAX - *sum)
		*sum += n;
}

/* MSTS.xml has the numbers of scans of each segment of time.  Some programs do not write it. */
static int compare_segments(
	struct source *s, const struct agilent_mh *mh, struct format_facts *facts)
{
	static const struct xml_events events = {.close = close_segment};
	int file = source_find(s, "acqdata/msts.xml");
	uint32_t sum = 0;
	int e = file < 0 ? 0 : xml_read(s, (unsigned)file, &events, &sum);
	if (e < 0 && e != -EBADMSG)
		return e;
	if (file < 0 || (e == 0 && sum == mh->count))
		return FORMAT_WHOLE;
	agilent_why(facts, s->file[mh->scans].path, "%u scans where MSTS.xml states %u",
		(unsigned)mh->count, (unsigned)sum);
	return e < 0 || mh->count < sum ? FORMAT_INCOMPLETE : FORMAT_DAMAGED;
}

int agilent_mh_look(struct source *s, struct agilent_mh *mh, struct format_facts *facts)
{
	int xsd = source_find(s, "acqdata/msscan.xsd"),
	    scans = source_find(s, "acqdata/msscan.bin");
	int peaks = source_find(s, "acqdata/mspeak.bin");
	uint8_t start[4];
	if (source_find(s, "acqdata/msprofile.bin") >= 0 || peaks < 0)
		return undecoded(facts, "profiles");
	if (source_find(s, "acqdata/msmasscal.bin") >= 0 ||
		source_find(s, "acqdata/defaultmasscal.xml") >= 0)
		return undecoded(facts, "flight times");
	if (xsd < 0 || scans < 0) {
		agilent_why(facts, "AcqData/MSScan.xsd", "not there yet");
		return FORMAT_INCOMPLETE;
	}
	*mh = (struct agilent_mh){
		.xsd = (unsigned)xsd, .scans = (unsigned)scans, .peaks = (unsigned)peaks};
	uint64_t size = s->file[scans].size;
	int e = read_layout(s, mh);
	if (e == -ENOTSUP)
		return undecoded(facts, "records of another kind");
	if (e == 0)
		e = s->read(s, mh->scans, START_AT, start, sizeof start);
	if (e == -ENODATA || e == -EBADMSG) {
		agilent_why(facts, s->file[e == -EBADMSG ? xsd : scans].path, "not all there");
		return FORMAT_INCOMPLETE;
	}
	if (e < 0)
		return e;
	mh->start = get_le32(start);
	if (mh->start < START_AT + 4 || mh->start >= size ||
		(size - mh->start) % mh->record.size != 0) {
		agilent_why(facts, s->file[scans].path, "it does not end with a record");
		return FORMAT_INCOMPLETE;
	}
	if (size + s->file[xsd].size > AGILENT_FRAME_MAX)
		return undecoded(facts, "more scans than a frame can have");
	mh->count = (uint32_t)((size - mh->start) / mh->record.size);
	e = compare_segments(s, mh, facts);
	return e == FORMAT_WHOLE ? look_records(s, mh, facts) : e;
}

/* --- next -------------------------------------------------------------------------------------- */

int agilent_mh_next(struct source *s, struct agilent_mh *mh, bool rewind, struct format_plan *plan)
{
	uint8_t record[RECORD];
	struct peaks p;
	const char *fault;
	if (rewind) {
		mh->at = 0;
		*plan = (struct format_plan){.part = "masshunter-chromatogram",
			.slice = {{mh->xsd, 0, s->file[mh->xsd].size},
				{mh->scans, 0, s->file[mh->scans].size}},
			.count = 2};
		return 1;
	}
	if (mh->at == mh->count)
		return 0;
	uint64_t at = mh->start + (uint64_t)mh->at * mh->record.size;
	int e = read_record(s, mh, mh->at++, record, &p, &fault);
	if (e < 0 || fault != NULL)
		return e < 0 ? e : -EBADMSG;
	static const enum agilent_mh_field fields[] = {MH_TIME, MH_TOTAL, MH_SCAN_TYPE, MH_POINTS};
	*plan = (struct format_plan){.part = "masshunter-scan"};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct agilent_mh_place place = mh->record.place[fields[i]];
		plan->slice[plan->count++] = (struct format_slice){
			mh->scans, at + place.offset, place.size};
	}
	if (p.points > 0)
		plan->slice[plan->count++] = (struct format_slice){mh->peaks, p.offset, p.bytes};
	return 1;
}

/* --- decode ----------------------------------------------------------------------------------- */

static int decode_chromatogram(const struct assay_decoding *in, struct assay_frame *out)
{
	struct agilent_mh mh = {.count = 0};
	int e = in->raw_count < 2 ? -EBADMSG
				  : agilent_mh_layout(in->raw[0].data, in->raw[0].len, &mh.record);
	size_t len = e == 0 ? in->raw[1].len : 0;
	const uint8_t *bytes = e == 0 ? in->raw[1].data : NULL;
	mh.start = len >= START_AT + 4 ? get_le32(bytes + START_AT) : len;
	if (e == -ENOMEM)
		return e;
	if (e < 0 || mh.start >= len || (len - mh.start) % mh.record.size != 0) {
		assay_explain_decode(in, "no schema and records of scans");
		return -EBADMSG;
	}
	size_t n = (len - mh.start) / mh.record.size;
	double *times = assay_frame_scratch(out, n * sizeof *times);
	double *totals = assay_frame_scratch(out, n * sizeof *totals);
	if (times == NULL || totals == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		times[i] = number_of(&mh, bytes + mh.start + i * mh.record.size, MH_TIME);
		totals[i] = number_of(&mh, bytes + mh.start + i * mh.record.size, MH_TOTAL);
		if (!isfinite(times[i]) || !isfinite(totals[i]) ||
			(i > 0 && times[i] <= times[i - 1])) {
			assay_explain_decode(in, "scan %zu: its time or total is not possible", i);
			return -EBADMSG;
		}
	}
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	agilent_add(out, "time", ASSAY_AXIS, "time", "min", ASSAY_F64, times, n);
	agilent_add(out, "total_ion_current", ASSAY_DATA, "time", "1", ASSAY_F64, totals, n);
	return 0;
}

static bool is_number(const struct assay_bytes *b)
{
	return (b->len == 4 || b->len == 8) && isfinite(agilent_mh_number(b->data, b->len));
}

/* The blocks: time, total, type of the scan, number of points; then all m/z and all intensities. */
static int decode_scan(const struct assay_decoding *in, struct assay_frame *out)
{
	struct peaks p = {0};
	const struct assay_bytes *raw = in->raw;
	bool is_right = in->raw_count >= 4 && is_number(&raw[0]) && is_number(&raw[1]) &&
			raw[2].len == 4 && raw[3].len == 4;
	p.points = is_right ? get_le32(raw[3].data) : 0;
	bool has_peaks = is_right && p.points > 0;
	if (!is_right ||
		(has_peaks && (in->raw_count < 5 || !take_widths(raw[4].len, p.points, &p)))) {
		assay_explain_decode(in, "no scan of MassHunter");
		return -EBADMSG;
	}
	if (has_peaks) {
		const uint8_t *mz = raw[4].data, *intensity = mz + (size_t)p.points * p.mz;
		struct walk walk = {0};
		for (uint32_t i = 0; i < p.points; i++) {
			if (!walk_on(&walk, agilent_mh_number(mz + (size_t)i * p.mz, p.mz)) ||
				!isfinite(agilent_mh_number(
					intensity + (size_t)i * p.intensity, p.intensity))) {
				assay_explain_decode(in, "a scan of MassHunter: %s", NO_PEAKS);
				return -EBADMSG;
			}
		}
		agilent_add(out, "mz", ASSAY_AXIS, "mz", "1", p.mz == 8 ? ASSAY_F64 : ASSAY_F32, mz,
			p.points);
		agilent_add(out, "intensity", ASSAY_DATA, "mz", "1",
			p.intensity == 8 ? ASSAY_F64 : ASSAY_F32, intensity, p.points);
	}
	assay_frame_kind(out, has_peaks ? ASSAY_SPECTRUM : ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	assay_add_float(out, "retention_time", ASSAY_AUX,
		agilent_mh_number(raw[0].data, raw[0].len), "min");
	assay_add_float(out, "total_ion_current", ASSAY_AUX,
		agilent_mh_number(raw[1].data, raw[1].len), "1");
	uint32_t type = get_le32(raw[2].data);
	struct assay_variable mode = {
		.type = ASSAY_SCALAR_TEXT, .text = type == 1 ? "scan" : "selected ion monitoring"};
	if (type == 1 || type == 2)
		assay_frame_setting(out, "scan_mode", &mode);
	return 0;
}

int agilent_mh_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	return strcmp(part, "scan") == 0 ? decode_scan(in, out) : decode_chromatogram(in, out);
}
