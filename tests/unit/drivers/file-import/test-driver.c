/* SPDX-License-Identifier: Apache-2.0 */
/* The driver without a format: all bytes of all files are in the raw blocks, with every plan of frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "file-import/formats.h"
#include "file-import/frames.h"
#include "harness.h"

static uint64_t chance;

static uint64_t below(uint64_t n)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return n == 0 ? 0 : (chance >> 33) % n;
}

/* --- a format with random plans ------------------------------------------------------------ */

static struct format_plan plans[300];
static unsigned planned, at;

static int next_at_random(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	(void)s;
	(void)state;
	at = rewind ? 0 : at;
	if (at == planned)
		return 0;
	*plan = plans[at++];
	return 1;
}

static const struct format at_random = {
	.name = "random", .techniques = "ftir", .next = next_at_random};

static void plan_at_random(const struct import *im)
{
	planned = (unsigned)below(below(4) == 0 ? 300 : 4);
	for (unsigned i = 0; i < planned; i++) {
		struct format_plan *plan = &plans[i];
		plan->part = "part";
		plan->count = 1 + (unsigned)below(FORMAT_SLICES);
		for (unsigned k = 0; k < plan->count; k++) {
			struct format_slice *slice = &plan->slice[k];
			slice->file = (unsigned)below(im->source.files);
			uint64_t size = im->list[slice->file].size;
			slice->offset = below(size + 1);
			slice->len = below(size - slice->offset + 1);
			slice->len = slice->len < 3000 ? slice->len : 3000;
		}
	}
}

static struct import *files_at_random(void)
{
	static uint8_t bytes[20u << 20];
	struct import *im = import_create("ftir", "set.d/");
	unsigned files = 1 + (unsigned)below(8);
	for (unsigned i = 0; i < files; i++) {
		char path[32];
		size_t len = below(6) == 0 ? 0 : below(50) == 0 ? below(sizeof bytes) : below(9000);
		for (size_t k = 0; k < 64 && len > 0; k++)
			bytes[below(len)] = (uint8_t)below(256);
		snprintf(path, sizeof path, "a/%u.bin", i);
		import_add(im, path, bytes, len);
	}
	return im;
}

static void expect_blocks(struct import *im, unsigned i)
{
	const struct host_raw *raw = &im->host->raw;
	assert_true(raw->total <= FRAMES_BYTES && raw->count <= FRAMES_BLOCKS);
	for (size_t k = 0; k < raw->count; k++)
		import_see(im, &raw->blocks[k]);
	if (i >= planned)
		return;
	for (unsigned k = 0; k < plans[i].count; k++)
		assert_int_equal(raw->blocks[k].len, plans[i].slice[k].len);
	assert_true(i == 0 || raw->count == plans[i].count);
}

static void test_all_bytes_are_there(void **state)
{
	(void)state;
	unsigned fits_first = 0; /* how often all the rest is behind the first frame's blocks */
	for (uint64_t seed = 0; seed < 150; seed++) {
		chance = seed;
		struct import *im = files_at_random();
		struct frames frames;
		plan_at_random(im);
		assert_int_equal(
			frames_plan(&frames, &im->source, &at_random, NULL, "random", "rest"), 0);
		int more = 1;
		unsigned count = 0;
		for (; more == 1; count++) {
			im->host->raw.count = im->host->raw.total = 0;
			more = frames_take(&frames, &im->host->raw.handle);
			assert_true(more == 0 || more == 1);
			expect_blocks(im, count);
		}
		import_expect_all_seen(im);
		fits_first += planned > 0 && count == planned;
		assert_true(count == planned || !frames.is_rest_with_first);
		frames_finish(&frames);
		import_destroy(im);
	}
	assert_true(fits_first > 50);
}

