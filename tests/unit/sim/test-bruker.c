/* SPDX-License-Identifier: Apache-2.0 */
/* Pages, states and the raw file of the web server, by a reader of its own. */
#include <complex.h>
#include <math.h>

#include "bench.h"
#include "bruker/bruker.h"

#define start(b, ...) \
	bench_start(b, &bruker_model, SIM_TCP, NULL, (const char *const[]){__VA_ARGS__, NULL})

static const char *get(struct bench *b, const char *url)
{
	assert_int_equal(send_http(b, "GET", url, NULL), 200);
	return (const char *)b->sent;
}

/* The text of the last cell with that id. */
static void expect_cell(struct bench *b, const char *id, const char *want)
{
	const char *at = get(b, "/stat.htm"), *last = NULL;
	char tag[32];
	snprintf(tag, sizeof tag, "ID=%s>", id);
	while ((at = strstr(at, tag)) != NULL)
		last = at += strlen(tag);
	assert_non_null(last);
	assert_memory_equal(last, want, strlen(want));
	assert_true(last[strlen(want)] == '<' || last[strlen(want)] == ' ');
}

/* Measures, and leaves the file in b->sent. */
static void measure(struct bench *b, const char *command)
{
	get(b, command);
	expect_cell(b, "MSTCO", "SCN");
	wait_until(b, b->now + 600 * S);
	expect_cell(b, "MSTCO", "IDL");
	const char *page = get(b, "/datafile.htm");
	assert_non_null(strstr(page, "Ready for download"));
	char url[64];
	assert_int_equal(sscanf(strstr(page, "A HREF="), "A HREF=\"%63[^\"]", url), 1);
	get(b, url);
}

static uint32_t u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static double f64(const uint8_t *at)
{
	double v;
	memcpy(&v, at, sizeof v);
	return v;
}

/* The place of the block of that type, without bit 30. */
static const uint8_t *block(const struct bench *b, uint32_t type, uint32_t *words)
{
	const uint8_t *entry = b->sent + u32(b->sent + 12);
	for (uint32_t i = 0; i < u32(b->sent + 20); i++, entry += 12) {
		assert_true(u32(entry + 8) + 4 * u32(entry + 4) <= b->len);
		if ((u32(entry) & 0xFFFFF) == type) {
			*words = u32(entry + 4);
			return b->sent + u32(entry + 8);
		}
	}
	fail_msg("no block %x", type);
	return NULL;
}

/* The value of a parameter: its type, size in 16-bit words, and place. */
static const uint8_t *parameter(
	const struct bench *b, uint32_t type, const char *name, unsigned kind)
{
	uint32_t words;
	const uint8_t *at = block(b, type, &words), *end = at + 4 * words;
	while (at + 8 <= end && memcmp(at, "END", 4) != 0) {
		if (memcmp(at, name, 4) == 0) {
			assert_int_equal(at[4], kind);
			return at + 8;
		}
		at += 8 + 2 * (at[6] | at[7] << 8);
	}
	fail_msg("no parameter %s", name);
	return NULL;
}

static void two_sided_file_has_the_size_of_a_real_one(void **state)
{
	struct bench b;
	uint32_t words;
	start(&b, "laser", "15795.820598", "serial", "9990201");
	measure(&b, "/cmd.htm?WRK=1&RES=4&PHR=100&NSS=50&AQM=DD&VEL=10.0&SNM=Probe&CNM=Kim");
	assert_memory_equal(b.sent, "\x0A\x0A\xFE\xFE", 4);
	assert_true(f64(b.sent + 4) == 920622.0);
	assert_int_equal(u32(b.sent + 12), 24);
	assert_int_equal(u32(b.sent + 16), 40);
	block(&b, 0x807, &words);
	assert_int_equal(words, 29456);
	assert_int_equal(u32(parameter(&b, 0x817, "NPT", 0)), 29456);
	assert_true(f64(parameter(&b, 0x817, "LXV", 1)) == 29455);
	assert_int_equal(u32(parameter(&b, 0x20, "PKL", 0)), 7364);
	assert_int_equal(u32(parameter(&b, 0x20, "PRL", 0)), 7363);
	assert_int_equal(u32(parameter(&b, 0x20, "GFW", 0)), 25);
	assert_int_equal(u32(parameter(&b, 0x20, "GBW", 0)), 25);
	assert_true(f64(parameter(&b, 0x20, "LWN", 1)) == 15795.820598);
	assert_true(fabs(f64(parameter(&b, 0x20, "DUR", 1)) - 42.434) < 0.05);
	assert_string_equal((const char *)parameter(&b, 0x20, "SRN", 2), "9990201");
	assert_string_equal((const char *)parameter(&b, 0x30, "AQM", 3), "DD");
	assert_string_equal((const char *)parameter(&b, 0xA0, "SNM", 2), "Probe");
	bench_stop(&b);
}

