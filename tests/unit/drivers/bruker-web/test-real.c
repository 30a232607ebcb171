/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that Bruker's OPUS wrote from a real VERTEX 80v (the example of brukeropus), with the
 * spectra that OPUS computed.  It is not part of the project: without it the test is skipped.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bruker-web/processing.h"
#include "host.h"

/* Of the maximum: the project's promise. */
#define TOLERANCE 1e-4

extern const struct assay_driver *const assay_driver;

static uint8_t *bytes;
static size_t len;

static const struct processing steps = {.zero_filling = 2};

static struct spectrum compute(struct host *h, enum opus_of of, const char *apodization)
{
	struct opus file;
	struct measurement m;
	struct spectrum s;
	char why[WHY_MAX];
	struct processing p = steps;
	p.apodization = apodization_find(apodization);
	p.low = 0.01;
	p.high = 20000;
	assert_int_equal(opus_open(&file, bytes, len), 0);
	assert_int_equal(measurement_read(&file, of, &m, why), 0);
	assert_true(m.is_intact);
	assert_int_equal(processing_run(&p, &m, &h->frame.handle, &s, why), 0);
	assert_false(s.is_short);
	return s;
}

/* OPUS's own numbers of that kind: they fall, from point `first` of the transform on. */
static const uint8_t *stored(enum opus_of of, enum opus_data kind, size_t *count)
{
	struct opus file;
	struct opus_block numbers, about;
	double points;
	assert_int_equal(opus_open(&file, bytes, len), 0);
	assert_int_equal(opus_find_data(&file, of, kind, &numbers, &about), 1);
	assert_true(opus_number(about, "NPT", &points));
	*count = (size_t)points;
	return numbers.bytes;
}

/* The factor that brings both together, and their greatest difference as part of the maximum. */
static double compare(
	const struct spectrum *s, size_t first, const uint8_t *opus, size_t count, double *factor)
{
	double products = 0, squares = 0, worst = 0, greatest = 0;
	for (size_t i = 0; i < count; i++) {
		double ours = s->at[first - i - s->first], theirs = (double)opus_value(opus, i);
		products += ours * theirs;
		squares += ours * ours;
		greatest = fmax(greatest, theirs);
	}
	*factor = products / squares;
	for (size_t i = 0; i < count; i++) {
		double ours = s->at[first - i - s->first], theirs = (double)opus_value(opus, i);
		worst = fmax(worst, fabs(*factor * ours - theirs));
	}
	return worst / greatest;
}

static void the_single_beams_are_those_of_opus(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
	size_t count;
	double reference_factor, sample_factor;
	struct spectrum s = compute(h, OPUS_REFERENCE, "blackman-harris-3");
	assert_float_equal(s.step, 1.928200756591797, 1e-12);
	const uint8_t *opus = stored(OPUS_REFERENCE, OPUS_SPECTRUM, &count);
	assert_int_equal(count, 4933);
	double worst = compare(&s, 5189, opus, count, &reference_factor);
	print_message("reference: %.2g of the maximum\n", worst);
	assert_true(worst < TOLERANCE);
	/* Another apodization is another spectrum, so that the tolerance means something. */
	double other;
	s = compute(h, OPUS_REFERENCE, "blackman-harris-4");
	assert_true(compare(&s, 5189, opus, count, &other) > TOLERANCE);
	s = compute(h, OPUS_SAMPLE, "blackman-harris-3");
	opus = stored(OPUS_SAMPLE, OPUS_SPECTRUM, &count);
	assert_int_equal(count, 4927);
	worst = compare(&s, 5185, opus, count, &sample_factor);
	print_message("sample, both directions: %.2g of the maximum\n", worst);
	assert_true(worst < TOLERANCE);
	/* The same scale for both, so that their ratio needs none. */
	assert_float_equal(sample_factor / reference_factor, 1, 1e-6);
	host_destroy(h);
	(void)state;
}
/* OPUS turns the other way, and a turn more or less is the same phase. */
static void the_phase_is_that_of_opus(void **state)
{
	struct opus file;
	struct measurement m;
	char why[WHY_MAX];
	size_t count;
	struct fourier phase[1024];
	assert_int_equal(opus_open(&file, bytes, len), 0);
	assert_int_equal(measurement_read(&file, OPUS_SAMPLE, &m, why), 0);
	const uint8_t *opus = stored(OPUS_SAMPLE, OPUS_PHASE, &count);
	assert_int_equal(count, 512);
	struct pass pass = transform_pass(m.phase_resolution, m.limit, 2);
	assert_int_equal(pass.size, 1024);
	transform_phase(&m.scans[0], apodization_find("blackman-harris-3"), pass, phase);
	/* From 15764.97 cm-1 down to 0; point 40 is at 1234.05 cm-1. */
	assert_float_equal(2 * m.limit / 1024 * 40, 1234.05, 0.01);
	assert_float_equal(opus_value(opus, 511 - 40), -6.1102, 1e-4);
	for (size_t i = 25; i < 200; i++) {
		double ours = atan2(phase[i].im, phase[i].re);
		double theirs = (double)opus_value(opus, 511 - i);
		assert_float_equal(remainder(theirs + ours, 2 * M_PI), 0, 1e-3);
	}
	(void)state;
}