static void test_plans_that_cannot_be(void **state)
{
	(void)state;
	struct import *im = import_create("ftir", "a.bin");
	struct frames frames;
	import_add(im, NULL, "0123456789", 10);
	static const struct format_slice wrong[] = {
		{0, 0, 11}, {0, 11, 0}, {1, 0, 1}, {0, UINT64_MAX, 2}, {0, 5, UINT64_MAX}};
	planned = 1;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		plans[0] = (struct format_plan){"part", {wrong[i]}, 1};
		assert_int_equal(
			frames_plan(&frames, &im->source, &at_random, NULL, "random", "rest"),
			-EBADMSG);
		frames_finish(&frames);
	}
	import_destroy(im);
}

/* --- the slots -------------------------------------------------------------------------------- */

static void test_unknown_file(void **state)
{
	(void)state;
	struct import *im = import_create("ftir", "notes.xyz");
	import_add(im, NULL, "hello", 5);
	assert_int_equal(import_all(im), 1);
	assert_string_equal(im->host->raw.blocks[0].media,
		"application/x-assay-file;format=unknown;part=not-decoded");
	assert_true(host_has_reason(im->host, "not-decoded"));
	assert_int_equal(host_find(im->host, "file_bytes")->integer, 5);
	assert_non_null(strstr(im->host->logged, "warn notes.xyz: no format"));
	import_destroy(im);
}

#define ASP "2\n4000\n3999\n1\n2\n4\n0.5\n0.25\n"

/* The bytes of a journal, or a format that finds its mistake only here. */
static void test_values_that_cannot_be_read(void **state)
{
	(void)state;
	struct import *im = import_create("ftir", "a.asp");
	const struct assay_bytes raw = {
		.media = "application/x-assay-file;format=asp;part=spectrum",
		.name = "a.asp@0",
		.data = (const uint8_t *)"2\n4000\n",
		.len = 7};
	assert_int_equal(host_decode_bytes(im->host, &raw, 1, NULL, 0), 0);
	assert_true(host_has_reason(im->host, "file-damaged"));
	assert_int_equal(host_find(im->host, "file_bytes")->integer, 7);
	import_destroy(im);
}

static void test_damaged_incomplete_other(void **state)
{
	(void)state;
	struct import *im = import_create("ftir", "a.asp");
	import_add(im, NULL, ASP "9\n", strlen(ASP) + 2);
	assert_int_equal(import_all(im), 1);
	assert_true(host_has_reason(im->host, "file-damaged"));
	assert_int_equal(im->host->frame.flag, ASSAY_SUSPECT);
	import_add(im, NULL, ASP, strlen(ASP) - 1);
	assert_int_equal(import_all(im), 0);
	assert_int_equal(im->verdict, ASSAY_FOLDER_INCOMPLETE);
	assert_non_null(strstr(im->host->logged, "a.asp: not complete (asp)"));
	im->host->logged[0] = '\0';
	assert_int_equal(import_all(im), 0); /* it comes again: no further line */
	assert_string_equal(im->host->logged, "");
	import_add(im, NULL, ASP, strlen(ASP));
	assert_int_equal(import_all(im), 1);
	assert_non_null(host_find(im->host, "ordinate"));
	im->host->technique = "xrf";
	assert_int_equal(import_all(im), 0);
	assert_int_equal(im->verdict, ASSAY_FOLDER_TAKEN);
	assert_non_null(strstr(im->host->logged, "the technique ftir, the instrument has xrf"));
	import_destroy(im);
}

static const char *reported(const struct import *im, const char *name)
{
	const struct assay_variable *v = host_report(im->host, name);
	return v != NULL ? v->text : "";
}

static void test_bytes_only(void **state)
{
	(void)state;
	static const struct {
		const char *technique, *name, *path, *bytes;
		size_t len;
		const char *format;
	} files[] = {
		{"gcms", "a.QGD", NULL, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "shimadzu-gc"},
		{"gcms", "a.qgd", NULL, "PK", 2, "unknown"},
		{"gcms", "a.sms", NULL, "12345678SATURNWS", 16, "varian-ms"},
		{"ms", "a.wiff", NULL, "x", 1, "sciex"},
		{"ms", "a.d/", "AcqData/MSProfile.bin", "x", 1, "agilent-profile"},
		{"ms", "a.d/", "analysis.tdf", "x", 1, "bruker-ms"},
		{"ftir", "a.ispd", NULL, "x", 1, "shimadzu-ispd"},
		{"ftir", "a.dmt", NULL, "x", 1, "agilent-fpa"},
		{"uv-vis", "a.spc", NULL, "\0\x16", 2, "shimadzu-uv"},
		{"xrf", "a.ndt", NULL, "x", 1, "niton-ndt"},
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct import *im = import_create(files[i].technique, files[i].name);
		import_add(im, files[i].path, files[i].bytes, files[i].len);
		assert_int_equal(import_all(im), 1);
		assert_string_equal(reported(im, "file_format"), files[i].format);
		assert_true(host_has_reason(im->host, "not-decoded"));
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		import_destroy(im);
	}
}

