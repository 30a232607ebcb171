/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of ports, and of programs that take them. */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"

#define BY_ID   "/dev/serial/by-id"
#define RULES   "60-assayd.rules"
#define PROGRAM 32

/* Calls `found` for each process; its result ends the search.  `pid` is a text. */
static bool find_process(const struct doctor *doctor,
	bool (*found)(const struct doctor *doctor, const char *pid, const void *arg),
	const void *arg, char program[PROGRAM])
{
	char path[DOCTOR_PATH], name[NAME_MAX + 20];
	DIR *dir = opendir(doctor_path(doctor, "/proc", path));
	struct dirent *entry;
	bool is_found = false;
	while (dir != NULL && !is_found && (entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(name, sizeof name, "/proc/%s/comm", entry->d_name);
		doctor_read(doctor, name, program, PROGRAM);
		program[strcspn(program, "\n")] = '\0';
		is_found = found(doctor, entry->d_name, arg != NULL ? arg : program);
	}
	if (dir != NULL)
		closedir(dir);
	return is_found;
}

/* Has this process the file open?  Processes of others are only seen by root. */
static bool holds(const struct doctor *doctor, const char *pid, const void *file)
{
	char folder[DOCTOR_PATH], path[DOCTOR_PATH + NAME_MAX + 2], target[PATH_MAX],
		name[NAME_MAX + 20];
	snprintf(name, sizeof name, "/proc/%s/fd", pid);
	DIR *dir = opendir(doctor_path(doctor, name, folder));
	struct dirent *entry;
	bool is_found = false;
	while (dir != NULL && !is_found && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		ssize_t len = readlink(path, target, sizeof target - 1);
		target[len > 0 ? len : 0] = '\0';
		is_found = strcmp(target, file) == 0;
	}
	if (dir != NULL)
		closedir(dir);
	return is_found;
}

static bool may_open(const struct doctor_user *user, const struct stat *st)
{
	unsigned mode = st->st_mode & 06;
	if (st->st_uid == user->id)
		mode = (st->st_mode >> 6) & 06;
	for (size_t i = 0; st->st_uid != user->id && i < user->group_count; i++) {
		if (user->groups[i] == st->st_gid)
			mode = (st->st_mode >> 3) & 06;
	}
	return user->id == 0 || mode == 06;
}

/* The name of the device in BY_ID. */
static bool find_by_id(const struct doctor *doctor, const char *device, char to[NAME_MAX + 20])
{
	char folder[DOCTOR_PATH], path[DOCTOR_PATH + NAME_MAX + 2], real[PATH_MAX],
		wanted[PATH_MAX];
	char full[DOCTOR_PATH];
	DIR *dir = opendir(doctor_path(doctor, BY_ID, folder));
	struct dirent *entry;
	bool is_found = false;
	bool is_real = realpath(doctor_path(doctor, device, full), wanted) != NULL;
	while (dir != NULL && is_real && !is_found && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		is_found = entry->d_name[0] != '.' && realpath(path, real) != NULL &&
			   strcmp(real, wanted) == 0;
		snprintf(to, NAME_MAX + 20, BY_ID "/%s", entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return is_found;
}

static void check_device(struct doctor *doctor, const char *key, const char *device)
{
	char full[DOCTOR_PATH], real[PATH_MAX], by_id[NAME_MAX + 20], program[PROGRAM];
	struct stat st;
	struct doctor_user user;
	if (stat(doctor_path(doctor, device, full), &st) < 0) {
		verdict_remedy(doctor_add(doctor, true, "%s: %s is not there", key, device),
			"plug it in, or correct port: ls -l " BY_ID);
		return;
	}
	if (doctor_user(doctor, DOCTOR_USER, &user) == 0 && !may_open(&user, &st))
		verdict_remedy(doctor_add(doctor, true, "%s: user " DOCTOR_USER " may not open %s",
				       key, device),
			"ls -lL %s shows its group: sudo adduser " DOCTOR_USER
			" GROUP, then sudo systemctl restart assayd",
			device);
	bool is_plain = strncmp(device, "/dev/ttyUSB", 11) == 0 ||
			strncmp(device, "/dev/ttyACM", 11) == 0;
	if (is_plain && find_by_id(doctor, device, by_id))
		verdict_remedy(
			doctor_add(doctor, false,
				"%s: %s may be another adapter after the next boot", key, device),
			"port: %s", by_id);
	size_t root = strlen(doctor->root);
	if (realpath(full, real) != NULL && strlen(real) > root &&
		find_process(doctor, holds, real + root, program) &&
		strncmp(program, "assay-", 6) != 0)
		verdict_remedy(doctor_add(doctor, true, "%s: %s is held by the program %s", key,
				       device, program),
			"end %s: only one program can use a port", program);
}

void doctor_check_ports(struct doctor *doctor)
{
	static const char *const rules[] = {"/etc/udev/rules.d/" RULES,
		"/usr/lib/udev/rules.d/" RULES, "/lib/udev/rules.d/" RULES};
	const struct config *config = doctor->config;
	bool has_usb = false, has_rules = false;
	char full[DOCTOR_PATH];
	for (size_t i = 0; config != NULL && i < config->instrument_count; i++) {
		const struct port *port = &config->instruments[i].port;
		has_usb |= port->kind == ASSAY_LINK_USB && port->playback == NULL;
		if (port->port != NULL && port->playback == NULL)
			check_device(doctor, config->instruments[i].key, port->port);
	}
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		has_rules |= access(doctor_path(doctor, rules[i], full), R_OK) == 0;
	if (has_usb && !has_rules)
		verdict_remedy(
			doctor_add(doctor, true, "the USB rules " RULES " are not installed"),
			"install assayd again, then sudo udevadm control --reload");
}

static bool is_greedy(const struct doctor *doctor, const char *pid, const void *program)
{
	return strcmp(program, "ModemManager") == 0 || strcmp(program, "brltty") == 0;
}

void doctor_check_programs(struct doctor *doctor)
{
	char program[PROGRAM];
	if (find_process(doctor, is_greedy, NULL, program))
		verdict_remedy(doctor_add(doctor, true,
				       "%s runs: it takes, or writes to, serial adapters", program),
			strcmp(program, "brltty") == 0 ? "sudo apt remove brltty"
						       : "sudo systemctl mask --now ModemManager");
}
