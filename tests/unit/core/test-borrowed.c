/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any sequence of runs, methods, `set`, reloads, changes by hand, lost workers and kills: the test
 * plays the worker and the instrument behind it, and checks each START against the values that the
 * request and the file name, and each change against the note on the disk.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/commit/commit.h"
#include "core/reload.h"
#include "peer.h"
#include "record/keys.h"
#include "roof.h"
#include "virtual-loop.h"
#include "wire/exit.h"

#define NAMES 2
#define STEPS 2
#define NONE  (-1.0)

static const char *const names[NAMES] = {"gain", "thermostat"};

/* Values by the index of `names`; NONE: not named. */
typedef double values[NAMES];

static const struct {
	const char *id;
	size_t steps;
	values step[STEPS];
} methods[] = {
	{"", 1, {{NONE, NONE}}},
	{"loud", 1, {{40, NONE}}},
	{"cold", 1, {{NONE, 210}}},
	{"two", 2, {{10, NONE}, {NONE, 220}}},
	{"plain", 1, {{NONE, NONE}}},
};
#define METHODS (sizeof methods / sizeof methods[0])

static struct roof roof;
static values device, original, file, set;
static values request;      /* as the file and `set` named them when the run was requested */
static size_t method, step; /* of the run under way */
static bool stays_open;     /* the next run */
static size_t hidden;       /* a value that the instrument does not report; NAMES: none */
static unsigned starts, changes;
static uint64_t seed;

static unsigned dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static struct instrument *x(void)
{
	return instrument_find(&roof.core.instruments, "x");
}

/* --- the configuration ----------------------------------------------------------------------- */

static char yaml[600];

static void write_file(void)
{
	static unsigned version;
	int at = snprintf(yaml, sizeof yaml,
		"  x:\n"
		"    driver: amptek-dp5\n"
		"    simulated: true\n"
		"    link: {type: serial, port: /dev/zero}\n"
		"    settings: {preset_time: %u s",
		10 + ++version);
	for (size_t i = 0; i < NAMES; i++) {
		if (file[i] != NONE)
			at += snprintf(yaml + at, sizeof yaml - (size_t)at, ", %s: %g%s", names[i],
				file[i], i == 1 ? " K" : "");
	}
	snprintf(yaml + at, sizeof yaml - (size_t)at, "}\n");
	roof.plan.instruments = yaml;
	roof_configure(&roof, "");
}

static const struct roof_plan plan = {
	.instruments = "  x:\n"
		       "    driver: amptek-dp5\n"
		       "    simulated: true\n"
		       "    link: {type: serial, port: /dev/zero}\n",
	.methods = "  loud: {version: 1, driver: amptek-dp5, settings: {gain: 40}}\n"
		   "  cold: {version: 1, driver: amptek-dp5, settings: {thermostat: 210 K}}\n"
		   "  plain: {version: 1, driver: amptek-dp5, settings: {preset_time: 1 s}}\n"
		   "  two:\n"
		   "    version: 1\n"
		   "    driver: amptek-dp5\n"
		   "    steps:\n"
		   "      - {name: a, settings: {gain: 10}}\n"
		   "      - {name: b, settings: {thermostat: 220 K}}\n",
	.start = peer_start,
};

/* --- the instrument behind its worker --------------------------------------------------------- */

static bool value_of(struct assay_span settings, size_t i, double *value)
{
	struct assay_span inner = keys_value(
		keys_value(settings, string_of(names[i])), string_of("v"));
	struct reader r;
	read_init(&r, inner.data, inner.len);
	return inner.len > 0 && read_double(&r, value) == 0;
}

/* Before a value is changed, the one that people left there is on the disk. */
static void check_note(size_t i)
{
	struct borrowed note = {0};
	struct borrowed_notes *notes = &roof.core.instruments.notes;
	double noted = NONE;
	assert_true(borrowed_is_saved(notes, "x"));
	borrowed_load(notes, "x", "amptek-dp5", "7", &note);
	value_of((struct assay_span){note.found.data, note.found.len}, i, &noted);
	if (noted != original[i])
		fail_msg("%s is changed, %g is noted, it was %g", names[i], noted, original[i]);
	borrowed_finish(&note);
}

static void apply(struct assay_span settings)
{
	for (size_t i = 0; i < NAMES; i++) {
		double value;
		if (!value_of(settings, i, &value) || value == device[i])
			continue;
		if (value != original[i])
			check_note(i);
		changes++;
		device[i] = value;
	}
}

static void put_values(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	for (size_t i = 0; i < NAMES; i++) {
		if (i == hidden)
			continue;
		map_key(&map, names[i]);
		encode_quantity(to, device[i], i == 1 ? "K" : "1");
	}
	map_close(&map);
}

static void check_run(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		double wanted = methods[method].step[step][i];
		wanted = wanted != NONE ? wanted : request[i];
		wanted = wanted != NONE ? wanted : original[i];
		if (device[i] != wanted)
			fail_msg("method '%s', step %zu: %s is %g, wanted %g", methods[method].id,
				step, names[i], device[i], wanted);
	}
	starts++;
}

