/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any sequence of runs, methods, `set`, reloads, changes by hand, stops, kills and restarts, for every
 * driver: the real core, the real unit of the worker with the driver's module, and a double of the
 * instrument.  Each run must have the settings that its own request and the file name, at the
 * instrument and in its record, and nothing else; no value changes at the instrument before the one
 * found is noted on the disk; and at rest nothing is left of a method.
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
#include "core/peer.h"
#include "core/reload.h"
#include "core/roof.h"
#include "kinds.h"
#include "record/keys.h"
#include "seat.h"
#include "virtual-loop.h"

#define METHODS 4
#define STEPS   2
#define ACTS    30
#define NONE    (-1)
#define ACT_MAX (600 * NS_PER_S) /* twice the time that wait_idle() allows */

/* Per knob the source of its value, or NONE. */
typedef int named[KNOBS];

struct drawn_method {
	char id[8];
	named whole, step[STEPS];
	size_t steps; /* 0: it has none of its own */
};

/* An act that comes while the driver waits. */
enum interruption { NOTHING, STOP, ABORT, SET, RELOAD, KILL, INTERRUPTIONS };

static const struct kind *kind;
static size_t knobs;
static struct module module;
static struct catalog catalog;
static struct catalog_driver row;
static struct roof roof;
static struct host *line;
static struct seat *seat;
static pid_t seat_pid;

static struct drawn_method methods[METHODS];
static named file, set, asked; /* asked: by the file and `set` when the run was requested */
static named request;
static const struct drawn_method *method; /* NULL: none */
static size_t step;
static char original[KNOBS][32], last[KNOBS][32];
static enum interruption interruption;
static unsigned countdown; /* waits */
static uint64_t stop_at;   /* of a run that does not end */
static uint64_t act_began;
static unsigned long starts, changes, kills, restarts;
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

/* --- the configuration ------------------------------------------------------------------------ */