static void test_thermo(void **state)
{
	(void)state;
	uint8_t bytes[100] = "\x01\xa1"
			     "F\0i\0n\0n\0i\0g\0a\0n";
	static const uint8_t time[8] = {0x90, 0xad, 0x64, 0x84, 0x39, 0x8d, 0xc5, 0x01};
	memcpy(bytes + 40, time, 8);
	struct import *im = import_create("ms", "x.raw");
	import_add(im, NULL, bytes, sizeof bytes);
	assert_int_equal(import_all(im), 1);
	assert_string_equal(reported(im, "acquired"), "2005-07-20T14:44:22");
	assert_string_equal(reported(im, "acquired_zone"), "Z");
	assert_string_equal(im->host->logged, ""); /* it is as it should be */
	import_destroy(im);
	im = import_create("ms", "x_CORRUPTED.raw");
	import_add(im, NULL, bytes, sizeof bytes);
	assert_int_equal(import_all(im), 1);
	assert_true(host_has_reason(im->host, "file-damaged"));
	import_destroy(im);
	size_t len;
	uint8_t *data = import_sample("files/gcms/thermo_small.RAW", &len);
	if (data == NULL)
		skip();
	im = import_create("ms", "thermo_small.RAW");
	import_add(im, NULL, data, len);
	assert_true(import_all(im) >= 1);
	assert_string_equal(reported(im, "file_format"), "thermo-raw");
	assert_string_equal(reported(im, "acquired"), "2005-07-20T14:44:22");
	import_destroy(im);
	free(data);
}

#define WATERS                                                                           \
	"$$ Version: 01.00\r\n$$ Acquired Name: W1\r\n$$ Acquired Date: 10-May-2022\r\n" \
	"$$ Acquired Time: 15:39:24\r\n$$ Instrument: ACQ-SQD2#LCA217\r\n$$ User Name: " \
	"Adm\xedn\r\n"                                                                   \
	"$$ Sample Description: blank\r\n$$ SampleID: S-17\r\n$$ MS Method: scan.exp"

static struct import *waters(const char *header)
{
	struct import *im = import_create("gcms", "W1.RAW/");
	import_add(im, "_FUNCTNS.INF", "x", 1);
	import_add(im, "_header.TXT", header, strlen(header));
	import_add(im, "_FUNC001.DAT", "", 0);
	assert_int_equal(import_all(im), 1);
	return im;
}

static void test_facts(void **state)
{
	(void)state;
	struct import *im = waters(WATERS);
	assert_string_equal(im->host->sample, "S-17");
	static const char *const facts[][2] = {{"file_sample", "S-17"}, {"file_title", "blank"},
		{"file_operator", "Admín"}, {"file_method", "scan.exp"}, {"file_make", "Waters"},
		{"file_model", "ACQ-SQD2#LCA217"}, {"file_serial", ""},
		{"acquired", "2022-05-10T15:39:24"}, {"acquired_zone", "local, zone unknown"}};
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		assert_string_equal(reported(im, facts[i][0]), facts[i][1]);
	import_destroy(im);
	im = waters("$$ Acquired Date: yesterday\n$$ Acquired Time: 99:00:00\n$$ SampleID: none\n");
	assert_string_equal(reported(im, "acquired"), "yesterday 99:00:00");
	assert_string_equal(reported(im, "file_sample"), "none");
	assert_null(im->host->sample); /* the record's word for an absent one */
	import_destroy(im);
}

