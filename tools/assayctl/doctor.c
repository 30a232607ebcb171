/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: why does it not measure here?  A line per finding, and its remedy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "catalog.h"
#include "client.h"
#include "doctor.h"
#include "record/stamp.h"

#define UNIT        "assayd.service"
#define ASK_TIMEOUT 2 /* seconds */

static bool is_there(const struct doctor *doctor, const char *path)
{
	char full[DOCTOR_PATH];
	struct stat st;
	return lstat(doctor_path(doctor, path, full), &st) == 0;
}

/* --- the small checks ------------------------------------------------------------------------ */

static void check_configuration(struct doctor *doctor)
{
	if (doctor->catalog == NULL)
		verdict_remedy(
			doctor_add(doctor, true, "%s cannot be run", doctor->options->worker),
			"install assayd again");
	else if (doctor->config == NULL)
		verdict_remedy(
			doctor_add(doctor, true, "%s has errors; ports and disk are not checked",
				doctor->options->config),
			"assayctl check, then assayctl edit");
}

static void check_drivers(struct doctor *doctor)
{
	for (size_t i = 0; doctor->catalog != NULL && i < doctor->catalog->problem_count; i++)
		verdict_remedy(doctor_add(doctor, true, "%s: %s", doctor->catalog->problems[i].file,
				       doctor->catalog->problems[i].text),
			"install the driver again, built for this version of assayd");
}

static void check_daemon(struct doctor *doctor)
{
	bool is_booted = is_there(doctor, "/run/systemd/system");
	if (is_booted && !is_there(doctor, "/etc/systemd/system/multi-user.target.wants/" UNIT))
		verdict_remedy(doctor_add(doctor, false, "it is not started at boot"),
			"sudo systemctl enable assayd");
	if (doctor->daemon == NULL)
		verdict_remedy(doctor_add(doctor, true, "it does not answer on %s",
				       doctor->options->control),
			"sudo systemctl start assayd, then systemctl status assayd");
	else if (strcmp(doctor->daemon->version, ASSAY_VERSION) != 0)
		verdict_remedy(
			doctor_add(doctor, true, "version %s runs, " ASSAY_VERSION " is installed",
				doctor->daemon->version),
			"sudo systemctl restart assayd");
}

/* The computer has a zone, and run numbers have the days of UTC. */
static void check_zone(struct doctor *doctor)
{
	static const char folder[] = "/zoneinfo/";
	char path[DOCTOR_PATH], target[300];
	ssize_t len = readlink(
		doctor_path(doctor, "/etc/localtime", path), target, sizeof target - 1);
	target[len > 0 ? len : 0] = '\0';
	const char *zone = strstr(target, folder);
	if (zone == NULL || strstr(zone, "UTC") != NULL || doctor->config == NULL ||
		strcmp(doctor->config->timezone, "UTC") != 0)
		return;
	verdict_remedy(doctor_add(doctor, false, "run numbers have the days of UTC"),
		"laboratory: {timezone: %s}", zone + sizeof folder - 1);
}

static void check_clock(struct doctor *doctor)
{
	check_zone(doctor);
	if (doctor->daemon != NULL && doctor->daemon->clock.unread)
		verdict_remedy(doctor_add(doctor, true,
				       "the daemon does not know whether it is synchronised"),
			"sudo systemctl restart assayd-clock");
	enum assay_sync sync = stamp_now().sync;
	if (sync == ASSAY_SYNC_NONE)
		verdict_remedy(doctor_add(doctor, true, "it is before 2024"),
			"sudo timedatectl set-ntp true; without a network: sudo date -s TIME");
	else if (sync == ASSAY_SYNC_RTC)
		verdict_remedy(doctor_add(doctor, false, "nothing synchronises it"),
			"sudo apt install systemd-timesyncd, with a time server that is reached");
}

