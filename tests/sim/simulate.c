/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate --seed N --hours H: the daemon in a laboratory, with everything that can happen to it.
 * Prints the seed and the command of a finding; exits 1 then.
 */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"
#include "journal/io.h"
#include "world.h"

#define NOTES_MAX  400
#define NOTE_BYTES 400
#define LOOK_EVERY (2 * S)
#define DISK_BYTES (UINT64_C(1) << 30)
#define TAKEN_IN   (5 * S)
#define LATE_S     40 /* to be ready, to end */

struct disk *the_disk;

static struct {
	uint64_t seed, until;
	bool verbose;
	char finding[600];
	char notes[NOTES_MAX][NOTE_BYTES]; /* the last ones */
	size_t note_count;

	uint64_t started_at, ready_at;                 /* 0: not */
	uint64_t ending_at;                            /* SIGTERM was sent; 0: it was not */
	uint64_t restarting_at;                        /* within the process; 0: it is not */
	uint64_t was_healthy_since, was_healthy_until; /* before it was killed */
	uint64_t trouble_until;                        /* of the disk */
	uint64_t trouble_event;                        /* its end */
	bool is_reloading;                             /* and the daemon is ready all the time */
	bool is_power;                                 /* the kill to come is a power cut */
	bool checked_runs;
	uint64_t head_at; /* the last heartbeat */
	struct {
		uint64_t lives, kills, powers, stops, reloads, steps, troubles;
	} count;
} sim;

/* --- findings -------------------------------------------------------------------------------- */

static void say(FILE *to, const char *text)
{
	fprintf(to, "%s", text);
}

void note(const char *format, ...)
{
	char *line = sim.notes[sim.note_count++ % NOTES_MAX];
	int n = snprintf(line, NOTE_BYTES, "%10.6f  ", (double)now_boot() / 1e9);
	va_list args;
	va_start(args, format);
	int m = vsnprintf(line + n, NOTE_BYTES - (size_t)n - 1, format, args);
	va_end(args);
	size_t len = strlen(line);
	if (m <= 0 || line[len - 1] != '\n')
		strcpy(line + (len < NOTE_BYTES - 2 ? len : NOTE_BYTES - 2), "\n");
	if (sim.verbose)
		say(stdout, line);
}

void wrong(const char *format, ...)
{
	if (sim.finding[0] != '\0')
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(sim.finding, sizeof sim.finding, format, args);
	va_end(args);
	note("WRONG: %s", sim.finding);
	schedule_stop();
}

static uint64_t well_since(void)
{
	bool is_well = sim.ready_at != 0 && sim.ending_at == 0 && sim.restarting_at == 0 &&
		       now_boot() >= sim.trouble_until;
	if (!is_well)
		return NEVER;
	return sim.ready_at > sim.trouble_until ? sim.ready_at : sim.trouble_until;
}

uint64_t ready_since(void)
{
	bool is_ready = system_is_running() && sim.ready_at != 0 && sim.ending_at == 0;
	return is_ready && sim.restarting_at == 0 ? sim.ready_at : NEVER;
}

uint64_t healthy_since(void)
{
	return system_is_running() ? well_since() : NEVER;
}

bool has_been_taken(uint64_t sent)
{
	uint64_t since = healthy_since(), until = now_boot();
	if (since == NEVER) {
		since = sim.was_healthy_since;
		until = sim.was_healthy_until;
	}
	return since + TAKEN_IN < until && sent + TAKEN_IN < until;
}

/* --- lives ----------------------------------------------------------------------------------- */

static void begin_life(void *arg)
{
	sim.count.lives++;
	sim.started_at = now_boot();
	sim.ready_at = sim.ending_at = sim.restarting_at = 0;
	sim.is_reloading = false;
	sim.checked_runs = false;
	site_mend();
	site_starts();
	note("the daemon starts");
	system_start();
}

static void life_over(enum life_end end)
{
	sim.ready_at = sim.ending_at = 0;
	clients_forget();
	truth_life_over(end);
	event_in(dice_time(10 * MS, 100 * S), begin_life, NULL);
}

static void trouble_over(void *arg)
{
	event_cancel(sim.trouble_event);
	sim.trouble_event = 0;
	disk_fail(the_disk, 0, 0, 0, 0);
	disk_set_capacity(the_disk, DISK_BYTES);
	system_set_sync_time(dice_time(100 * US, 40 * MS));
	system_stall(0);
	note("the disk is well");
}

static void killed(void)
{
	uint64_t since = well_since();
	sim.was_healthy_since = since;
	sim.was_healthy_until = since != NEVER ? now_boot() : 0;
	if (sim.is_power) {
		workers_lose_power();
		disk_crash(the_disk);
		system_reboot();
	} else {
		disk_kill(the_disk);
	}
	sim.trouble_until = 0;
	trouble_over(NULL);
	life_over(sim.is_power ? LIFE_POWER : LIFE_KILLED);
}

static void kill_now(void *arg)
{
	if (!system_is_running())
		return;
	system_kill();
	killed();
}

