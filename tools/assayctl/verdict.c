/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "verdict.h"

#define CONNECT_NS (60 * NS_PER_S) /* longer than this, connecting is a problem */
#define DAY_NS     (24 * 3600 * NS_PER_S)
#define SOON_DAYS  30

/* --- the reply ------------------------------------------------------------------------------- */

static const struct keys run_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct open_run, number),
		ROW_TEXT(struct open_run, sample), ROW_UINT(struct open_run, start),
		{"operator", KEY_OTHER, KEY_AT(struct open_run, person), .read = print_read_value},
		ROW_UINT(struct open_run, frames), {0}},
	.open = true};

#define TEXT(member) ROW_TEXT(struct shown_instrument, member)
#define UINT(member) ROW_UINT(struct shown_instrument, member)
#define BOOL(member) ROW_BOOL(struct shown_instrument, member)

const struct keys shown_instrument_keys = {
	.rows = (const struct key[]){TEXT(key), TEXT(state), TEXT(driver), TEXT(make), TEXT(model),
		TEXT(serial), TEXT(fw), TEXT(code), TEXT(text), TEXT(values), TEXT(interrupted),
		TEXT(link), TEXT(address), TEXT(lacking), UINT(frames), UINT(since),
		UINT(last_frame), BOOL(simulated), BOOL(hazard), BOOL(changed),
		ROW_MAP(struct shown_instrument, run, run_keys), {0}},
	.open = true};

static const struct keys retention_keys = {
	.rows = (const struct key[]){ROW_UINT(struct shown_retention, not_archived),
		ROW_UINT(struct shown_retention, not_passed),
		ROW_TEXT(struct shown_retention, held_by), {0}},
	.open = true};

static const struct keys journal_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct shown_journal, path),
		ROW_TEXT(struct shown_journal, disk), ROW_TEXT(struct shown_journal, why),
		ROW_TEXT(struct shown_journal, error), ROW_UINT(struct shown_journal, head),
		ROW_UINT(struct shown_journal, free),
		ROW_MAP(struct shown_journal, retention, retention_keys), {0}},
	.open = true};

static const struct keys queue_keys = {
	.rows = (const struct key[]){ROW_UINT(struct shown_queue, bytes),
		ROW_BOOL(struct shown_queue, full), {0}},
	.open = true};

static const struct keys clock_keys = {
	.rows = (const struct key[]){ROW_UINT(struct shown_clock, utc),
		ROW_TEXT(struct shown_clock, sync), ROW_BOOL(struct shown_clock, unread), {0}},
	.open = true};

const struct keys shown_daemon_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct shown_daemon, version),
		ROW_TEXT(struct shown_daemon, site), ROW_TEXT(struct shown_daemon, node),
		ROW_TEXT(struct shown_daemon, config_errors),
		ROW_UINT(struct shown_daemon, started),
		ROW_MAP(struct shown_daemon, journal, journal_keys),
		ROW_MAP(struct shown_daemon, live_queue, queue_keys),
		ROW_MAP(struct shown_daemon, clock, clock_keys), {0}},
	.open = true};

const struct keys shown_calibration_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct shown_calibration, instrument),
		ROW_TEXT(struct shown_calibration, method),
		ROW_TEXT(struct shown_calibration, step), ROW_TEXT(struct shown_calibration, id),
		ROW_UINT(struct shown_calibration, until), {0}},
	.open = true};

/* --- findings -------------------------------------------------------------------------------- */

struct verdict_item *verdict_add(struct verdict *to, bool is_problem, const char *format, ...)
{
	if (to->items == NULL)
		to->items = calloc(VERDICT_MAX, sizeof *to->items);
	to->problems += is_problem;
	if (to->items == NULL || to->count == VERDICT_MAX)
		return NULL;
	struct verdict_item *one = &to->items[to->count++];
	va_list args;
	one->is_problem = is_problem;
	va_start(args, format);
	vsnprintf(one->text, sizeof one->text, format, args);
	va_end(args);
	text_make_printable(one->text);
	return one;
}

void verdict_remedy(struct verdict_item *one, const char *format, ...)
{
	va_list args;
	if (one == NULL)
		return;
	va_start(args, format);
	vsnprintf(one->remedy, sizeof one->remedy, format, args);
	va_end(args);
	text_make_printable(one->remedy);
}

void verdict_print(const struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->count; i++) {
		const struct verdict_item *one = &verdict->items[i];
		printf("%s %s\n", one->is_problem ? "!" : "-", one->text);
		if (one->remedy[0] != '\0')
			printf("    do: %s\n", one->remedy);
	}
}