/* The spectrum at one wavenumber: the plain sum, with a triangle as window. */
static double amplitude(const float *points, size_t n, size_t centre, double laser, double at)
{
	double complex sum = 0;
	for (size_t k = 0; k < n; k++) {
		double away = (double)k - (double)centre;
		sum += points[k] * (1 - fabs(away) / (double)centre) *
		       cexp(-I * M_PI * away * at / laser);
	}
	return cabs(sum);
}

static void spectrum_has_the_bands_of_the_sample(void **state)
{
	struct bench b;
	uint32_t words;
	float sample[29456], open[29456];
	start(&b, "laser", "15795.820598", "sample", "polystyrene", "marked-blocks", "");
	measure(&b, "/cmd.htm?WRK=1&RES=4&NSS=2&AQM=DD&SNM=Probe");
	memcpy(sample, block(&b, 0x807, &words), sizeof sample);
	measure(&b, "/cmd.htm?WRK=1&RES=4&NSS=2&AQM=DD&SNM=background");
	memcpy(open, block(&b, 0x807, &words), sizeof open);
	for (int half = 0; half < 2; half++) {
		const float *s = sample + 14728 * half, *o = open + 14728 * half;
		size_t centre = half ? 7363 : 7364;
		double band = amplitude(s, 14728, centre, 15795.820598, 1601.2) /
			      amplitude(o, 14728, centre, 15795.820598, 1601.2);
		double beside = amplitude(s, 14728, centre, 15795.820598, 2200) /
				amplitude(o, 14728, centre, 15795.820598, 2200);
		assert_true(band > 0.1 && band < 0.25); /* 10^-0.8 */
		assert_true(beside > 0.95 && beside < 1.01);
	}
	assert_true(sample[7364] > 0 && sample[14728 + 7363] < 0);
	bench_stop(&b);
}

static void one_sided_and_single_direction_are_shorter(void **state)
{
	static const struct {
		const char *mode;
		uint32_t points, peak;
		int32_t back;
	} cases[] = {{"DN", 14728, 7364, -1}, {"0x4e44", 14728, 7364, -1},
		{"SN", 2 * 256 + 7108, 256, -1}, {"SD", 2 * (2 * 256 + 7108), 256, 7363},
		{"0x4453", 2 * (2 * 256 + 7108), 256, 7363}};
	struct bench b;
	uint32_t words;
	start(&b, "laser", "15795.820598");
	for (size_t i = 0; i < 5; i++) {
		char command[128];
		snprintf(command, sizeof command, "/cmd.htm?WRK=1&RES=4&PHR=100&NSS=2&AQM=%s",
			cases[i].mode);
		measure(&b, command);
		block(&b, 0x807, &words);
		assert_int_equal(words, cases[i].points);
		assert_int_equal(u32(parameter(&b, 0x20, "PKL", 0)), cases[i].peak);
		assert_int_equal((int32_t)u32(parameter(&b, 0x20, "PRL", 0)), cases[i].back);
	}
	bench_stop(&b);
}

#define REAL_COMMAND                                                                            \
	"/cmd.htm?WRK=3&AMD=7&UWN=0&ITC=0&CNM=Default&SNM=Bremen&SFM=x&DLY=0&DEL=0&"            \
	"RES=14.216020&SRC=104&LPF=10.0&HPF=0&BMS=1&APT=0x1F40&DTC=0x4041&VEL=10.0&AQM=0x4e44&" \
	"HFW=15788.022000&LFW=10.000000&PHR=14.216020&SON=0&PGN=3&OPF=8&OF3=5&ADC=0&CMA=0&"     \
	"COR=0&CHN=1&SOT=0&NSS=1&RDX=0&TSR=0&GNS=1&REP=1&DLR=0"
#define REAL_VERTEX                                                                          \
	"/cmd.htm?FLP=0&SNM=s&CNM=c&REP=1&APT=4000&NSS=20&RES=0.08&BMS=1&VEL=20000&SRC=201&" \
	"AQM=SD&CHN=1&DTC=16416&HPF=0&LPF=20000&OPF=1&PGN=2&DEL=0&WRK=8&PHR=2.0&COR=0&GNS=1"