static void die(bool power)
{
	sim.is_power = power;
	sim.count.kills++;
	sim.count.powers += power;
	note("%s", power ? "the power is cut" : "the daemon is killed");
	if (dice_one_in(2))
		system_kill_at(dice_time(1, 60), killed);
	else
		kill_now(NULL);
}

static void on_ended(int code, size_t left)
{
	note("the daemon ends with %d", code);
	bool has_trouble = now_boot() < sim.trouble_until || site.is_wrong;
	bool is_refused = code == EX_CONFIG && site.is_wrong; /* it starts again by itself */
	if (sim.ending_at == 0 && !is_refused && !(code == 1 && has_trouble))
		wrong("the daemon ends by itself with %d", code);
	if (code == 0 && strcmp(truth_last_event(), "stop") != 0)
		wrong("the daemon ends with 0, and its last records are lost");
	if (code == 0 && left != 0)
		wrong("%zu pieces of memory are not freed at the end", left);
	disk_kill(the_disk);
	if (code == 0 && !has_trouble)
		truth_check_durable(true);
	sim.trouble_until = 0;
	trouble_over(NULL);
	life_over(LIFE_STOPPED);
}

static void on_notified(const char *state)
{
	bool is_ready = strncmp(state, "READY=1\nSTATUS", 14) == 0 && !sim.is_reloading;
	sim.is_reloading = strncmp(state, "RELOADING=1", 11) == 0;
	if (is_ready && sim.ready_at != 0) /* a new start within the process: replies are lost */
		clients_forget();
	if (is_ready) {
		sim.ready_at = now_boot();
		sim.restarting_at = 0;
	}
	note("notify: %s", state);
}

static void on_logged(const char *line, size_t len)
{
	note("%.*s", (int)len, line);
	if (memmem(line, len, "assayd: restarting", 18) != NULL) {
		sim.restarting_at = now_boot();
		sim.is_reloading = false;
		site_starts();
	}
}

/* --- events ---------------------------------------------------------------------------------- */

/* The disk is full, failing, slow or stalled for a while. */
static void trouble(void)
{
	uint64_t length = dice_time(S, 600 * S);
	sim.count.troubles++;
	sim.trouble_until = now_boot() + length + 3 * S;
	switch (dice(5)) {
	case 0:
		note("the disk is full");
		disk_set_capacity(the_disk, dice(3) << 20);
		break;
	case 1:
		note("the disk fails");
		disk_fail(the_disk, DISK_CHANGES, dice_time(1, 50), 1 + dice(3), 5);
		break;
	case 2:
		note("the disk fails for %llu s", (unsigned long long)(length / S));
		disk_fail(the_disk, dice_one_in(2) ? DISK_SYNC : DISK_CHANGES, dice_time(1, 20),
			NEVER, 5);
		break;
	case 3:
		length = dice_time(S, 40 * S);
		note("the disk stalls");
		system_stall(now_boot() + length);
		sim.trouble_until = now_boot() + length + 3 * S;
		break;
	default:
		note("the disk is slow");
		system_set_sync_time(dice_time(10 * MS, 2 * S));
		break;
	}
	event_cancel(sim.trouble_event);
	sim.trouble_event = event_in(length, trouble_over, NULL);
}

static void step_clock(void)
{
	int64_t by = (int64_t)dice_time(MS, 3 * HOUR);
	if (dice_one_in(2))
		by = -by;
	if (by < 0 && (uint64_t)-by > HOUR - 60 * S)
		truth_clock_back();
	sim.count.steps++;
	note("the clock is set by %.3f s", (double)by / 1e9);
	system_step_clock(by);
	progress_clock_set(by);
	system_sync_clock(!dice_one_in(3));
}

static void happen(void *arg)
{
	event_in(dice_time(30 * S, 2 * HOUR), happen, NULL);
	if (!system_is_running())
		return;
	switch (dice(10)) {
	case 0:
	case 1: die(false); break;
	case 2:
	case 3: die(true); break;
	case 4:
		sim.count.stops++;
		sim.ending_at = now_boot();
		note("SIGTERM");
		system_signal(SIGTERM);
		break;
	case 5:
		sim.count.reloads++;
		site_change(dice_one_in(4));
		note("SIGHUP");
		system_signal(SIGHUP);
		break;
	case 6: step_clock(); break;
	case 7: workers_set_faults(dice_one_in(3) ? 0 : dice_time(2, 50)); break;
	default: trouble(); break;
	}
}

/* --- looking --------------------------------------------------------------------------------- */