/* The file's reference as a file of its own: its blocks get the types of a sample. */
static uint8_t *reference_file(void)
{
	static const uint32_t moved[][2] = {
		{0x80b, 0x807}, {0x81b, 0x817}, {0x28, 0x20}, {0x38, 0x30}, {0x48, 0x40}};
	uint8_t *copy = malloc(len);
	memcpy(copy, bytes, len);
	for (size_t at = 24; at < 24 + 12 * (size_t)copy[20]; at += 12) {
		uint32_t type, none = 0;
		memcpy(&type, copy + at, 4);
		for (size_t i = 0; i < sizeof(moved) / sizeof(*moved); i++) {
			if (type == moved[i][0])
				memcpy(copy + at, &moved[i][1], 4);
			else if (type == moved[i][1])
				memcpy(copy + at, &none, 4);
		}
	}
	return copy;
}

/* Through the slot, with the reference as the background run. */
static void the_absorbance_is_that_of_opus(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
	size_t count, compared = 0;
	double worst = 0;
	struct spectrum beam = compute(h, OPUS_REFERENCE, "blackman-harris-3");
	uint8_t *reference = reference_file();
	struct assay_bytes raw = {.media = OPUS_MEDIA, .data = bytes, .len = len};
	struct assay_bytes background = {.media = OPUS_MEDIA, .data = reference, .len = len};
	host_reset(h);
	host_set(h, "result", "absorbance");
	assert_int_equal(host_decode_bytes(h, &raw, 1, &background, 1), 0);
	const struct assay_variable *v = host_find(h, "absorbance");
	const struct assay_variable *axis = host_find(h, "wavenumber");
	assert_non_null(v);
	const uint8_t *opus = stored(OPUS_RATIO, OPUS_ABSORBANCE, &count);
	size_t first = (size_t)lround(axis->start / axis->step);
	for (size_t i = 0; i < v->count; i++) {
		double theirs = (double)opus_value(opus, 5185 - (first + i));
		double lit = beam.at[first + i - beam.first];
		if (lit < 0.05 || theirs > 1)
			continue;
		compared++;
		worst = fmax(worst, fabs(host_element(v, i) - theirs));
	}
	print_message("absorbance below 1: %.2g in %zu points\n", worst, compared);
	assert_true(compared > 1000);
	assert_true(worst < 2e-4);
	free(reference);
	host_destroy(h);
	(void)state;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_single_beams_are_those_of_opus),
		cmocka_unit_test(the_phase_is_that_of_opus),
		cmocka_unit_test(the_absorbance_is_that_of_opus),
	};
	char path[4096];
	snprintf(path, sizeof(path), "%s/brukeropus_example_file.0", argc > 1 ? argv[1] : ".");
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return 77;
	bytes = malloc(1u << 20);
	len = fread(bytes, 1, 1u << 20, f);
	fclose(f);
	int r = cmocka_run_group_tests_name("bruker-web-real", tests, NULL, NULL);
	free(bytes);
	return r;
}