static void commands_of_real_units_are_taken(void **state)
{
	struct bench b;
	start(&b, "model", "ifs125");
	get(&b, REAL_COMMAND);
	expect_cell(&b, "MSTCO", "SCN");
	wait_until(&b, b.now + 10 * S);
	expect_cell(&b, "MSTCO", "IDL");
	assert_null(strstr(get(&b, "/datafile.htm"), "Ready for download")); /* only checked */
	get(&b, REAL_VERTEX);
	expect_cell(&b, "MSTCO", "IDL");
	bench_stop(&b);
}

static void wrong_requests_are_refused(void **state)
{
	static const struct {
		const char *url;
		unsigned status;
	} cases[] = {{"/", 404}, {"/stat.html", 404}, {"/data/1.0", 404}, {"/cmd.htm?WRK=2", 400},
		{"/cmd.htm?WRK=1&RES=0", 400}, {"/cmd.htm?WRK=1&RES=x", 400},
		{"/cmd.htm?WRK=1&NSS=1.5", 400}, {"/cmd.htm?WRK=1&AQM=XX", 400},
		{"/cmd.htm?WRK=1&AQM=0x4e", 400}, {"/cmd.htm?WRK=1&Res=4", 400},
		{"/cmd.htm?WRK=1&NSS", 400}, {"/cmd.htm?WRK=1&APT=0x", 400},
		{"/cmd.htm?WRK=1&SNM="
		 "0123456789012345678901234567890123456789012345678901234567890123"
		 "4",
			400},
		{"/diag_autom.htm", 404}};
	struct bench b;
	start(&b, "model", "vertex80");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(send_http(&b, "GET", cases[i].url, NULL), cases[i].status);
	assert_int_equal(send_http(&b, "POST", "/cmd.htm?WRK=1", NULL), 405);
	expect_cell(&b, "MSTCO", "IDL");
	bench_stop(&b);
}

static void second_start_is_refused_and_scans_are_counted(void **state)
{
	struct bench b;
	start(&b, "model", "vertex80");
	get(&b, "/cmd.htm?WRK=1&RES=4&NSS=10&VEL=10");
	assert_int_equal(send_http(&b, "GET", "/cmd.htm?WRK=1", NULL), 503);
	wait_until(&b, b.now + 4 * S);
	expect_cell(&b, "SCAN", "4");
	expect_cell(&b, "SRSC", "6");
	get(&b, "/cmd.htm?WRK=8&SRC=0");
	expect_cell(&b, "MSTCO", "SCN");
	wait_until(&b, b.now + 6 * S);
	expect_cell(&b, "MSTCO", "IDL");
	bench_stop(&b);
}

static void source_off_ends_a_scan_if_told_so(void **state)
{
	struct bench b;
	start(&b, "source-off", "ends");
	get(&b, "/cmd.htm?WRK=1&RES=4&NSS=10&VEL=10");
	get(&b, "/cmd.htm?WRK=8&SRC=0");
	expect_cell(&b, "MSTCO", "IDL");
	assert_null(strstr(get(&b, "/datafile.htm"), "Ready for download"));
	bench_stop(&b);
}

static void faults_of_the_instrument_are_played(void **state)
{
	struct bench b;
	start(&b, "model", "em27");
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	measure(&b, "/cmd.htm?WRK=1&RES=20&NSS=1");
	assert_string_equal((const char *)parameter(&b, 0x20, "SRN", 2), "9990201");
	assert_string_equal((const char *)parameter(&b, 0x20, "INS", 2), "EM27");
	assert_non_null(strstr(get(&b, "/diag_autom.htm"), "<TH ID=NOERR>No error</TH>"));
	b.faults.strength[FAULT_BUSY] = 1;
	assert_int_equal(send_http(&b, "GET", "/cmd.htm?WRK=1", NULL), 503);
	assert_null(strstr(get(&b, "/datafile.htm"), "Ready for download"));
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sided_file_has_the_size_of_a_real_one),
		cmocka_unit_test(spectrum_has_the_bands_of_the_sample),
		cmocka_unit_test(one_sided_and_single_direction_are_shorter),
		cmocka_unit_test(commands_of_real_units_are_taken),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(second_start_is_refused_and_scans_are_counted),
		cmocka_unit_test(source_off_ends_a_scan_if_told_so),
		cmocka_unit_test(faults_of_the_instrument_are_played),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
