/* SPDX-License-Identifier: Apache-2.0 */
/* The driver and its simulator on a line with faults: no frame that is not bad has a wrong value. */
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

extern const struct sim_model_ops rga_model;

#define SEEDS  12
#define POINTS 20

static const struct assay_driver *driver;
static unsigned wrong, bad; /* frames */

/* Whether the frame has the counts of one scan of the truth, "counts":[-12,3, ...]. */
static bool is_measured(struct faulty_line *line)
{
	const struct assay_variable *v = host_find(line->h, "ion_current");
	for (const char *at = faulty_line_truth(line); (at = strstr(at, "\"counts\":[")) != NULL;) {
		size_t same = 0;
		at = strchr(at, '[') + 1;
		for (char *end; same < v->count; same++, at = end + 1)
			if (strtol(at, &end, 10) != lround(host_element(v, same) * 1e16))
				break;
		if (same == v->count)
			return true;
	}
	return false;
}

static void compare_frame(struct faulty_line *line)
{
	assert_int_equal(host_find(line->h, "mz")->count, POINTS);
	assert_true(line->h->frame.flag >= ASSAY_UNCHECKED);
	bool is_bad = line->h->frame.flag == ASSAY_BAD;
	bad += is_bad;
	wrong += !is_bad && !is_measured(line);
}

/* One session; at its end the filament is off, or the driver reports it as on. */
static bool run_session(const char *faults)
{
	static const char *const options[] = {NULL};
	struct faulty_line line;
	struct host *h = host_create(driver, ASSAY_LINK_SERIAL);
	char reply[100];
	host_set(h, "mode", "histogram");
	host_set(h, "mass_last", "20");
	host_set(h, "noise_floor", "7");
	host_set(h, "emission_current", "1");
	host_set(h, "scans", "3");
	faulty_line_start(&line, h, &rga_model, options, faults);
	int r = faulty_line_run(&line, 3, compare_frame);
	/* Half a command may wait in the head. */
	faulty_line_ask(&line, "\r", reply, sizeof(reply));
	faulty_line_ask(&line, "FL?\r", reply, sizeof(reply));
	if (!h->hazard && !(strtod(reply, NULL) < 0.02)) {
		fprintf(stderr, "%s: the filament is at %s\n", faults, reply);
		fail();
	}
	faulty_line_stop(&line);
	host_destroy(h);
	return r == ASSAY_LAST;
}

static unsigned run_sessions(const char *faults)
{
	unsigned complete = 0, seeds = SEEDS;
	const char *scale = getenv("ASSAY_TEST_SCALE");
	seeds *= scale != NULL ? (unsigned)strtoul(scale, NULL, 10) : 1;
	wrong = bad = 0;
	for (unsigned seed = 1; seed <= seeds; seed++) {
		char text[100];
		snprintf(text, sizeof(text), "%s seed=%u", faults, seed);
		complete += run_session(text);
	}
	printf("%-36s %3u of %u sessions complete, %u frames bad, %u wrong\n", faults, complete,
		seeds, bad, wrong);
	return complete * 12 / seeds;
}

static void no_loss_makes_a_wrong_value(void **state)
{
	static const struct {
		const char *faults;
		unsigned least; /* complete sessions of twelve */
	} rows[] = {{"delay=1ms", 12}, {"delay=40ms", 12}, {"delay=400ms", 12}, {"drop=0.002", 11},
		{"drop=0.01", 9}, {"drop=0.05", 6}, {"truncate=0.002", 11}, {"truncate=0.01", 10},
		{"rate=300", 12}, {"delay=300ms drop=0.01 truncate=0.01", 9}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(run_sessions(rows[i].faults) >= rows[i].least);
		assert_int_equal(wrong, 0);
	}
	(void)state;
}

/* Without a checksum a wrong bit is another value: no frame is good. */
static void wrong_bits_leave_the_flag(void **state)
{
	run_sessions("corrupt=0.002");
	run_sessions("corrupt=0.01");
	(void)state;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_loss_makes_a_wrong_value),
		cmocka_unit_test(wrong_bits_leave_the_flag),
	};
	if (argc != 2)
		return 2;
	driver = faulty_line_driver(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
