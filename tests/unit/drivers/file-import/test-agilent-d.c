/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agilent-file.h"
#include "harness.h"

extern const struct format format_agilent_d;

#define SCANS 12

static struct agilent_file ms, sim, fid, scan, peak;

#define CONTENTS(status)                                                                   \
	"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- 2 = End --><Contents>" \
	"<Version>3</Version><AcquiredTime>2013-11-25T03:37:13Z</AcquiredTime>"            \
	"<AcqStatus>" status                                                               \
	"</AcqStatus><AcqSoftwareVersion>B.06.00</AcqSoftwareVersion></Contents>"

#define FIELD(name, value) "<Field><Name>" name "</Name><Value>" value "</Value></Field>"
static const struct {
	const char *path, *text;
} texts[] = {
	{"AcqData/Contents.xml", CONTENTS("2")},
	{"AcqData/sample_info.xml", "<SampleInfo>" FIELD("Sample ID", "17")
					    FIELD("Sample Name", "Diesel 4") "</SampleInfo>"},
	{"AcqData/Devices.xml",
		"<Devices><Device><Name>GC</Name><SerialNumber></SerialNumber></Device>"
		"<Device><SerialNumber>SN1</SerialNumber></Device></Devices>"},
	{"AcqData/MSTS.xml",
		"<TimeSegments><TimeSegment><NumOfScans>4</NumOfScans></TimeSegment><TimeSegment>"
		"<NumOfScans>8</NumOfScans></TimeSegment></TimeSegments>"},
	{"PRE_POST.INI", "[x]\r\nTuneName=atune.u\r\nserial_n=US1839D002\r\n"},
	{"runstart.txt", "\xef\xbb\xbf      Methfile (_methfile$) = SIMSCAN.M\r\n"
			 "   Sample Name (_dataname$) =\r\n"},
};

static void add_text(struct import *im, const char *path, const char *text)
{
	import_add(im, path, text, strlen(text));
}

static void make_all(void)
{
	agilent_make_ms(&ms, SCANS, true);
	agilent_put(&ms, 24, 1, 0); /* no sample */
	agilent_make_ms(&sim, 5, true);
	agilent_make_ch(&fid, "179", 101, "GC DATA FILE", "Mustang 1.0");
	agilent_make_mh(&scan, &peak, SCANS, 8, 8);
}

enum { MS = 1, SIM = 2, FID = 4, MH = 8, TEXTS = 16 };

static struct import *of_folder(unsigned has)
{
	struct import *im = import_create("gcms", "day/Run 7.D/");
	make_all();
	if (has & FID)
		import_add(im, "FID1A.ch", fid.bytes, fid.len);
	if (has & SIM)
		import_add(im, "dataSim.ms", sim.bytes, sim.len);
	if (has & MS)
		import_add(im, "DATA.MS", ms.bytes, ms.len);
	if (has & MH) {
		import_add(im, "AcqData/MSPeak.bin", peak.bytes, peak.len);
		import_add(im, "AcqData/MSScan.bin", scan.bytes, scan.len);
		add_text(im, "AcqData/MSScan.xsd", agilent_xsd);
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts && (has & TEXTS); i++)
		add_text(im, texts[i].path, texts[i].text);
	if (has & MS)
		import_add(im, "ACQ.M/acq.ms", ms.bytes, 100);
	return im;
}

static int look_and_end(struct import *im)
{
	int found = import_look(im, &format_agilent_d);
	import_destroy(im);
	return found;
}

/* The file of the frame's first block, and its number of elements along `axis`. */
static void expect_frame(
	struct import *im, const char *file, const char *part, const char *axis, size_t n)
{
	char media[128];
	assert_true(import_frame(im));
	snprintf(media, sizeof media, "application/x-assay-file;format=agilent-d;part=%s", part);
	assert_string_equal(im->host->raw.blocks[0].media, media);
	assert_memory_equal(im->host->raw.blocks[0].name, file, strlen(file));
	const struct assay_variable *v = host_find(im->host, axis);
	assert_int_equal(v != NULL ? v->count : 0, n);
}

static void both_worlds_give_the_scans_once(void **state)
{
	struct import *im = of_folder(MS | SIM | FID | MH | TEXTS);
	assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
	assert_true(import_start(im));
	expect_frame(im, "dataSim.ms@0", "chromatogram-sim", "time", 5);
	for (unsigned i = 0; i < 5; i++)
		expect_frame(im, "dataSim.ms@", "scan-sim", "mz", i % 5);
	expect_frame(im, "DATA.MS@0", "chromatogram", "time", SCANS);
	for (unsigned i = 0; i < SCANS; i++)
		expect_frame(im, "DATA.MS@", "scan", "mz", i % 5);
	expect_frame(im, "FID1A.ch@0", "signal", "time", 101);
	assert_false(import_frame(im));
	import_destroy(im);
	(void)state;
}

