/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agilent-file.h"

static void reach(struct agilent_file *f, size_t end)
{
	if (end > AGILENT_ROOM)
		abort();
	f->len = end > f->len ? end : f->len;
}

void agilent_put(struct agilent_file *f, size_t at, unsigned size, uint64_t value)
{
	reach(f, at + size);
	for (unsigned i = 0; i < size; i++)
		f->bytes[at + i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

void agilent_put_le(struct agilent_file *f, size_t at, unsigned size, uint64_t value)
{
	reach(f, at + size);
	for (unsigned i = 0; i < size; i++)
		f->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t bits_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static uint32_t bits_of_f32(double value)
{
	float narrow = (float)value;
	uint32_t bits;
	memcpy(&bits, &narrow, sizeof bits);
	return bits;
}

void agilent_put_f32(struct agilent_file *f, size_t at, double value)
{
	agilent_put(f, at, 4, bits_of_f32(value));
}

void agilent_put_f64(struct agilent_file *f, size_t at, double value)
{
	agilent_put(f, at, 8, bits_of(value));
}

void agilent_put_le_f64(struct agilent_file *f, size_t at, double value)
{
	agilent_put_le(f, at, 8, bits_of(value));
}

void agilent_put_le_f32(struct agilent_file *f, size_t at, double value)
{
	agilent_put_le(f, at, 4, bits_of_f32(value));
}

void agilent_put_text(struct agilent_file *f, size_t at, const char *text)
{
	size_t n = strlen(text);
	reach(f, at + 1 + n);
	f->bytes[at] = (uint8_t)n;
	memcpy(f->bytes + at + 1, text, n);
}

static void put_utf_16(struct agilent_file *f, size_t at, const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		agilent_put_le(f, at + 2 * i, 2, (uint8_t)text[i]);
}

void agilent_put_wide(struct agilent_file *f, size_t at, const char *text)
{
	agilent_put(f, at, 1, strlen(text));
	put_utf_16(f, at + 1, text);
}

/* --- data.ms ----------------------------------------------------------------------------------- */

uint32_t agilent_ms_intensity(unsigned scan, unsigned peak)
{
	static const uint32_t scale[] = {1, 8, 64, 512};
	return (100 + scan) * scale[peak % 4];
}

/* Not the sum of the peaks, which are rounded. */
uint32_t agilent_ms_total(unsigned scan)
{
	uint32_t total = 7;
	for (unsigned k = 0; k < scan % 5; k++)
		total += agilent_ms_intensity(scan, k);
	return total;
}

void agilent_make_ms(struct agilent_file *f, unsigned scans, bool is_long)
{
	*f = (struct agilent_file){.start = is_long ? 5768 : 754};
	agilent_put(f, 0, 4, 0x01320000);
	agilent_put_text(f, 4, is_long ? "GC / MS Data File" : "MSD Spectral File");
	agilent_put_text(f, 24, "  P071  ");
	agilent_put_text(f, 86, "petrol");
	agilent_put_text(f, 148, "rjb");
	agilent_put_text(f, 178, is_long ? "17 Dec 19  10:04 am" : "28 Jun 13  10:59 am -0500");
	agilent_put_text(f, 208, "Instrumen");
	agilent_put_text(f, 218, is_long ? "GC" : "LC");
	agilent_put_text(f, 228, "FIRE_RTL_ON_COLUMN_");
	if (is_long) {
		put_utf_16(f, 0x1c0, "5977B");
		put_utf_16(f, 0x466, "FIRE_RTL_ON_COLUMN_2.M");
	}
	size_t at = f->start;
	size_t *places = calloc(scans + 1, sizeof *places);
	if (places == NULL)
		abort();
	for (unsigned i = 0; i < scans; i++) {
		unsigned n = i % 5;
		places[i] = at;
		agilent_put(f, at, 2, 14 + 2 * n);
		agilent_put(f, at + 2, 4, 1000 + 100 * i);
		agilent_put(f, at + 12, 2, n);
		for (unsigned k = 0; k < n; k++) {
			agilent_put(f, at + 18 + 4 * k, 2, 8000 - 30 * k);
			agilent_put(f, at + 20 + 4 * k, 2, (k % 4) << 14 | (100 + i));
		}
		agilent_put(f, at + 24 + 4 * n, 4, agilent_ms_total(i));
		at += 28 + 4 * n;
	}
	f->index = at;
	for (unsigned i = 0; i < scans; i++) {
		agilent_put(f, at + 12 * i, 4, places[i] / 2 + 1);
		agilent_put(f, at + 12 * i + 4, 4, 1000 + 100 * i);
		agilent_put(f, at + 12 * i + 8, 4, agilent_ms_total(i));
	}
	free(places);
	agilent_put(f, 260, 4, f->index / 2 + 1);
	agilent_put(f, 266, 2, f->start / 2 + 1);
	agilent_put(f, 278, 4, scans);
}

/* --- .ch --------------------------------------------------------------------------------------- */

double agilent_raw(unsigned i)
{
	return i < 60 ? -70000.0 + 300 * i : 66667.0 * i + i * i;
}

static size_t put_difference(struct agilent_file *f, size_t at, unsigned i, int64_t *slope)
{
	int64_t value = (int64_t)agilent_raw(i), before = i > 0 ? (int64_t)agilent_raw(i - 1) : 0;
	int64_t second = value - before - *slope;
	if (i == 0 || second < -32768 || second > 32766) {
		agilent_put(f, at, 2, 32767);
		agilent_put(f, at + 2, 6, (uint64_t)value);
		*slope = 0;
		return 8;
	}
	agilent_put(f, at, 2, (uint64_t)second);
	*slope += second;
	return 2;
}

static size_t put_segment(struct agilent_file *f, size_t at, unsigned from, unsigned count)
{
	size_t begin = at;
	agilent_put(f, at, 1, 0x10);
	agilent_put(f, at + 1, 1, count);
	at += 2;
	for (unsigned i = from; i < from + count; i++) {
		int64_t value = (int64_t)agilent_raw(i);
		int64_t delta = value - (i > 0 ? (int64_t)agilent_raw(i - 1) : 0);
		bool is_absolute = delta <= -32768 || delta > 32767;
		agilent_put(f, at, 2, is_absolute ? 0x8000 : (uint64_t)delta);
		if (is_absolute)
			agilent_put(f, at + 2, 4, (uint64_t)value);
		at += is_absolute ? 6 : 2;
	}
	return at - begin;
}

static void put_old_head(struct agilent_file *f)
{
	agilent_put_text(f, 24, "5970 mix 10nG");
	agilent_put_text(f, 86, "mixture");
	agilent_put_text(f, 148, "rjb");
	agilent_put_text(f, 178, "8/20/20 2:00:32 PM");
	agilent_put_text(f, 208, "HP G1530A");
	agilent_put_text(f, 228, "EVAL.M");
	agilent_put_text(f, 580, "pA");
	agilent_put_text(f, 596, "FID1A, Front Signal");
	agilent_put(f, 264, 4, 3);
	agilent_put_f64(f, 636, 3);
	agilent_put_f64(f, 644, 0.5);
	agilent_put(f, 1023, 1, 0);
}

static void put_new_head(struct agilent_file *f, const char *type, const char *software)
{
	agilent_put_wide(f, 347, type);
	agilent_put_wide(f, 858, "BB7125_3");
	agilent_put_wide(f, 1880, "SYSTEM");
	agilent_put_wide(f, 2391, "13-Oct-22, 08:52:05");
	agilent_put_wide(f, 2492, "GCI");
	agilent_put_wide(f, 2574, "ramp4.M");
	agilent_put_wide(f, 3089, software);
	agilent_put_wide(f, 4172, "mAU");
	agilent_put_wide(f, 4213, "FID1A, Front Signal");
	agilent_put_f64(f, 4724, 3);
	agilent_put_f64(f, 4732, 0.5);
	agilent_put(f, 6143, 1, 0);
}

void agilent_make_ch(struct agilent_file *f, const char *version, unsigned points, const char *type,
	const char *software)
{
	int v = atoi(version);
	*f = (struct agilent_file){.len = 0};
	agilent_put_text(f, 0, version);
	if (v < 100)
		put_old_head(f);
	else
		put_new_head(f, type, software);
	agilent_put(f, 278, 4, points);
	if (v == 8 || v == 30 || v == 130) {
		agilent_put(f, 282, 4, 100);
		agilent_put(f, 286, 4, 100 + 50 * (points - 1));
	} else {
		agilent_put_f32(f, 282, 100);
		agilent_put_f32(f, 286, 100 + 50.0 * (points - 1));
	}
	size_t at = v < 100 ? 1024 : 6144;
	int64_t slope = 0;
	for (unsigned i = 0; i < points; i++) {
		if (v == 179)
			agilent_put_le_f64(f, at, agilent_raw(i));
		if (v == 81 || v == 181)
			at += put_difference(f, at, i, &slope);
		else if (v == 179)
			at += 8;
		else if (i % 50 == 0)
			at += put_segment(f, at, i, points - i < 50 ? points - i : 50);
	}
	if (v == 8 || v == 30 || v == 130)
		agilent_put(f, at, 2, 0);
}

/* --- MassHunter ---------------------------------------------------------------------------------- */

#define FIELD(name, type) "<xs:element name=\"" name "\" type=\"xs:" type "\"/>"

const char agilent_xsd[] =
	"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	"<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:mstns=\"http://x\">"
	"<xs:element name=\"MSScanBin\"><xs:complexType><xs:sequence>"
	"<xs:element name=\"ScanRecord\" type=\"mstns:ScanRecordType\"/>"
	"</xs:sequence></xs:complexType></xs:element>"
	"<xs:complexType name=\"ScanRecordType\"><xs:sequence>" FIELD("ScanID", "int") FIELD(
		"ScanTime", "double") FIELD("MSLevel", "short") FIELD("ScanType",
		"int") FIELD("TIC",
		"double") "<xs:element name=\"Own\" type=\"mstns:OwnType\"/>"
			  "<xs:element name=\"SpectrumParamValues\" "
			  "type=\"mstns:SpectrumParamsType\" maxOccurs=\"unbounded\"/>"
			  "</xs:sequence></xs:complexType>"
			  "<xs:complexType name=\"OwnType\"><xs:sequence>" FIELD("A", "byte") FIELD(
				  "B", "float") "</xs:sequence></xs:complexType>"
						"<xs:complexType "
						"name=\"SpectrumParamsType\"><xs:sequence>" FIELD(
							"SpectrumFormatID",
							"int") FIELD("SpectrumOffset",
							"long") FIELD("ByteCount",
							"int") FIELD("PointCount",
							"int") FIELD("MinX", "double") FIELD("MaxX",
							"double") "</xs:sequence></"
								  "xs:complexType></xs:schema>";

#define RECORD (4 + 8 + 2 + 4 + 8 + 5 + 4 + 8 + 4 + 4 + 16)

static void put_number(struct agilent_file *f, unsigned size, double value)
{
	if (size == 8)
		agilent_put_le_f64(f, f->len, value);
	else
		agilent_put_le_f32(f, f->len, value);
}

void agilent_make_mh(struct agilent_file *scan, struct agilent_file *peak, unsigned scans,
	unsigned mz, unsigned intensity)
{
	*scan = *peak = (struct agilent_file){.len = 0};
	agilent_put_le(scan, 0x58, 4, 160);
	agilent_put(peak, 67, 1, 0);
	for (unsigned i = 0; i < scans; i++) {
		size_t at = 160 + (size_t)i * RECORD;
		unsigned n = i % 5;
		agilent_put_le(scan, at, 4, i + 1);
		agilent_put_le_f64(scan, at + 4, 0.1 + 0.01 * i);
		agilent_put_le(scan, at + 12, 2, 1);
		agilent_put_le(scan, at + 14, 4, 1 + i % 2);
		agilent_put_le_f64(scan, at + 18, agilent_ms_total(i) + 0.25);
		agilent_put_le(scan, at + 31, 4, 2);
		agilent_put_le(scan, at + 35, 8, peak->len);
		agilent_put_le(scan, at + 43, 4, n * (mz + intensity));
		agilent_put_le(scan, at + 47, 4, n);
		agilent_put_le_f64(scan, at + 51, 50);
		agilent_put_le_f64(scan, at + 59, n > 0 ? 50 + 1.5 * (n - 1) : 50);
		for (unsigned k = 0; k < n; k++)
			put_number(peak, mz, 50 + 1.5 * k);
		for (unsigned k = 0; k < n; k++)
			put_number(peak, intensity, agilent_ms_intensity(i, k) + 0.5);
	}
}