static void answer(const struct wire_message *m, struct buffer *out)
{
	struct buffer back = {0};
	struct wire_go go;
	struct wire_start start;
	struct wire_identity id = {
		.make = string_of("Amptek"), .model = string_of("DP5"), .serial = string_of("7")};
	switch (m->type) {
	case WIRE_SETUP:
		wire_write_hello(out, "");
		wire_write_opened(out, NULL);
		wire_write_identity(out, 0, &id);
		break;
	case WIRE_GO:
	case WIRE_CONFIGURE:
		assert_int_equal(wire_read_go(m, &go), 0);
		if (!go.look)
			apply(go.settings);
		put_values(&back);
		wire_write_ready(out, 0, (struct assay_span){back.data, back.len});
		break;
	case WIRE_START:
		assert_int_equal(wire_read_start(m, &start), 0);
		apply(start.settings);
		check_run();
		put_values(&back);
		wire_write_started(out, 0,
			&(struct wire_started){.utc = clock_utc(),
				.mono = clock_boot(),
				.settings = {back.data, back.len}});
		if (++step < methods[method].steps || !stays_open)
			wire_write_ended(out, 0, WIRE_END_COMPLETE, "", "");
		break;
	case WIRE_STOP:
	case WIRE_ABORT: wire_write_ended(out, 0, WIRE_END_STOPPED, "", ""); break;
	default: break;
	}
	buffer_finish(&back);
}

static void run(uint64_t ns)
{
	assert_int_equal(virtual_loop_run_for(roof.core.loop, ns), 0);
}

/* Lets worker and core talk until nothing more comes. */
static void serve(void)
{
	for (int quiet = 0; quiet < 3; quiet++) {
		struct wire_message m;
		int pid = x() != NULL ? supervise_pid(x()->supervisor) : 0;
		while (pid != 0 && peer_next(peer_of(pid), &m)) {
			struct buffer out = {0};
			if (m.type == WIRE_QUIT) {
				peer_exit(peer_of(pid), roof.core.loop, false, WIRE_EXIT_CLEAN);
				quiet = 0;
				break;
			}
			answer(&m, &out);
			if (out.len > 0) {
				peer_send(peer_of(pid), &out);
				quiet = 0;
			}
			buffer_finish(&out);
			run(NS_PER_MS);
			if (x() == NULL || supervise_pid(x()->supervisor) != pid)
				break;
		}
		roof_commit(&roof);
		run(NS_PER_MS);
	}
}

/* With the present configuration: after a reload the worker of the former one still ends. */
static bool is_idle(void)
{
	return x() != NULL && x()->config == config_find(roof.core.config, "x") &&
	       x()->machine.state == MACHINE_IDLE;
}

static void wait_idle(void)
{
	for (int i = 0; i < 400 && !is_idle(); i++) {
		serve();
		run(100 * NS_PER_MS);
	}
	assert_true(is_idle());
}

/* --- acts ------------------------------------------------------------------------------------ */

static void start_method(size_t which, bool open)
{
	char text[WIRE_TEXT_MAX];
	struct run_request ask = {.mode = CONFIG_ON_DEMAND, .sample = "S-1"};
	method = which;
	step = 0;
	stays_open = open;
	for (size_t i = 0; i < NAMES; i++)
		request[i] = set[i] != NONE ? set[i] : file[i];
	if (methods[method].id[0] != '\0')
		ask.method = config_find_method(roof.core.config, methods[method].id);
	assert_int_equal(instrument_start(x(), &ask, text, sizeof text), 0);
}

static void start_run(bool open)
{
	start_method(dice(METHODS), open);
	if (dice(3) == 0) /* a kill may find the start anywhere */
		return;
	serve();
}

static void on_set(void *arg, int r, const char *text)
{
	assert_int_equal(r, 0);
}

static void change_by_set(void)
{
	struct buffer part = {0};
	char *why;
	char text[20];
	set[1] = 230 + dice(5);
	snprintf(text, sizeof text, "%g K", set[1]);
	assert_int_equal(config_parse_setting(x()->config->driver, names[1], text, &part, &why), 0);
	assert_int_equal(
		instrument_set(x(), (struct assay_span){part.data, part.len}, NULL, on_set, NULL),
		0);
	buffer_finish(&part);
}

static void on_reload(void *arg, int r, const char *text)
{
	if (r < 0)
		fail_msg("%s", text);
}

static void reload(void)
{
	set[0] = set[1] = NONE;
	file[0] = dice(2) ? NONE : 12 + dice(3);
	file[1] = dice(2) ? NONE : 240 + dice(3);
	write_file();
	core_reload(&roof.core, true, on_reload, NULL);
}

/* Anybody may turn a knob that nothing has borrowed. */
static void change_by_hand(void)
{
	size_t i = dice(NAMES);
	if (file[i] == NONE && set[i] == NONE)
		original[i] = device[i] = i == 0 ? 16 + dice(9) : 250 + dice(9);
}