static void test_sample_from(void **state)
{
	(void)state;
	static const char *const from[][2] = {
		{"sample", "S-17"}, {"title", "blank"}, {"name", "W1"}, {"none", NULL}};
	for (size_t i = 0; i < 4; i++) {
		struct import *im = waters("");
		host_set(im->host, "sample_from", from[i][0]);
		import_add(im, "_header.TXT", WATERS, sizeof WATERS - 1);
		assert_int_equal(import_all(im), 1);
		if (from[i][1] == NULL)
			assert_null(im->host->sample);
		else
			assert_string_equal(im->host->sample, from[i][1]);
		import_destroy(im);
	}
}

/* The end of the data set shows that it was not the same all the time. */
static int end_with_again(struct host *h, enum assay_folder_verdict verdict)
{
	(void)h;
	(void)verdict;
	return -EAGAIN;
}

static ssize_t read_with_again(
	struct host *h, unsigned index, uint64_t offset, void *to, size_t size)
{
	(void)h;
	(void)index;
	(void)offset;
	(void)to;
	(void)size;
	return -EAGAIN;
}

static void test_changed(void **state)
{
	(void)state;
	static uint8_t bytes[1u << 20]; /* more than is still there of the look at it */
	for (int i = 0; i < 2; i++) {
		struct import *im = import_create("ftir", "notes.xyz");
		import_add(im, NULL, bytes, sizeof bytes);
		assert_true(import_start(im));
		if (i == 0)
			im->host->folder_end = end_with_again;
		else
			im->host->folder_read = read_with_again;
		assert_int_equal(
			im->host->driver->acquire(&im->host->ins, &im->host->raw.handle), -EPROTO);
		assert_non_null(strstr(im->host->explained, "notes.xyz: changed"));
		import_destroy(im);
	}
}

static void test_long_names(void **state)
{
	(void)state;
	char path[200] = "";
	for (int i = 0; i < 70; i++)
		strcat(path, "ü");
	struct import *im = import_create("ftir", path);
	struct frames frames;
	import_add(im, NULL, "hello", 5);
	for (int i = 0; i < 2; i++) { /* cut within a character, and between two */
		path[strlen(path) - 1] = i == 0 ? path[strlen(path) - 1] : '\0';
		im->list[0].path = path;
		assert_int_equal(
			frames_plan(&frames, &im->source, NULL, NULL, "unknown", "rest"), 0);
		im->host->raw.count = im->host->raw.total = 0;
		assert_int_equal(frames_take(&frames, &im->host->raw.handle), 0);
		const char *name = im->host->raw.blocks[0].name;
		size_t len = strlen(name);
		assert_true(len >= FRAMES_NAME - 3 && len < FRAMES_NAME);
		assert_true(strncmp(name, "ü", strlen("ü")) == 0);
		frames_finish(&frames);
	}
	import_destroy(im);
}

static void test_techniques(void **state)
{
	(void)state;
	static const struct format two = {.techniques = "ftir nir"};
	assert_true(format_has_technique(&two, "ftir") && format_has_technique(&two, "nir"));
	assert_false(format_has_technique(&two, "ft") || format_has_technique(&two, ""));
}

static void test_check(void **state)
{
	(void)state;
	struct import *im = import_create("ftir", "a.asp");
	host_check(im->host);
	assert_string_equal(im->host->found, "");
	host_set(im->host, "format", "asp");
	host_check(im->host);
	assert_string_equal(im->host->found, "");
	host_set(im->host, "format", "asq");
	host_check(im->host);
	assert_string_equal(im->host->found, "error format: there is no format 'asq'\n");
	import_destroy(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_bytes_are_there),
		cmocka_unit_test(test_plans_that_cannot_be),
		cmocka_unit_test(test_unknown_file),
		cmocka_unit_test(test_values_that_cannot_be_read),
		cmocka_unit_test(test_damaged_incomplete_other),
		cmocka_unit_test(test_bytes_only),
		cmocka_unit_test(test_thermo),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_sample_from),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_techniques),
		cmocka_unit_test(test_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
