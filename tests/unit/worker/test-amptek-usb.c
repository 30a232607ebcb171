/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spectrometer from its bus to the core: the worker, libusb and the driver are the real ones, and
 * the simulator's model answers the transfers on usbfs.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <assay/driver.h>
#include <assay/record.h>

#include "base/clock.h"
#include "core.h"
#include "amptek/dpp.h"
#include "record/check.h"
#include "record/read.h"
#include "usbfs.h"

#define CHANNELS 1024
#define PLENTY   (UINT64_C(1) << 40)

#define text_is(t, s) assert_true((t).len == strlen(s) && memcmp((t).data, s, (t).len) == 0)

/* The instrument, on a thread of its own until bench_stop(). */
struct bench {
	struct sim_random random;
	struct sim_model *model;
	uint64_t switched_on;
	FILE *truth;
	char *lines; /* what it logged, whole after bench_stop() */
	size_t lines_len;
	pthread_t thread;
	bool is_running;
	atomic_bool stop;
	atomic_uint requests;
};

static struct port port;
static struct bench bench;
static struct core core;
static struct settings_bytes settings;

/* --- the instrument --------------------------------------------------------------------------- */

static void emit(void *context, const uint8_t *data, size_t len)
{
	usbfs_say(data, len);
}

static void *play(void *context)
{
	static uint8_t request[USBFS_MESSAGE_MAX];
	uint64_t due = 0;
	while (!atomic_load(&bench.stop)) {
		size_t n = usbfs_hear(request, sizeof request);
		uint64_t now = clock_boot() - bench.switched_on;
		if (n > 0)
			sim_model_input(bench.model, request, n, now);
		else if (now >= due)
			sim_model_tick(bench.model, now);
		if (n > 0 || now >= due)
			due = sim_model_next_wakeup(bench.model, now);
		else
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		atomic_fetch_add(&bench.requests, n > 0);
	}
	return NULL;
}

static void bench_start(void)
{
	bench = (struct bench){.switched_on = clock_boot()};
	random_init(&bench.random, 7);
	bench.truth = open_memstream(&bench.lines, &bench.lines_len);
	assert_non_null(bench.truth);
	struct sim_env env = {.emit = emit,
		.truth = bench.truth,
		.random = &bench.random,
		.transport = SIM_USB,
		.speed = 1};
	assert_int_equal(sim_model_create(&amptek_model, NULL, &env, &bench.model), 0);
	assert_int_equal(pthread_create(&bench.thread, NULL, play, NULL), 0);
	bench.is_running = true;
}

static void bench_stop(void)
{
	if (!bench.is_running)
		return;
	atomic_store(&bench.stop, true);
	pthread_join(bench.thread, NULL);
	sim_model_destroy(bench.model);
	fclose(bench.truth);
	bench.is_running = false;
}