static void lose_worker(void)
{
	int pid = supervise_pid(x()->supervisor);
	if (pid != 0)
		peer_exit(peer_of(pid), roof.core.loop, true, SIGKILL);
	run(NS_PER_MS);
}

static void act(void)
{
	switch (dice(8)) {
	case 0: change_by_set(); break;
	case 1: reload(); break;
	case 2: change_by_hand(); break;
	case 3:
		start_run(true);
		lose_worker();
		break;
	case 4:
		start_run(true);
		reload(); /* --now */
		break;
	default: start_run(false); break;
	}
	wait_idle();
}

static void begin(void)
{
	original[0] = device[0] = 16;
	original[1] = device[1] = 250;
	hidden = NAMES;
	for (size_t i = 0; i < NAMES; i++)
		file[i] = set[i] = NONE;
	roof_open_as(&roof, &plan);
}

static void end(void)
{
	roof.core.instruments.stopping = true;
	ports_stop_all(&roof.core.ports);
	struct instrument *instrument;
	list_for_each(instrument, &roof.core.instruments.list, link)
	{
		int pid = supervise_pid(instrument->supervisor);
		if (pid != 0)
			peer_exit(peer_of(pid), roof.core.loop, false, WIRE_EXIT_CLEAN);
	}
	run(NS_PER_MS);
	roof_commit(&roof);
	roof_close(&roof);
	peers_forget();
}

static void every_run_has_what_is_requested(unsigned seeds, unsigned acts)
{
	const char *only = getenv("ASSAY_TEST_SEED");
	unsigned all = 0;
	for (unsigned s = 1; s <= seeds; s++) {
		if (only != NULL && strtoul(only, NULL, 10) != s)
			continue;
		print_message("ASSAY_TEST_SEED=%u\n", s); /* the last one of a test that fails */
		seed = s;
		all += acts;
		begin();
		for (unsigned i = 0; i < acts; i++) {
			if (i == 0)
				wait_idle();
			act();
		}
		end();
	}
	print_message("%u acts, %u starts, %u changes\n", all, starts, changes);
	assert_true(only != NULL || (2 * starts > all && 3 * changes > all));
}

static void any_sequence_leaves_no_trace(void **state)
{
	const char *scale = getenv("ASSAY_TEST_SCALE");
	every_run_has_what_is_requested(
		20 * (scale != NULL ? (unsigned)strtoul(scale, NULL, 10) : 1), 30);
}

/* --- values that cannot be noted ------------------------------------------------------------- */

/* The method is not run, and changes nothing. */
static void expect_no_run(size_t which)
{
	unsigned before = starts, changed = changes;
	start_method(which, false);
	serve();
	wait_idle();
	assert_int_equal(starts, before);
	assert_int_equal(changes, changed);
}

static void expect_run(size_t which)
{
	unsigned before = starts;
	start_method(which, false);
	serve();
	wait_idle();
	assert_int_equal(starts, before + 1);
}

static void a_value_that_is_not_reported_is_not_borrowed(void **state)
{
	begin();
	hidden = 0;
	wait_idle();
	expect_no_run(1);
	expect_run(2); /* of a value that is reported */
	hidden = NAMES;
	lose_worker();
	wait_idle();
	expect_run(1);
	end();
}

/* The folder of notes cannot be made: a file is in its place, until it is removed. */
static void block_notes(char *path, size_t size)
{
	snprintf(path, size, "%s/borrowed", roof.core.config->journal_path);
	FILE *blocks = fopen(path, "w");
	assert_non_null(blocks);
	fclose(blocks);
}

static void end_killed(void)
{
	int pid = supervise_pid(x()->supervisor);
	if (pid != 0 && peer_of(pid)->signal == SIGKILL)
		lose_worker();
}

static void without_a_note_the_file_changes_nothing(void **state)
{
	char path[128];
	begin();
	wait_idle();
	block_notes(path, sizeof path);
	file[0] = 40;
	write_file();
	core_reload(&roof.core, true, on_reload, NULL);
	unsigned before = changes;
	for (int i = 0; i < 300; i++) {
		end_killed();
		serve();
		run(100 * NS_PER_MS);
	}
	assert_int_equal(changes, before);
	assert_int_equal(remove(path), 0);
	end_killed();
	wait_idle();
	assert_int_equal(changes, before + 1);
	expect_run(0);
	end();
}

static void without_a_note_nothing_is_changed(void **state)
{
	char path[128];
	begin();
	wait_idle();
	block_notes(path, sizeof path);
	expect_no_run(1);
	expect_no_run(1); /* nor the next one: the values are found, but not on the disk */
	assert_int_equal(remove(path), 0);
	expect_run(1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_that_is_not_reported_is_not_borrowed),
		cmocka_unit_test(without_a_note_nothing_is_changed),
		cmocka_unit_test(without_a_note_the_file_changes_nothing),
		cmocka_unit_test(any_sequence_leaves_no_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
