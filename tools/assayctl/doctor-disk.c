/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of the journal's folder, its disk, and when that is mounted. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor.h"

#define INODES_LEAST 1000

void doctor_check_disk(struct doctor *doctor)
{
	char full[DOCTOR_PATH];
	struct stat st;
	struct statvfs disk;
	struct doctor_user user;
	if (doctor->config == NULL)
		return;
	const char *path = doctor->config->journal_path;
	if (stat(doctor_path(doctor, path, full), &st) < 0) {
		if (errno != EACCES)
			verdict_remedy(doctor_add(doctor, true, "%s: %s", path, strerror(errno)),
				"sudo install -d -m 0700 -o " DOCTOR_USER " -g " DOCTOR_USER " %s",
				path);
		return;
	}
	if (doctor_user(doctor, DOCTOR_USER, &user) == 0 && st.st_uid != user.id)
		verdict_remedy(doctor_add(doctor, true, "%s does not belong to " DOCTOR_USER, path),
			"sudo chown -R " DOCTOR_USER ": %s", path);
	if (statvfs(full, &disk) < 0)
		return;
	double left = (double)disk.f_bavail * (double)disk.f_frsize;
	if ((disk.f_flag & ST_RDONLY) != 0)
		verdict_remedy(
			doctor_add(doctor, true, "%s is on a disk that is mounted read-only", path),
			"dmesg shows the error of the disk; repair it, then mount it again");
	if (left < (double)doctor->config->reserve)
		verdict_remedy(
			doctor_add(doctor, true,
				"%.1f GiB are free, less than the reserve of %.1f: no run starts",
				left / 0x1p30, (double)doctor->config->reserve / 0x1p30),
			"free space on this disk (df -h), but never delete files of the journal");
	if (disk.f_files > 0 && disk.f_favail < INODES_LEAST)
		verdict_remedy(doctor_add(doctor, true, "%lu more files can be made on its disk",
				       (unsigned long)disk.f_favail),
			"delete files that are not needed (df -i), but none of the journal");
}

/* --- mounts ---------------------------------------------------------------------------------- */

bool doctor_is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

void doctor_find_mount(
	const struct doctor *doctor, const char *table, const char *path, struct doctor_place *to)
{
	char full[DOCTOR_PATH];
	FILE *file = setmntent(doctor_path(doctor, table, full), "re");
	struct mntent *row;
	*to = (struct doctor_place){.folder = "/"};
	while (file != NULL && (row = getmntent(file)) != NULL) {
		if (!doctor_is_below(path, row->mnt_dir) ||
			strlen(row->mnt_dir) < strlen(to->folder))
			continue;
		snprintf(to->folder, sizeof to->folder, "%s", row->mnt_dir);
		snprintf(to->type, sizeof to->type, "%s", row->mnt_type);
	}
	if (file != NULL)
		endmntent(file);
}

/* Has the unit a line RequiresMountsFor= that covers the path? */
static bool is_required(const struct doctor *doctor, const char *unit, const char *path)
{
	static const char key[] = "RequiresMountsFor=";
	char text[16384], *rest = NULL;
	doctor_read(doctor, unit, text, sizeof text);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		char *words = NULL;
		if (strncmp(line, key, sizeof key - 1) != 0)
			continue;
		for (char *word = strtok_r(line + sizeof key - 1, " \t", &words); word != NULL;
			word = strtok_r(NULL, " \t", &words)) {
			if (doctor_is_below(word, path))
				return true;
		}
	}
	return false;
}

/* In the unit or a drop-in of it, `place` (the mount point) or a folder below it. */
static bool waits_for(const struct doctor *doctor, const char *place)
{
	static const char *const folders[] = {
		"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"};
	char path[PATH_MAX], full[DOCTOR_PATH];
	bool is_found = false;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		struct dirent *entry;
		snprintf(path, sizeof path, "%s/assayd.service", folders[i]);
		is_found |= is_required(doctor, path, place);
		snprintf(path, sizeof path, "%s/assayd.service.d", folders[i]);
		DIR *dir = opendir(doctor_path(doctor, path, full));
		while (dir != NULL && (entry = readdir(dir)) != NULL) {
			snprintf(path, sizeof path, "%s/assayd.service.d/%s", folders[i],
				entry->d_name);
			is_found |= is_required(doctor, path, place);
		}
		if (dir != NULL)
			closedir(dir);
	}
	return is_found;
}

void doctor_check_mounts(struct doctor *doctor)
{
	static const char *const lossy[] = {"tmpfs", "ramfs", "overlay"};
	static const char *const remote[] = {"nfs", "nfs4", "cifs", "9p", "vfat", "exfat", "fuse"};
	struct doctor_place now, wanted;
	if (doctor->config == NULL)
		return;
	const char *path = doctor->config->journal_path;
	doctor_find_mount(doctor, "/proc/mounts", path, &now);
	doctor_find_mount(doctor, "/etc/fstab", path, &wanted);
	if (strcmp(wanted.folder, now.folder) != 0 && doctor_is_below(wanted.folder, now.folder))
		verdict_remedy(doctor_add(doctor, true, "%s, the disk of %s, is not mounted",
				       wanted.folder, path),
			"sudo systemctl stop assayd; sudo mount %s; sudo systemctl start assayd",
			wanted.folder);
	if (strcmp(wanted.folder, "/") != 0 && !waits_for(doctor, wanted.folder))
		verdict_remedy(
			doctor_add(doctor, true, "the service does not wait for %s", wanted.folder),
			"sudo systemctl edit assayd: [Unit] RequiresMountsFor=%s", path);
	for (size_t i = 0; i < sizeof lossy / sizeof *lossy; i++) {
		if (strcmp(now.type, lossy[i]) == 0)
			verdict_remedy(
				doctor_add(doctor, false, "%s is in memory (%s): a boot ends it",
					path, now.type),
				"journal: {path: FOLDER}, on a disk");
	}
	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++) {
		if (strcmp(now.type, remote[i]) == 0)
			verdict_remedy(doctor_add(doctor, false,
					       "%s is on %s, which may lose data that was synced",
					       path, now.type),
				"journal: {path: FOLDER}, on a disk of this computer");
	}
}