static void the_other_files_have_facts(void **state)
{
	struct import *im = of_folder(MS | TEXTS);
	assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "Diesel 4");
	assert_string_equal(im->facts.method, "FIRE_RTL_ON_COLUMN_2.M");
	assert_string_equal(im->facts.serial, "US1839D002");
	assert_string_equal(im->facts.model, "5977B");
	assert_string_equal(im->facts.software, "B.06.00");
	assert_string_equal(im->facts.acquired, "2013-11-25T03:37:13");
	assert_string_equal(im->facts.zone, "Z");
	import_destroy(im);
	im = of_folder(MH | TEXTS);
	add_text(im, "acqmeth.txt", "  INSTRUMENT CONTROL PARAMETERS:    5977B GCMS\r\n");
	add_text(im, "PRE_POST.INI", "serial=\n");
	add_text(im, "AcqData/sample_info.xml",
		"<SampleInfo>" FIELD("Sample ID", "17") "</SampleInfo>");
	assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "17");
	assert_string_equal(im->facts.method, "SIMSCAN.M");
	assert_string_equal(im->facts.serial, "SN1");
	assert_string_equal(im->facts.model, "5977B GCMS");
	import_destroy(im);
	im = of_folder(MH | TEXTS);
	import_add(im, "runstart.txt",
		"\xff\xfe_\0(\0_\0d\0a\0t\0a\0n\0a\0m\0e\0$\0)\0 \0=\0 \0\xc4\0\n\0", 37);
	add_text(im, "AcqData/sample_info.xml", "<SampleInfo>");
	assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "\xc3\x84");
	import_destroy(im);
	(void)state;
}

static void masshunters_scans_have_their_values(void **state)
{
	static const unsigned widths[][2] = {{8, 8}, {8, 4}, {4, 4}};
	for (size_t w = 0; w < 3; w++) {
		struct import *im = of_folder(MH | TEXTS);
		agilent_make_mh(&scan, &peak, SCANS, widths[w][0], widths[w][1]);
		import_add(im, "AcqData/MSPeak.bin", peak.bytes, peak.len);
		import_add(im, "AcqData/MSScan.bin", scan.bytes, scan.len);
		assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
		assert_true(import_start(im));
		expect_frame(im, "AcqData/MSScan.xsd@0", "masshunter-chromatogram", "time", SCANS);
		const struct assay_variable *time = host_find(im->host, "time");
		const struct assay_variable *total = host_find(im->host, "total_ion_current");
		assert_string_equal(time->unit, "min");
		for (unsigned i = 0; i < SCANS; i++) {
			assert_true(host_element(time, i) == 0.1 + 0.01 * i);
			assert_true(host_element(total, i) == agilent_ms_total(i) + 0.25);
		}
		for (unsigned i = 0; i < SCANS; i++) {
			expect_frame(im, "AcqData/MSScan.bin@", "masshunter-scan", "mz", i % 5);
			assert_true(host_find(im->host, "retention_time")->real == 0.1 + 0.01 * i);
			assert_true(host_find(im->host, "total_ion_current")->real ==
				    agilent_ms_total(i) + 0.25);
			assert_string_equal(im->host->frame.settings[0].v.text,
				i % 2 == 0 ? "scan" : "selected ion monitoring");
			const struct assay_variable *mz = host_find(im->host, "mz");
			const struct assay_variable *y = host_find(im->host, "intensity");
			for (unsigned k = 0; k < i % 5; k++) {
				assert_true(host_element(mz, k) == 50 + 1.5 * k);
				assert_true(host_element(y, k) == agilent_ms_intensity(i, k) + 0.5);
				assert_int_equal(
					mz->type, widths[w][0] == 8 ? ASSAY_F64 : ASSAY_F32);
				assert_int_equal(
					y->type, widths[w][1] == 8 ? ASSAY_F64 : ASSAY_F32);
			}
		}
		assert_false(import_frame(im));
		import_destroy(im);
	}
	(void)state;
}