static void look(void *arg)
{
	event_in(LOOK_EVERY, look, NULL);
	if (!system_is_running())
		return;
	uint64_t now = now_boot(), since = healthy_since();
	bool trouble = now < sim.trouble_until;
	if (sim.ready_at == 0 && !trouble && now > sim.started_at + LATE_S * S)
		wrong("the daemon is not ready within %d s", LATE_S);
	if (sim.ending_at != 0 && !trouble && now > sim.ending_at + LATE_S * S)
		wrong("the daemon does not end within %d s", LATE_S);
	if (sim.restarting_at != 0 && !trouble && now > sim.restarting_at + LATE_S * S)
		wrong("the daemon does not start again within %d s", LATE_S);
	clients_look();
	if (since == NEVER)
		return;
	if (now > since + 3 * S && now > sim.head_at + 2 * S)
		wrong("there is no heartbeat");
	if (now > since + 20 * S && !sim.checked_runs) {
		truth_check_runs();
		if (dice_one_in(3))
			truth_inspect();
		sim.checked_runs = true;
	}
	progress_look();
	consumers_look();
	workers_look();
}

static void on_published(const char *topic, size_t topic_len, const uint8_t *data, size_t len)
{
	if (topic_len > 8 && memcmp(topic, "a1/head/", 8) == 0) {
		sim.head_at = now_boot();
		if (dice_one_in(8))
			truth_head(data, len);
	} else {
		truth_published(topic, topic_len, data, len);
	}
}

static void on_replied(uint32_t peer, const struct system_part *parts, size_t count)
{
	if (!consumer_replied(peer, parts, count))
		client_replied(peer, parts, count);
}

static const struct system_world world = {
	.worker_started = worker_started,
	.worker_stirred = worker_stirred,
	.worker_killed = worker_killed,
	.published = on_published,
	.replied = on_replied,
	.notified = on_notified,
	.logged = on_logged,
	.ended = on_ended,
};

/* --- the program ----------------------------------------------------------------------------- */

static void simulate(uint64_t seed, uint64_t ns)
{
	sim.seed = seed;
	sim.note_count = 0;
	sim.finding[0] = '\0';
	sim.trouble_until = sim.trouble_event = sim.head_at = 0;
	schedule_start(seed);
	site_open();
	the_disk = disk_create((uint32_t)dice64() | 1);
	disk_set_capacity(the_disk, DISK_BYTES);
	disk_io(the_disk)->mkdirat(the_disk, IO_CWD, SYSTEM_STATE);
	disk_io(the_disk)->fsync_dir(the_disk, IO_CWD);
	system_open(&world, the_disk, site.path, site.catalog, site.catalog_len);
	truth_open(site.always);
	workers_set_faults(dice_one_in(4) ? 0 : dice_time(2, 50));
	progress_open();
	clients_open();
	consumers_open();
	begin_life(NULL);
	event_in(LOOK_EVERY, look, NULL);
	event_in(dice_time(30 * S, HOUR), happen, NULL);
	const char *stuck = schedule_run(now_boot() + ns);
	if (stuck != NULL)
		wrong("%s", stuck);
	if (sim.finding[0] == '\0') {
		truth_recovered(truth_journal(), truth_head_seq(), true);
		truth_inspect();
	}
}

static void clean_up(void)
{
	system_close();
	workers_lose_power();
	truth_close();
	disk_destroy(the_disk);
	site_close();
	schedule_finish();
}

static int report(double hours)
{
	if (sim.finding[0] == '\0')
		return 0;
	for (size_t i = sim.note_count > NOTES_MAX ? sim.note_count - NOTES_MAX : 0;
		i < sim.note_count && !sim.verbose; i++)
		say(stdout, sim.notes[i % NOTES_MAX]);
	printf("\nseed %llu, after %.3f h: %s\nagain: simulate --seed %llu --hours %g\n",
		(unsigned long long)sim.seed, (double)now_boot() / 3600e9, sim.finding,
		(unsigned long long)sim.seed, hours);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 'n'}, {"hours", required_argument, NULL, 'h'},
		{"verbose", no_argument, NULL, 'v'}, {0}};
	uint64_t seed = 1, seeds = 1;
	double hours = 24, total = 0;
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 's': seed = strtoull(optarg, NULL, 10); break;
		case 'n': seeds = strtoull(optarg, NULL, 10); break;
		case 'h': hours = strtod(optarg, NULL); break;
		case 'v': sim.verbose = true; break;
		default: return 2;
		}
	}
	uint64_t entries = 0, turns = 0;
	clock_t began = clock();
	for (uint64_t i = 0; i < seeds; i++) {
		simulate(seed + i, (uint64_t)(hours * 3600e9));
		total += hours;
		entries += truth_entries();
		turns += schedule_turns();
		int r = report(hours);
		clean_up();
		if (r != 0)
			return r;
	}
	double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
	printf("%.0f h in %.1f s: %llu entries, %llu lives, %llu kills (%llu of the power), "
	       "%llu stops, %llu reloads, %llu steps of the clock, %llu troubles of the disk, "
	       "%llu turns\n",
		total, seconds, (unsigned long long)entries, (unsigned long long)sim.count.lives,
		(unsigned long long)sim.count.kills, (unsigned long long)sim.count.powers,
		(unsigned long long)sim.count.stops, (unsigned long long)sim.count.reloads,
		(unsigned long long)sim.count.steps, (unsigned long long)sim.count.troubles,
		(unsigned long long)turns);
	return 0;
}