static void check_kernel(struct doctor *doctor)
{
	char text[400];
	if (strstr(doctor_read(doctor, "/sys/kernel/security/lsm", text, sizeof text),
		    "landlock") == NULL)
		verdict_remedy(
			doctor_add(doctor, false, "it has no Landlock: drivers can read files"),
			"the kernel of Debian 12 has it: boot that one, or add lsm=...,landlock");
	if (strstr(doctor_read(doctor, "/proc/sys/kernel/seccomp/actions_avail", text, sizeof text),
		    "errno") == NULL)
		verdict_remedy(doctor_add(doctor, true, "it has no filter of system calls"),
			"boot the kernel of Debian 12");
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct check {
	const char *name;
	void (*run)(struct doctor *doctor);
	const char *good; /* shown if it finds nothing */
} checks[] = {
	{"configuration", check_configuration, "it can be read and has no errors"},
	{"drivers", check_drivers, "all can be loaded"},
	{"daemon", check_daemon, "it answers, and has the version of assayctl"},
	{"users", doctor_check_users, "the service may use serial ports, and you the service"},
	{"ports", doctor_check_ports, "they are there, and the service may open them"},
	{"programs", doctor_check_programs, "none that takes serial ports"},
	{"clock", check_clock, "it is synchronised, and days are those of the laboratory"},
	{"disk", doctor_check_disk, "the journal can be written, and has room"},
	{"mounts", doctor_check_mounts, "the journal's disk is there before the service"},
	{"folders", doctor_check_folders,
		"those of links are there, and the service may read them"},
	{"kernel", check_kernel, "it can confine drivers"},
};

#define CHECKS (sizeof checks / sizeof *checks)

static void run_checks(struct doctor *doctor, size_t counts[CHECKS])
{
	for (size_t i = 0; i < CHECKS; i++) {
		doctor->check = checks[i].name;
		size_t before = doctor->found.count;
		checks[i].run(doctor);
		counts[i] = doctor->found.count - before;
	}
}

static void print_all(const struct doctor *doctor, const size_t counts[CHECKS])
{
	for (size_t i = 0; i < CHECKS; i++) {
		if (counts[i] == 0)
			printf("  %s: %s\n", checks[i].name, checks[i].good);
	}
	verdict_print(&doctor->found);
	if (doctor->found.problems == 0)
		puts("no problem found");
}

static json_t *items_json(const struct verdict *found)
{
	json_t *list = json_array();
	for (size_t i = 0; i < found->count; i++)
		json_array_append_new(list,
			json_pack("{s:b, s:s, s:s}", "problem", found->items[i].is_problem, "text",
				found->items[i].text, "remedy", found->items[i].remedy));
	return list;
}

/* Without a word if it does not answer: the findings explain that. */
static bool ask_daemon(const struct options *options, struct shown_daemon *to)
{
	struct control_request request;
	struct control_reply reply;
	static const char scheme[] = "ipc://";
	const char *path = options->control + sizeof scheme - 1;
	if (strncmp(options->control, scheme, sizeof scheme - 1) == 0 && access(path, W_OK) < 0)
		return false;
	control_request_init(&request, "status");
	int r = client_try(options, &request, ASK_TIMEOUT, &reply);
	if (r == 0)
		r = keys_decode(&shown_daemon_keys, reply.body.data, reply.body.len, to);
	control_reply_finish(&reply);
	return r == 0;
}

int command_doctor(const struct options *options, const struct args *args)
{
	static struct shown_daemon daemon;
	struct doctor doctor = {
		.options = options, .root = args_has(args, "root") ? args_text(args, "root") : ""};
	struct catalog *catalog = NULL;
	struct config *config = NULL;
	struct config_errors errors = {0};
	size_t counts[CHECKS];
	char *why = NULL;
	if (ask_daemon(options, &daemon))
		doctor.daemon = &daemon;
	if (catalog_load(options->worker, options->drivers, &catalog, &why) == 0 &&
		config_load(options->config, catalog, &config, &errors) < 0)
		config = NULL;
	doctor.catalog = catalog;
	doctor.config = config;
	run_checks(&doctor, counts);
	verdict_sort(&doctor.found);
	if (options->json)
		print_object(json_pack("{s:o}", "findings", items_json(&doctor.found)));
	else
		print_all(&doctor, counts);
	int r = doctor.found.problems > 0 ? VERDICT_BAD : 0;
	verdict_finish(&doctor.found);
	config_errors_finish(&errors);
	config_destroy(config);
	catalog_destroy(catalog);
	free(why);
	return r;
}