static int before(const void *a, const void *b)
{
	const struct verdict_item *left = a, *right = b;
	if (left->is_problem != right->is_problem)
		return left->is_problem ? -1 : 1;
	return strcmp(left->text, right->text);
}

void verdict_sort(struct verdict *verdict)
{
	if (verdict->count > 0)
		qsort(verdict->items, verdict->count, sizeof *verdict->items, before);
}

void verdict_finish(struct verdict *verdict)
{
	free(verdict->items);
}

/* --- the daemon ------------------------------------------------------------------------------ */

static const struct {
	const char *level, *text, *remedy;
} disks[] = {
	{"low", "DISK NEARLY FULL: no run starts",
		"free space on this disk (df -h), but never delete files of the journal"},
	{"full", "DISK NEARLY FULL: open runs were stopped",
		"free space on this disk (df -h), but never delete files of the journal"},
	{"failed", "the disk FAILED: open runs were stopped",
		"look at the disk (dmesg); nothing is lost while the daemon runs"},
};

static void judge_journal(struct verdict *to, const struct shown_journal *j)
{
	for (size_t i = 0; i < sizeof disks / sizeof *disks; i++) {
		if (strcmp(j->disk, disks[i].level) == 0)
			verdict_remedy(verdict_add(to, true, "journal: %s, %.1f GiB free",
					       disks[i].text, (double)j->free / 0x1p30),
				"%s", disks[i].remedy);
	}
	if (j->error[0] != '\0')
		verdict_remedy(verdict_add(to, true, "journal: CANNOT COMMIT: %s", j->error),
			"assayctl doctor; nothing is lost while the daemon runs");
	if (j->why[0] != '\0')
		verdict_remedy(verdict_add(to, strcmp(j->why, "there was none") != 0,
				       "new journal: %s", j->why),
			"is its disk mounted? findmnt -T %s; the older ones: assayctl journal info",
			j->path);
	if (j->retention.not_archived > 0)
		verdict_remedy(verdict_add(to, false, "retention: %.1f MiB wait to be archived",
				       (double)j->retention.not_archived / 0x1p20),
			"assayctl archive --until DATE --to DIR");
	if (j->retention.not_passed > 0)
		verdict_remedy(
			verdict_add(to, false, "retention: %.1f MiB are held by %s%s",
				(double)j->retention.not_passed / 0x1p20,
				j->retention.held_by[0] != '\0' ? "the cursor " : "an open run",
				j->retention.held_by),
			j->retention.held_by[0] != '\0'
				? "is its program running? If it is gone: assayctl cursor forget %s"
				: "end the run%s",
			j->retention.held_by);
}

void verdict_daemon(struct verdict *to, const struct shown_daemon *d)
{
	judge_journal(to, &d->journal);
	if (d->config_errors[0] != '\0')
		verdict_remedy(
			verdict_add(to, true,
				"THE CONFIGURATION IS WRONG, the last good one is in force: %s",
				d->config_errors),
			"assayctl check, then correct the file: assayctl edit");
	if (d->live_queue.full)
		verdict_remedy(
			verdict_add(to, false,
				"live socket: %.0f MiB wait for subscribers that read too slowly; "
				"large entries are left out there, and are served by replay",
				(double)d->live_queue.bytes / 0x1p20),
			"stop the program that subscribes and does not read");
	if (d->clock.unread)
		verdict_remedy(verdict_add(to, false,
				       "clock: it is not known whether it is synchronised, "
				       "assay-clock does not run"),
			"sudo systemctl restart assayd-clock");
	else if (d->clock.sync[0] != '\0' && strcmp(d->clock.sync, "ntp") != 0 &&
		 strcmp(d->clock.sync, "ptp") != 0)
		verdict_remedy(verdict_add(to, false, "clock: it is not synchronised"),
			"timedatectl set-ntp true, with a time server that this computer reaches");
}

void verdict_calibration(struct verdict *to, const struct shown_calibration *one, uint64_t now)
{
	const char *owner = one->instrument[0] != '\0' ? one->instrument : one->method;
	struct verdict_item *found = NULL;
	if (one->until != 0 && one->until <= now)
		found = verdict_add(to, true,
			"%s: calibration %s%s%s has ended: its frames are suspect", owner, one->id,
			one->step[0] != '\0' ? " of step " : "", one->step);
	else if (one->until != 0 && one->until < now + SOON_DAYS * DAY_NS)
		found = verdict_add(to, false, "%s: calibration %s%s%s ends in %u days", owner,
			one->id, one->step[0] != '\0' ? " of step " : "", one->step,
			(unsigned)((one->until - now) / DAY_NS));
	verdict_remedy(found, "calibrate, then change the calibration: assayctl edit");
}