static void await_requests(unsigned more)
{
	uint64_t limit = now_ms() + CORE_WAIT_MS;
	unsigned until = atomic_load(&bench.requests) + more;
	while (atomic_load(&bench.requests) < until) {
		if (now_ms() > limit)
			fail_msg("the driver asks for nothing any more");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

/* --- log lines -------------------------------------------------------------------------------- */

/* The only spectrum that it sent. */
static const char *true_spectrum(void)
{
	static const char event[] = "\"event\":\"spectrum\"";
	const char *line = strstr(bench.lines, event);
	assert_non_null(line);
	assert_null(strstr(line + 1, event));
	return line;
}

static const char *true_member(const char *name)
{
	const char *at = strstr(true_spectrum(), name);
	assert_non_null(at);
	return at + strlen(name);
}

static uint64_t true_number(const char *name)
{
	return strtoull(true_member(name), NULL, 10);
}

static void true_counts(uint32_t counts[CHANNELS])
{
	const char *at = true_member("\"counts\":[");
	for (size_t i = 0; i < CHANNELS; i++) {
		char *end;
		counts[i] = (uint32_t)strtoul(at, &end, 10);
		assert_int_equal(*end, i + 1 < CHANNELS ? ',' : ']');
		at = end + 1;
	}
}

/* --- messages to the core --------------------------------------------------------------------- */

/* Borrows from the frame's message. */
static struct assay_frame_view view_of(const struct wire_frame *frame)
{
	struct assay_frame_view view = {0};
	struct assay_string key;
	struct reader r;
	read_init_pairs(&r, frame->part.data, frame->part.len, frame->pairs);
	for (unsigned i = 0; i < frame->pairs && read_key(&r, &key) == 0; i++) {
		struct reader array = r;
		struct assay_span value;
		assert_int_equal(read_raw(&r, &value), 0);
		if (!assay_string_is(key, "vars"))
			continue;
		assert_int_equal(read_array(&array, &view.vars_count), 0);
		view.vars = value;
	}
	assert_non_null(view.vars.data);
	assay_frame_rewind(&view);
	return view;
}

static struct assay_var_view variable(const struct assay_frame_view *view, const char *name)
{
	struct assay_var_view var;
	if (assay_frame_find(view, name, &var) < 0)
		fail_msg("the frame has no %s", name);
	return var;
}

static struct wire_frame read_frame(const struct wire_message *m)
{
	struct wire_frame frame;
	struct schema_error error;
	assert_int_equal(wire_read_frame(m, &frame), 0);
	if (check_frame_part(frame.part.data, frame.part.len, frame.pairs, 0, &error) < 0)
		fail_msg("%s: %s", error.path, error.text);
	return frame;
}

/* The counts add up to the total that the instrument reports, on the calibrated axis. */
static void check_spectrum(const struct assay_frame_view *view, uint32_t counts[CHANNELS])
{
	struct assay_var_view data = variable(view, "counts"), energy = variable(view, "energy");
	uint64_t sum = 0;
	assert_int_equal(data.element, ASSAY_ELEMENT_U32);
	assert_int_equal(data.count, CHANNELS);
	text_is(data.dims[0], "energy");
	memcpy(counts, data.data.data, CHANNELS * sizeof *counts);
	for (size_t i = 0; i < CHANNELS; i++)
		sum += counts[i];
	assert_true(sum > 0);
	assert_int_equal(sum, variable(view, "slow_count").i);
	assert_int_equal(energy.form, ASSAY_FORM_LINEAR);
	assert_int_equal(energy.count, CHANNELS);
	assert_true(energy.start == -0.02 && energy.step == 0.04);
	text_is(energy.unit, "keV");
}

/* --- the conversation ------------------------------------------------------------------------- */

static void bring_up(double preset_s)
{
	settings_add_int(&settings, "channels", CHANNELS);
	settings_add_number(&settings, "preset_time", preset_s, "s");
	settings_add_number(&settings, "poll", 0.25, "s");
	settings_add_number(&settings, "stall_time", 60, "s");
	settings_add_number(&settings, "temperature_tolerance", 5, "K");
	settings_add_number(&settings, "bias_tolerance", 10, "V");
	settings_add_number(&settings, "energy_zero", -0.02, "keV");
	settings_add_number(&settings, "energy_gain", 0.04, "keV");
	struct unit unit = unit_with("xrf-1", "amptek-dp5", &settings);
	core_start(&core, &port, &unit, 1);
	struct wire_identity id = core_identify(&core);
	text_is(id.make, "Amptek");
	text_is(id.model, "DP5");
	text_is(id.serial, "9990001");
	assert_false(id.declared);
	wire_write_go(&core.out, 0, &(struct wire_go){.safe = false});
	wire_write_credit(&core.out, PLENTY);
	core_send(&core);
	core_expect(&core, WIRE_READY, 0);
	core_run(&core, 0, &(struct wire_start){.mode = WIRE_ONCE});
}

static void a_spectrum_arrives_as_it_was_counted(void **state)
{
	uint32_t counts[CHANNELS], truth[CHANNELS];
	bring_up(0.5);
	struct wire_message m = core_await(&core, WIRE_FRAME, 0);
	struct wire_frame frame = read_frame(&m);
	assert_int_equal(frame.quality, ASSAY_GOOD);
	assert_int_equal(frame.retries, 0);
	struct assay_frame_view view = view_of(&frame);
	check_spectrum(&view, counts);
	double seconds = variable(&view, "accumulation_time").f;
	m = core_expect(&core, WIRE_ENDED, 0);
	struct wire_ended ended;
	assert_int_equal(wire_read_ended(&m, &ended), 0);
	assert_int_equal(ended.end, WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);

	bench_stop();
	true_counts(truth);
	assert_memory_equal(counts, truth, sizeof counts);
	assert_true(seconds == (double)true_number("\"accumulation_ms\":") / 1000);
	assert_true(seconds >= 0.5);
}

static void an_unplugged_instrument_ends_its_worker(void **state)
{
	bring_up(60);
	await_requests(2); /* it counts, and is asked how far it is */
	usbfs_leave();
	struct wire_message m = core_await(&core, WIRE_ENDED, 0);
	struct wire_ended ended;
	assert_int_equal(wire_read_ended(&m, &ended), 0);
	assert_int_equal(ended.end, WIRE_END_FAILED);
	text_is(ended.code, "ENODEV");
	m = core_await(&core, WIRE_STATE, WIRE_PORT);
	struct wire_state said;
	assert_int_equal(wire_read_state(&m, &said), 0);
	text_is(said.state, "fault");
	text_is(said.code, "ENODEV");
	assert_int_equal(core_wait(&core), WIRE_EXIT_LOST);
}

/* ---------------------------------------------------------------------------------------------- */

static int before(void **state)
{
	core = (struct core){.fd = -1};
	settings = (struct settings_bytes){0};
	port = (struct port){0};
	usbfs_make(&port);
	bench_start();
	return 0;
}

/* After a failure the worker must leave by itself: killed amid an ioctl it takes umockdev along. */
static int after(void **state)
{
	usbfs_leave();
	if (core.pid > 0)
		core_wait(&core);
	core_finish(&core);
	buffer_finish(&settings.bytes);
	bench_stop();
	free(bench.lines);
	usbfs_drop();
	return 0;
}

#define T(test) cmocka_unit_test_setup_teardown(test, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_spectrum_arrives_as_it_was_counted),
		T(an_unplugged_instrument_ends_its_worker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