static char *put(char *to, const char *end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static char *put(char *to, const char *end, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(to, (size_t)(end - to), format, args);
	va_end(args);
	assert_true(n >= 0 && n < end - to);
	return to + n;
}

static void draw(named to, unsigned one_in, enum source source)
{
	for (size_t i = 0; i < knobs; i++)
		to[i] = dice(one_in) == 0 ? (int)source : NONE;
}

static char *put_settings(char *to, const char *end, const named values)
{
	for (size_t i = 0, count = 0; i < knobs; i++) {
		if (values[i] != NONE)
			to = put(to, end, "%s%s: %s", count++ > 0 ? ", " : "", kind->knobs[i].name,
				kind->knobs[i].values[values[i]].text);
	}
	return to;
}

static void write_methods(void)
{
	static char text[4000];
	char *to = text, *end = text + sizeof text;
	for (size_t m = 0; m < METHODS; m++) {
		to = put(to, end, "  %s:\n    version: 1\n    driver: %s\n    settings: {",
			methods[m].id, kind->driver);
		to = put_settings(to, end, methods[m].whole);
		to = put(to, end, "}\n");
		for (size_t i = 0; i < methods[m].steps; i++) {
			to = put(to, end, "%s      - {name: s%zu, settings: {",
				i == 0 ? "    steps:\n" : "", i);
			to = put_settings(to, end, methods[m].step[i]);
			to = put(to, end, "}}\n");
		}
	}
	roof.plan.methods = text;
}

static void write_file(void)
{
	static char text[2000];
	static unsigned version;
	char *to = text, *end = text + sizeof text;
	to = put(to, end,
		"  x:\n    driver: %s\n    simulated: true\n    link: %s\n    acquire: {mode: "
		"on-demand}\n"
		"    setup: {comment: version %u}\n    settings: {",
		kind->driver, kind->link_text, ++version);
	to = put(to, end, "%s", kind->settings);
	to = put_settings(to, end, file);
	put(to, end, "}\n");
	roof.plan.instruments = text;
}

static void draw_file(void)
{
	draw(file, 2, IN_FILE);
	for (size_t i = 0; i < knobs; i++)
		file[i] = kind->knobs[i].in_file ? IN_FILE : file[i];
	write_file();
}

static void draw_methods(void)
{
	for (size_t m = 0; m < METHODS; m++) {
		snprintf(methods[m].id, sizeof methods[m].id, "m%zu", m);
		draw(methods[m].whole, 3, BY_METHOD);
		methods[m].steps = kind->ends ? dice(STEPS + 1) : 0;
		for (size_t i = 0; i < STEPS; i++)
			draw(methods[m].step[i], 3, BY_STEP);
	}
	write_methods();
}

/* --- the oracle ------------------------------------------------------------------------------- */

static int wanted(size_t knob)
{
	int sources[] = {method != NULL && method->steps > 0 ? method->step[step][knob] : NONE,
		method != NULL ? method->whole[knob] : NONE, request[knob], asked[knob]};
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		if (sources[i] != NONE)
			return sources[i];
	return NONE;
}

static void show(size_t knob, char text[32])
{
	kind->show(kind->knobs[knob].command, text);
}

/* A value of the record in the words of YAML. */
static bool is_recorded(struct assay_span value, const char *text)
{
	struct assay_span inner = keys_value(value, string_of("v"));
	struct reader r;
	struct assay_string word;
	double number;
	bool flag;
	value = inner.len > 0 ? inner : value;
	read_init(&r, value.data, value.len);
	switch (value.len > 0 ? read_peek(&r) : READ_NULL) {
	case READ_NULL: return false;
	case READ_BOOL: return read_bool(&r, &flag) == 0 && flag == (strcmp(text, "true") == 0);
	case READ_TEXT: return read_text(&r, &word) == 0 && assay_string_is(word, text);
	default: return read_double(&r, &number) == 0 && number == strtod(text, NULL);
	}
}

static void check_run(const struct wire_message *m)
{
	struct wire_started started;
	assert_int_equal(wire_read_started(m, &started), 0);
	for (size_t i = 0; i < knobs; i++) {
		const struct knob *knob = &kind->knobs[i];
		char is[32];
		int source = wanted(i);
		const char *right = source != NONE       ? knob->values[source].shown
				    : knob->none != NULL ? knob->none
							 : original[i];
		if (knob->command != NULL) {
			show(i, is);
			if (strcmp(is, right) != 0)
				fail_msg("%s, step %zu: %s=%s, wanted %s",
					method != NULL ? method->id : "no method", step, knob->name,
					is, right);
		}
		struct assay_span recorded = keys_value(started.settings, string_of(knob->name));
		if (source != NONE && !knob->is_whole &&
			!is_recorded(recorded, knob->values[source].text))
			fail_msg("%s is not recorded as %s", knob->name, knob->values[source].text);
	}
	starts++;
}

/* At rest: values that neither the file nor `set` names are as they were found. */
static void check_rest(void)
{
	for (size_t i = 0; i < knobs; i++) {
		const struct knob *knob = &kind->knobs[i];
		const char *right = knob->rest != NULL ? knob->rest : original[i];
		char is[32];
		bool is_free = knob->none != NULL || file[i] != NONE || set[i] != NONE;
		if (knob->command == NULL || (is_free && knob->rest == NULL))
			continue;
		show(i, is);
		if (strcmp(is, right) != 0)
			fail_msg("at rest %s=%s, wanted %s", knob->name, is, right);
	}
}

/* The double has got bytes: a value that changes for good has its note on the disk. */
static void on_sent(void *arg)
{
	for (size_t i = 0; i < knobs; i++) {
		const struct knob *knob = &kind->knobs[i];
		char is[32];
		if (knob->command == NULL || knob->none != NULL)
			continue;
		show(i, is);
		if (strcmp(is, last[i]) == 0)
			continue;
		snprintf(last[i], sizeof last[i], "%s", is);
		changes++;
		if (strcmp(is, original[i]) == 0)
			continue;
		struct borrowed note = {0};
		struct borrowed_notes disk;
		borrowed_notes_init(&disk, roof.core.instruments.notes.journal);
		borrowed_load(&disk, "x", kind->driver, x()->identity.serial, &note);
		borrowed_notes_finish(&disk);
		struct assay_span found = {note.found.data, note.found.len};
		if (keys_value(found, string_of(knob->name)).len == 0)
			fail_msg("%s became %s, and no note says that it was %s", knob->name, is,
				original[i]);
		borrowed_finish(&note);
	}
}

static void on_message(void *arg, const struct wire_message *m)
{
	struct wire_ended ended;
	if (m->type == WIRE_STARTED)
		check_run(m);
	if (m->type == WIRE_ENDED) {
		assert_int_equal(wire_read_ended(m, &ended), 0);
		if (ended.end == WIRE_END_FAILED)
			fail_msg("a run failed: %.*s", (int)ended.text.len, ended.text.data);
		step += ended.end == WIRE_END_COMPLETE;
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static void interrupt(void);

static void on_wait(void *arg)
{
	if (clock_boot() > act_began + ACT_MAX)
		fail_msg("the driver waits without end: state %u", x()->machine.state);
	if (kind->tick != NULL)
		kind->tick(line);
	if (countdown > 0 && --countdown == 0)
		interrupt();
	if (clock_boot() > stop_at && x() != NULL && x()->run != NULL) {
		stop_at = UINT64_MAX;
		instrument_stop(x(), false, NULL);
	}
}

static struct seat_world world = {.sent = on_sent, .message = on_message, .waits = on_wait};

static void run_for(uint64_t ns)
{
	assert_int_equal(virtual_loop_run_for(roof.core.loop, ns), 0);
}

static void leave_seat(void)
{
	seat_destroy(seat);
	seat = NULL;
	seat_pid = 0;
}

/* Lets core and worker do all that is due now. */
static void serve(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = x() != NULL ? supervise_pid(x()->supervisor) : 0;
		if (seat == NULL && pid != 0) {
			world.loop = roof.core.loop;
			seat_pid = pid;
			seat = seat_create(&world, pid);
		}
		if (seat != NULL && !seat_turn(seat))
			leave_seat();
		roof_commit(&roof);
		run_for(NS_PER_MS);
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
	for (int i = 0; i < 3000 && !is_idle(); i++) {
		serve();
		run_for(100 * NS_PER_MS);
	}
	if (!is_idle())
		fail_msg("it does not become idle: state %u, %s", x()->machine.state, x()->text);
}

/* --- acts ------------------------------------------------------------------------------------- */

static void on_set(void *arg, int r, const char *text)
{
	if (r < 0 && r != -EPROTO)
		fail_msg("set: %d %s", r, text);
}

/* The part {name: value} of one knob. */
static void parse(size_t knob, enum source source, struct buffer *part)
{
	char *why = NULL, text[64];
	const char *yaml = kind->knobs[knob].values[source].text;
	size_t quoted = yaml[0] == '"';
	snprintf(text, sizeof text, "%.*s", (int)(strlen(yaml) - 2 * quoted), yaml + quoted);
	if (config_parse_setting(&row, kind->knobs[knob].name, text, part, &why) < 0)
		fail_msg("%s", why);
}

static void change_by_set(void)
{
	struct buffer part = {0};
	size_t i = dice((unsigned)knobs);
	parse(i, BY_SET, &part);
	int r = instrument_set(x(), (struct assay_span){part.data, part.len}, NULL, on_set, NULL);
	if (r == 0)
		set[i] = BY_SET;
	else
		assert_int_equal(r, -EBUSY);
	buffer_finish(&part);
}

static void forget_set(void)
{
	for (size_t i = 0; i < knobs; i++)
		set[i] = NONE;
}

static void on_reload(void *arg, int r, const char *text)
{
	if (r < 0)
		fail_msg("%s", text);
}

static void reload(void)
{
	draw_file();
	roof_configure(&roof, "");
	core_reload(&roof.core, true, on_reload, NULL);
	forget_set();
}

/* Anybody may turn a knob that nothing has borrowed. */
static void change_by_hand(void)
{
	size_t i = dice((unsigned)knobs);
	for (size_t k = 0; k < knobs; k++)
		if (kind->knobs[k].is_whole && (file[k] != NONE || set[k] != NONE))
			return;
	if (kind->knobs[i].hand[0] == NULL || file[i] != NONE || set[i] != NONE)
		return;
	snprintf(original[i], sizeof original[i], "%s", kind->knobs[i].hand[dice(2)]);
	memcpy(last[i], original[i], sizeof last[i]);
	kind->turn(kind->knobs[i].command, original[i]);
}

static void interrupt(void)
{
	switch (interruption) {
	case STOP:
	case ABORT: instrument_stop(x(), interruption == ABORT, NULL); break;
	case SET: change_by_set(); break;
	case RELOAD: reload(); break;
	case KILL:
		kills++;
		seat_kill(seat);
		break;
	default: break;
	}
}

static void start_run(void)
{
	char text[WIRE_TEXT_MAX] = "";
	struct run_request ask = {.mode = CONFIG_ON_DEMAND, .sample = "S-1"};
	unsigned m = dice(METHODS + 1);
	method = m < METHODS ? &methods[m] : NULL;
	step = 0;
	stop_at = kind->ends ? UINT64_MAX : clock_boot() + 5 * NS_PER_S;
	for (size_t i = 0; i < knobs; i++) {
		asked[i] = set[i] != NONE ? set[i] : file[i];
		request[i] = NONE;
	}
	if (method != NULL)
		ask.method = config_find_method(roof.core.config, method->id);
	if (dice(3) == 0) { /* as `run repeat` does */
		size_t i = dice((unsigned)knobs);
		request[i] = BY_REQUEST;
		parse(i, BY_REQUEST, &ask.settings);
	}
	if (instrument_start(x(), &ask, text, sizeof text) < 0)
		fail_msg("start: %s", text);
}

static void restart(void)
{
	bool is_clean = dice(2) == 0;
	restarts++;
	roof.core.instruments.stopping = true;
	if (is_clean) {
		ports_stop_all(&roof.core.ports);
		for (int i = 0; i < 300 && seat != NULL; i++)
			serve();
		assert_null(seat);
	} else if (seat != NULL) {
		if (dice(2) == 0)
			seat_orphan(seat); /* the core crashed; else the machine lost its power */
		peer_exit(peer_of(seat_pid), roof.core.loop, true, SIGKILL);
		leave_seat();
	}
	roof_commit(&roof);
	roof_restart(&roof);
	peers_forget();
	forget_set();
}

static void act(void)
{
	unsigned what = dice(10);
	act_began = clock_boot();
	interruption = NOTHING;
	countdown = 0;
	switch (what) {
	case 0: change_by_set(); break;
	case 1: reload(); break;
	case 2: change_by_hand(); break;
	case 3: restart(); break;
	case 4: /* the power fails in a run */
		start_run();
		for (unsigned i = dice(5); i > 0; i--)
			serve();
		restart();
		break;
	case 5: /* killed at one of the driver's requests */
		if (seat != NULL)
			seat_kill_at(seat, 1 + dice(20), dice(2) == 0);
		start_run();
		break;
	case 6:
	case 7:
		interruption = 1 + dice(INTERRUPTIONS - 1);
		countdown = 1 + dice(60);
		start_run();
		break;
	default: start_run(); break;
	}
	wait_idle();
	if (seat != NULL)
		seat_kill_at(seat, 0, false);
	check_rest();
}

/* --- seeds ------------------------------------------------------------------------------------ */

static void begin(uint64_t first)
{
	struct roof_plan plan = {.catalog = &catalog, .notes_hazards = true, .start = peer_start};
	seed = first;
	line = host_create(module.driver, kind->link);
	kind->attach(line);
	world.driver = module.driver;
	world.line = line;
	world.link = kind->link;
	for (knobs = 0; kind->knobs[knobs].name != NULL; knobs++)
		;
	for (size_t i = 0; i < knobs; i++) {
		show(i, original[i]);
		memcpy(last[i], original[i], sizeof last[i]);
	}
	forget_set();
	roof.plan = plan;
	draw_file();
	draw_methods();
	plan.instruments = roof.plan.instruments;
	plan.methods = roof.plan.methods;
	roof_open_as(&roof, &plan);
	act_began = clock_boot();
}

static void end(void)
{
	roof.core.instruments.stopping = true;
	ports_stop_all(&roof.core.ports);
	for (int i = 0; i < 300 && seat != NULL; i++)
		serve();
	check_rest();
	roof_close(&roof);
	peers_forget();
	host_destroy(line);
}

static void load(const char *driver)
{
	char why[MODULE_WHY];
	if (module_open(&module, getenv("ASSAY_TEST_DRIVERS"), driver, why) < 0)
		fail_msg("%s", why);
	const struct assay_driver *d = module.driver;
	row = (struct catalog_driver){.name = d->name,
		.version = d->version,
		.summary = d->summary,
		.technique = d->technique != NULL ? d->technique : "xrf",
		.make = d->make,
		.links = d->links,
		.link_defaults = d->link_defaults,
		.settings = d->settings,
		.has_make_safe = d->make_safe != NULL};
	catalog = (struct catalog){.drivers = &row, .count = 1};
}

static void every_run_has_the_requested_values(void **state)
{
	const char *scale = getenv("ASSAY_TEST_SCALE"), *only = getenv("ASSAY_TEST_SEED");
	unsigned seeds = 12 * (scale != NULL ? (unsigned)strtoul(scale, NULL, 10) : 1);
	static bool is_left_open; /* by a driver that failed */
	if (is_left_open)
		skip();
	is_left_open = true;
	kind = *state;
	load(kind->driver);
	starts = changes = kills = restarts = 0;
	for (unsigned s = 1; s <= seeds; s++) {
		if (only != NULL && strtoul(only, NULL, 10) != s)
			continue;
		print_message("ASSAY_TEST_SEED=%u\n", s); /* the last one of a test that fails */
		begin(s);
		for (unsigned i = 0; i < ACTS; i++) {
			if (i == 0)
				wait_idle();
			act();
		}
		end();
	}
	print_message("%s: %u seeds, %lu starts, %lu changes, %lu kills, %lu restarts\n",
		kind->driver, seeds, starts, changes, kills, restarts);
	module_close(&module);
	is_left_open = false;
}

/* Arguments: drivers; none: all. */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[8] = {0};
	size_t count = 0;
	for (size_t i = 0; i < kind_count; i++) {
		bool is_wanted = argc == 1;
		for (int k = 1; k < argc; k++)
			is_wanted = is_wanted || strcmp(argv[k], kinds[i].driver) == 0;
		if (is_wanted)
			tests[count++] = (struct CMUnitTest){.name = kinds[i].driver,
				.test_func = every_run_has_the_requested_values,
				.initial_state = (void *)(uintptr_t)&kinds[i]};
	}
	return _cmocka_run_group_tests("sequences", tests, count, NULL, NULL);
}