/* --- instruments ----------------------------------------------------------------------------- */

/* By the code of a fault; the last row is for all others. */
static const struct {
	const char *code, *remedy;
} remedies[] = {
	{"identity", "connect the configured unit; or change its identity: assayctl edit"},
	{"ETIMEDOUT", "is it on? Check power and cable, then speed and address in its menu"},
	{"ENOENT", "plug it in; compare its port in the configuration: assayctl doctor"},
	{"ENODEV", "plug it in again: it then connects by itself"},
	{"ENXIO", "plug it in again: it then connects by itself"},
	{"EIO", "check the cable, and plug it in again"},
	{"EACCES", "assayctl doctor names the permission that is missing"},
	{"EPERM", "assayctl doctor names the permission that is missing"},
	{"EBUSY", "close the other program that uses it: assayctl doctor"},
	{"ECONNREFUSED", "is it on? Does another program hold its only connection?"},
	{"ECONNRESET", "is it on? Does another program hold its only connection?"},
	{"EHOSTUNREACH", "check power, network cable, and its address in the configuration"},
	{"ENETUNREACH", "check the network of this computer, and the instrument's address"},
	{"EPROTO", "it rejects a request: assayctl describe shows its settings; see its manual"},
	{"EBADMSG", "noise, or another speed or instrument: check cable, speed and address"},
	{"EINVAL", "a setting is wrong: assayctl check, then assayctl edit"},
	{"EFAULT", "its driver crashed and is started again; report it with journalctl -u assayd"},
	{NULL, "docs/technician.md, Faults and remedies; details: journalctl -u assayd"},
};

static const char *remedy_for(const char *code)
{
	size_t i = 0;
	while (remedies[i].code != NULL && strcmp(remedies[i].code, code) != 0)
		i++;
	return remedies[i].remedy;
}

/* The same for all workers, therefore once. */
static void judge_confinement(struct verdict *to, const char *lacking)
{
	if (lacking[0] == '\0')
		return;
	for (size_t i = 0; i < to->count; i++)
		if (strncmp(to->items[i].text, "workers: ", 9) == 0)
			return;
	verdict_add(to, false, "workers: not fully confined: this kernel lacks %s", lacking);
}

void verdict_instrument(struct verdict *to, const struct shown_instrument *one, uint64_t now)
{
	char since[PRINT_BOTH_SIZE] = "";
	const char *colon = one->text[0] != '\0' ? ": " : "";
	bool is_fault = strcmp(one->state, "fault") == 0;
	bool is_away = strcmp(one->state, "connecting") == 0 || strcmp(one->state, "off") == 0;
	if (one->since != 0)
		print_both(since, one->since);
	if (is_fault)
		verdict_remedy(verdict_add(to, true, "%s: fault since %s%s%s", one->key, since,
				       colon, one->text),
			"%s", remedy_for(one->code));
	else if (is_away)
		verdict_remedy(verdict_add(to, now > one->since + CONNECT_NS, "%s: %s since %s%s%s",
				       one->key, one->state, since, colon, one->text),
			"%s", remedy_for(one->code[0] != '\0' ? one->code : "ETIMEDOUT"));
	else if (strcmp(one->state, "maintenance") == 0)
		verdict_remedy(
			verdict_add(to, false, "%s: out of service since %s", one->key, since),
			"assayctl maintenance %s off", one->key);
	else if (strcmp(one->state, "idle") == 0 && one->text[0] != '\0')
		verdict_add(to, false, "%s: ready, %s", one->key, one->text);
	if (one->hazard && one->run.number[0] == '\0')
		verdict_remedy(verdict_add(to, is_fault || is_away,
				       "%s: something harmful is on, or may be", one->key),
			"keep away; the next connection switches it off first");
	if (one->interrupted[0] != '\0')
		verdict_remedy(verdict_add(to, false, "%s: run %s was interrupted", one->key,
				       one->interrupted),
			"assayctl run repeat %s", one->interrupted);
	judge_confinement(to, one->lacking);
	if (one->changed)
		verdict_remedy(
			verdict_add(to, false, "%s: settings were changed at run time", one->key),
			"assayctl describe %s", one->key);
}
