/* SPDX-License-Identifier: Apache-2.0 */
/* The driver and its simulator on a line with faults: no frame has a wrong value, nothing stays on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../faulty-line.h"

extern const struct sim_model_ops hiden_model;

#define SEEDS 12
#define FIRST 14
#define LAST  20

static const struct assay_driver *driver;
static unsigned wrong; /* values of frames that differ from the truth */

/* Whether the frame has the values of one job, in the three digits that the instrument prints. */
static unsigned wrong_values(struct faulty_line *line, int job)
{
	const struct assay_variable *mz = host_find(line->h, "mz");
	const struct assay_variable *v = host_find(line->h, "partial_pressure");
	unsigned same = 0;
	for (const char *at = faulty_line_truth(line); (at = strstr(at, "\"measured\"")) != NULL;
		at++) {
		int of = 0;
		double mass = 0, value = 0;
		const char *json = strstr(at, "\"job\":");
		if (json == NULL || sscanf(json, "\"job\":%d,\"mass\":%lf,\"torr\":%lf", &of, &mass,
					    &value) != 3)
			host_bug("the truth has another form: %.100s", at);
		for (size_t i = 0; of == job && i < mz->count; i++)
			same += host_element(mz, i) == mass &&
				fabs(host_element(v, i) - value) <= 0.0056 * fabs(value);
	}
	return (unsigned)mz->count - same;
}

static void compare_frame(struct faulty_line *line)
{
	const struct assay_variable *mz = host_find(line->h, "mz");
	unsigned least = UINT32_MAX;
	assert_int_equal(mz->count, LAST - FIRST + 1);
	for (size_t i = 0; i < mz->count; i++)
		assert_true(host_element(mz, i) == FIRST + (double)i);
	assert_true(line->h->frame.flag >= ASSAY_UNCHECKED);
	for (int job = 1; job < 100; job++) {
		unsigned n = wrong_values(line, job);
		least = n < least ? n : least;
	}
	wrong += least;
}

/* One session; at its end the filament is off, or the driver reports it as on. */
static int run_session(const char *faults, unsigned *frames)
{
	static const char *const options[] = {"gas", "argon", NULL};
	struct faulty_line line;
	struct host *h = host_create(driver, ASSAY_LINK_SERIAL);
	char first[16], last[16], reply[100];
	snprintf(first, sizeof(first), "%d", FIRST);
	snprintf(last, sizeof(last), "%d", LAST);
	host_set(h, "mass_first", first);
	host_set(h, "mass_last", last);
	host_set(h, "unit", "Torr");
	host_set(h, "emission_current", "1");
	host_set(h, "dwell_time", "0.01");
	host_set(h, "scans", "3");
	faulty_line_start(&line, h, &hiden_model, options, faults);
	int r = faulty_line_run(&line, 3, compare_frame);
	*frames += line.frames;
	/* Half a command may wait in the unit. */
	faulty_line_ask(&line, "\r", reply, sizeof(reply));
	faulty_line_ask(&line, "pset terse 1\r", reply, sizeof(reply));
	faulty_line_ask(&line, "lget F1\r", reply, sizeof(reply));
	if (strcmp(reply, "0\r\n") != 0 && !h->hazard) {
		fprintf(stderr, "%s: F1 is %s\n", faults, reply);
		fail();
	}
	faulty_line_stop(&line);
	host_destroy(h);
	return r;
}

static void a_line_without_faults_has_all_frames(void **state)
{
	unsigned frames = 0;
	wrong = 0;
	assert_int_equal(run_session("off", &frames), ASSAY_LAST);
	assert_int_equal(frames, 3);
	assert_int_equal(wrong, 0);
	(void)state;
}

/* The fault with each seed; returns the sessions of twelve that were complete. */
static unsigned run_sessions(const char *faults)
{
	unsigned frames = 0, complete = 0, seeds = SEEDS;
	const char *scale = getenv("ASSAY_TEST_SCALE");
	seeds *= scale != NULL ? (unsigned)strtoul(scale, NULL, 10) : 1;
	wrong = 0;
	for (unsigned seed = 1; seed <= seeds; seed++) {
		char text[100];
		snprintf(text, sizeof(text), "%s seed=%u", faults, seed);
		complete += run_session(text, &frames) == ASSAY_LAST;
	}
	printf("%-36s %3u of %u sessions complete, %u frames, %u wrong values\n", faults, complete,
		seeds, frames, wrong);
	return complete * 12 / seeds;
}

static void no_fault_of_the_line_makes_a_wrong_value(void **state)
{
	static const struct {
		const char *faults;
		unsigned least; /* complete sessions of twelve */
	} rows[] = {{"delay=40ms", 12}, {"delay=400ms", 12},
		{"delay=900ms", 0}, /* there and back longer than `timeout` */
		{"delay=3s", 0}, {"drop=0.002", 11}, {"drop=0.01", 10}, {"drop=0.05", 4},
		{"truncate=0.002", 11}, {"truncate=0.01", 10}, {"truncate=0.05", 5},
		{"rate=2000", 12}, {"rate=400 drop=0.01", 10},
		{"delay=300ms drop=0.01 truncate=0.01", 9}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(run_sessions(rows[i].faults) >= rows[i].least);
		assert_int_equal(wrong, 0);
	}
	(void)state;
}

/*
 * Without a checksum a digit that changed is another value: no frame is good, and masses are right.  The
 * other checks leave it in few frames.
 */
static void wrong_bits_leave_masses_and_flag(void **state)
{
	assert_true(run_sessions("corrupt=0.002") >= 9);
	run_sessions("corrupt=0.01");
	run_sessions("corrupt=0.05");
	(void)state;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	driver = faulty_line_driver(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_without_faults_has_all_frames),
		cmocka_unit_test(no_fault_of_the_line_makes_a_wrong_value),
		cmocka_unit_test(wrong_bits_leave_masses_and_flag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