/* Each file that holds data, cut at each of many places, and with zeros in place of the rest. */
static void a_folder_with_a_cut_file_is_not_whole(void **state)
{
	struct {
		unsigned has;
		const char *path;
		const void *data;
		size_t len, slack;
	} files[] = {
		{MS | FID | TEXTS, "DATA.MS", ms.bytes, 0, 0},
		{MS | FID | TEXTS, "FID1A.ch", fid.bytes, 0, 512},
		{MS | FID | TEXTS, "AcqData/Contents.xml", CONTENTS("2"), strlen(CONTENTS("2")), 0},
		{MH | TEXTS, "AcqData/MSScan.bin", scan.bytes, 0, 0},
		{MH | TEXTS, "AcqData/MSPeak.bin", peak.bytes, 0, 8},
		{MH | TEXTS, "AcqData/MSScan.xsd", agilent_xsd, strlen(agilent_xsd), 0},
	};
	make_all();
	files[0].len = ms.len;
	files[1].len = fid.len;
	files[3].len = scan.len;
	files[4].len = peak.len;
	static uint8_t copy[AGILENT_ROOM];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct import *im = of_folder(files[i].has);
		for (size_t k = 0; k <= 128; k++) {
			size_t len = files[i].len, cut = k < 128 ? len * k / 128 : len - 1;
			if (cut + files[i].slack >= len)
				continue;
			import_add(im, files[i].path, files[i].data, cut);
			if (import_look(im, &format_agilent_d) == FORMAT_WHOLE)
				fail_msg("%s: cut at %zu, and it is whole", files[i].path, cut);
			memset(copy, 0, len);
			memcpy(copy, files[i].data, cut);
			if (memcmp(copy, files[i].data, len) == 0)
				continue;
			import_add(im, files[i].path, copy, len);
			int found = import_look(im, &format_agilent_d);
			if (found == FORMAT_WHOLE)
				fail_msg("%s: zeros from %zu on, and it is whole", files[i].path,
					cut);
		}
		import_destroy(im);
	}
	(void)state;
}

/* MassHunter writes that the acquisition has ended into a file that may come first or last. */
static void the_acquisition_must_have_ended(void **state)
{
	static const char *const other[] = {
		CONTENTS("0"), CONTENTS("1"), CONTENTS("22"), CONTENTS(""), ""};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct import *im = of_folder(MS | MH | TEXTS);
		add_text(im, "AcqData/Contents.xml", other[i]);
		assert_int_equal(look_and_end(im), FORMAT_INCOMPLETE);
	}
	assert_int_equal(look_and_end(of_folder(MS | MH)), FORMAT_INCOMPLETE);
	assert_int_equal(look_and_end(of_folder(MS)), FORMAT_WHOLE);
	assert_int_equal(look_and_end(of_folder(FID)), FORMAT_WHOLE);
	assert_int_equal(look_and_end(of_folder(TEXTS)), FORMAT_FOREIGN);
	(void)state;
}

static void other_spectra_are_kept_as_bytes(void **state)
{
	static const char *const paths[] = {
		"AcqData/MSProfile.bin", "AcqData/MSMassCal.bin", "AcqData/DefaultMassCal.xml"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct import *im = of_folder(MH | TEXTS);
		add_text(im, paths[i], "x");
		assert_int_equal(look_and_end(im), FORMAT_UNDECODED);
		im = of_folder(MH | FID | TEXTS);
		add_text(im, paths[i], "x");
		assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
		assert_int_equal(import_all(im), 1);
		import_destroy(im);
	}
	/* Flight times: in another range than the record states. */
	struct import *im = of_folder(MH | TEXTS);
	agilent_put_le_f64(&scan, 160 + 67 + 51, 51);
	import_add(im, "AcqData/MSScan.bin", scan.bytes, scan.len);
	assert_int_equal(look_and_end(im), FORMAT_DAMAGED);
	(void)state;
}

static void records_of_scans_are_checked(void **state)
{
	static const struct {
		size_t at; /* in the record of scan 3, which has three peaks */
		unsigned size;
		uint64_t value;
		int found;
	} cases[] = {
		{4, 8, 0, FORMAT_DAMAGED},                  /* time */
		{4, 8, 0x7ff8000000000000, FORMAT_DAMAGED}, /* NaN */
		{35, 8, UINT64_MAX, FORMAT_DAMAGED},        /* place */
		{35, 8, INT64_MAX, FORMAT_INCOMPLETE},      /* behind the end */
		{43, 4, 0xffffffff, FORMAT_DAMAGED},        /* bytes */
		{43, 4, 0x7fffffff, FORMAT_DAMAGED},
		{47, 4, 0xffffffff, FORMAT_DAMAGED}, /* points */
		{47, 4, 0x7fffffff, FORMAT_DAMAGED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct import *im = of_folder(MH | TEXTS);
		agilent_put_le(&scan, 160 + 3 * 67 + cases[i].at, cases[i].size, cases[i].value);
		import_add(im, "AcqData/MSScan.bin", scan.bytes, scan.len);
		int found = look_and_end(im);
		if (found != cases[i].found)
			fail_msg("case %zu: %d", i, found);
	}
	static const double second[] = {
		50, 49.99, 53, NAN}; /* m/z of scan 3, before the third one, 53 */
	for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
		struct import *im = of_folder(MH | TEXTS);
		agilent_put_le_f64(&peak, 68 + 16 + 32 + 8, second[i]);
		import_add(im, "AcqData/MSPeak.bin", peak.bytes, peak.len);
		assert_int_equal(look_and_end(im), FORMAT_DAMAGED);
	}
	static const uint64_t starts[] = {0, 0x58, 161, UINT32_MAX};
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		struct import *im = of_folder(MH | TEXTS);
		agilent_put_le(&scan, 0x58, 4, starts[i]);
		import_add(im, "AcqData/MSScan.bin", scan.bytes, scan.len);
		assert_int_equal(look_and_end(im), FORMAT_INCOMPLETE);
	}
	(void)state;
}

