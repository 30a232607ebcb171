/* SPDX-License-Identifier: Apache-2.0 */
/* The check of users and groups. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#define SERIAL_GROUP "dialout"

/* The group's number, and the user is noted as its member; false: there is no such group. */
static bool find_group(const struct doctor *doctor, const char *name, gid_t *id)
{
	char path[DOCTOR_PATH];
	FILE *file = fopen(doctor_path(doctor, "/etc/group", path), "re");
	bool is_found = false;
	struct group *group;
	while (file != NULL && !is_found && (group = fgetgrent(file)) != NULL) {
		is_found = strcmp(group->gr_name, name) == 0;
		*id = group->gr_gid;
	}
	if (file != NULL)
		fclose(file);
	return is_found;
}

static void add_groups(const struct doctor *doctor, const char *name, struct doctor_user *to)
{
	char path[DOCTOR_PATH];
	FILE *file = fopen(doctor_path(doctor, "/etc/group", path), "re");
	struct group *group;
	while (file != NULL && (group = fgetgrent(file)) != NULL) {
		for (char **member = group->gr_mem; *member != NULL; member++) {
			if (strcmp(*member, name) == 0 && to->group_count < DOCTOR_GROUPS)
				to->groups[to->group_count++] = group->gr_gid;
		}
	}
	if (file != NULL)
		fclose(file);
}

/* By its name, or with NULL by its number; `found` gets the name. */
static int find_user(const struct doctor *doctor, const char *name, uid_t id, char found[64],
	struct doctor_user *to)
{
	char path[DOCTOR_PATH];
	FILE *file = fopen(doctor_path(doctor, "/etc/passwd", path), "re");
	struct passwd *user = NULL;
	while (file != NULL && (user = fgetpwent(file)) != NULL) {
		if (name != NULL ? strcmp(user->pw_name, name) == 0 : user->pw_uid == id)
			break;
	}
	if (user != NULL) {
		*to = (struct doctor_user){
			.id = user->pw_uid, .groups = {user->pw_gid}, .group_count = 1};
		snprintf(found, 64, "%s", user->pw_name);
	}
	if (file != NULL)
		fclose(file);
	if (user == NULL)
		return -ENOENT;
	add_groups(doctor, found, to);
	return 0;
}

int doctor_user(const struct doctor *doctor, const char *name, struct doctor_user *to)
{
	char found[64];
	return find_user(doctor, name, 0, found, to);
}

static bool is_in(const gid_t *groups, size_t count, gid_t group)
{
	for (size_t i = 0; i < count; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

static void check_caller(struct doctor *doctor, gid_t group)
{
	gid_t now[DOCTOR_GROUPS];
	char name[64] = "USER";
	struct doctor_user caller = {0};
	int count = getgroups(DOCTOR_GROUPS, now);
	if (geteuid() == 0 || (count > 0 && is_in(now, (size_t)count, group)))
		return;
	find_user(doctor, NULL, geteuid(), name, &caller);
	if (is_in(caller.groups, caller.group_count, group))
		verdict_remedy(doctor_add(doctor, true,
				       "you are in group " DOCTOR_USER " from the next login on"),
			"log out and in again");
	else
		verdict_remedy(doctor_add(doctor, true, "you are not in group " DOCTOR_USER),
			"sudo adduser %s " DOCTOR_USER ", then log in again", name);
}

void doctor_check_users(struct doctor *doctor)
{
	struct doctor_user user;
	gid_t group = 0, serial = 0;
	if (doctor_user(doctor, DOCTOR_USER, &user) < 0 ||
		!find_group(doctor, DOCTOR_USER, &group)) {
		verdict_remedy(
			doctor_add(doctor, true, "there is no user or no group " DOCTOR_USER),
			"sudo systemd-sysusers");
		return;
	}
	if (find_group(doctor, SERIAL_GROUP, &serial) &&
		!is_in(user.groups, user.group_count, serial))
		verdict_remedy(doctor_add(doctor, true,
				       "user " DOCTOR_USER " is not in group " SERIAL_GROUP
				       ", which owns serial ports"),
			"sudo adduser " DOCTOR_USER " " SERIAL_GROUP
			", then sudo systemctl restart assayd");
	check_caller(doctor, group);
}
