/* SPDX-License-Identifier: Apache-2.0 */
/* The check of the folders that links read: there, mounted, and readable for the service. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor.h"

/* By its permissions; a share has those of its mount options. */
static bool may_read(const struct doctor_user *user, const struct stat *st)
{
	mode_t bits = st->st_mode;
	if (user->id == st->st_uid)
		return (bits & S_IRUSR) != 0 && (bits & S_IXUSR) != 0;
	for (size_t i = 0; i < user->group_count; i++)
		if (user->groups[i] == st->st_gid)
			return (bits & S_IRGRP) != 0 && (bits & S_IXGRP) != 0;
	return (bits & S_IROTH) != 0 && (bits & S_IXOTH) != 0;
}

static void check_folder(struct doctor *doctor, const char *key, const char *path)
{
	char full[DOCTOR_PATH];
	struct doctor_place now, wanted;
	struct doctor_user user;
	struct stat st;
	doctor_find_mount(doctor, "/proc/mounts", path, &now);
	doctor_find_mount(doctor, "/etc/fstab", path, &wanted);
	if (strcmp(wanted.folder, now.folder) != 0 && doctor_is_below(wanted.folder, now.folder)) {
		verdict_remedy(doctor_add(doctor, true, "%s: %s, which has %s, is not mounted", key,
				       wanted.folder, path),
			"sudo mount %s; if that fails: is the other computer on, and its share "
			"there?",
			wanted.folder);
		return;
	}
	if (stat(doctor_path(doctor, path, full), &st) < 0 && errno == EACCES)
		return; /* the caller's rights, not those of the service */
	if (stat(full, &st) < 0) {
		verdict_remedy(doctor_add(doctor, true, "%s: %s: %s", key, path, strerror(errno)),
			"mount its share, make the folder, or correct path of the link");
		return;
	}
	if (!S_ISDIR(st.st_mode))
		verdict_remedy(doctor_add(doctor, true, "%s: %s is not a folder", key, path),
			"path of the link: the folder that has the files");
	else if (doctor_user(doctor, DOCTOR_USER, &user) == 0 && !may_read(&user, &st))
		verdict_remedy(doctor_add(doctor, true, "%s: user " DOCTOR_USER " may not read %s",
				       key, path),
			"of a mounted share: the options uid=" DOCTOR_USER ",gid=" DOCTOR_USER
			" in /etc/fstab; else sudo chmod o+rx %s",
			path);
}

void doctor_check_folders(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	for (size_t i = 0; config != NULL && i < config->instrument_count; i++) {
		const struct port *port = &config->instruments[i].port;
		if (port->kind == ASSAY_LINK_FOLDER && port->playback == NULL)
			check_folder(doctor, config->instruments[i].key, port->folder);
	}
}