#define TYPE(name, field)                                                        \
	"<xs:complexType name=\"" name "\"><xs:element name=\"f\" type=\"" field \
	"\"/></xs:complexType>"

static void hostile_schemas_are_refused(void **state)
{
	static const char *const schemas[] = {
		"<xs:schema/>",
		"<xs:schema>" TYPE("ScanRecordType", "ScanRecordType") "</xs:schema>", /* itself */
		"<xs:schema>" TYPE("ScanRecordType", "A") TYPE("A", "B")
			TYPE("B", "A") "</xs:schema>",
		"<xs:schema>" TYPE("ScanRecordType", "xs:string") "</xs:schema>",
		"<xs:schema>" TYPE("ScanRecordType", "xs:int") "</xs:schema>",
	};
	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		struct import *im = of_folder(MH | TEXTS);
		add_text(im, "AcqData/MSScan.xsd", schemas[i]);
		assert_int_equal(look_and_end(im), FORMAT_UNDECODED);
	}
	(void)state;
}

/* An entity never expands, not even a small one, and elements nest to a limit. */
static void hostile_xml_is_harmless(void **state)
{
	struct import *im = of_folder(MH | TEXTS);
	add_text(im, "AcqData/sample_info.xml",
		"<!DOCTYPE x [<!ENTITY e \"X\">]><SampleInfo>" FIELD(
			"Sample Name", "&e;") "</SampleInfo>");
	assert_int_equal(import_look(im, &format_agilent_d), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "");
	import_destroy(im);

	static char bomb[4096], deep[1024];
	size_t n = (size_t)snprintf(bomb, sizeof bomb, "<!DOCTYPE x [<!ENTITY e0 \"boom\">");
	for (int i = 1; i < 30; i++)
		n += (size_t)snprintf(bomb + n, sizeof bomb - n,
			"<!ENTITY e%d \"&e%d;&e%d;&e%d;&e%d;&e%d;\">", i, i - 1, i - 1, i - 1,
			i - 1, i - 1);
	snprintf(bomb + n, sizeof bomb - n, "]><Contents><AcqStatus>2</AcqStatus>&e29;</Contents>");
	im = of_folder(MH | TEXTS);
	add_text(im, "AcqData/Contents.xml", bomb);
	assert_int_equal(look_and_end(im), FORMAT_INCOMPLETE);

	for (int nested = 20; nested <= 60; nested += 40) {
		n = 0;
		for (int i = 0; i < nested; i++)
			n += (size_t)snprintf(deep + n, sizeof deep - n, "<a>");
		n += (size_t)snprintf(deep + n, sizeof deep - n, "<AcqStatus>2</AcqStatus>");
		for (int i = 0; i < nested; i++)
			n += (size_t)snprintf(deep + n, sizeof deep - n, "</a>");
		im = of_folder(MH | TEXTS);
		add_text(im, "AcqData/Contents.xml", deep);
		assert_int_equal(look_and_end(im), nested < 32 ? FORMAT_WHOLE : FORMAT_INCOMPLETE);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_worlds_give_the_scans_once),
		cmocka_unit_test(the_other_files_have_facts),
		cmocka_unit_test(masshunters_scans_have_their_values),
		cmocka_unit_test(a_folder_with_a_cut_file_is_not_whole),
		cmocka_unit_test(the_acquisition_must_have_ended),
		cmocka_unit_test(other_spectra_are_kept_as_bytes),
		cmocka_unit_test(records_of_scans_are_checked),
		cmocka_unit_test(hostile_schemas_are_refused),
		cmocka_unit_test(hostile_xml_is_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
