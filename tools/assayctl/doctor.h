/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of assayctl doctor: one row each in the table of doctor.c, all without the daemon's help. */
#ifndef ASSAY_ASSAYCTL_DOCTOR_H
#define ASSAY_ASSAYCTL_DOCTOR_H

#include <limits.h>
#include <sys/types.h>

#include "config/config.h"
#include "verdict.h"

#define DOCTOR_USER   "assayd"
#define DOCTOR_GROUPS 64

struct doctor {
	const struct options *options;
	const char *root;                  /* before each path; "": this system */
	const struct config *config;       /* NULL: it has errors */
	const struct catalog *catalog;     /* NULL: the worker cannot be run */
	const struct shown_daemon *daemon; /* NULL: it does not answer */
	const char *check;                 /* the name of the present one, before each text */
	struct verdict found;
};

/* Adds a finding of the present check. */
struct verdict_item *doctor_add(struct doctor *doctor, bool is_problem, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* `path` below the root. */
#define DOCTOR_PATH 4200
const char *doctor_path(const struct doctor *doctor, const char *path, char to[DOCTOR_PATH]);

/* The file's first bytes as a text; "" if it cannot be read. */
const char *doctor_read(const struct doctor *doctor, const char *path, char *to, size_t size);

/* A user of the system below the root, with its groups. */
struct doctor_user {
	uid_t id;
	gid_t groups[DOCTOR_GROUPS];
	size_t group_count;
};

/* -ENOENT: there is no such user. */
int doctor_user(const struct doctor *doctor, const char *name, struct doctor_user *to);

struct doctor_place {
	char folder[PATH_MAX], type[64]; /* the mount point, and its file system */
};

/* The deepest row of a table of mounts, such as /etc/fstab, above the path; "/" if there is none. */
void doctor_find_mount(
	const struct doctor *doctor, const char *table, const char *path, struct doctor_place *to);

/* True if `path` is the folder, or below it. */
bool doctor_is_below(const char *path, const char *folder);

void doctor_check_users(struct doctor *doctor);
void doctor_check_ports(struct doctor *doctor);
void doctor_check_programs(struct doctor *doctor);
void doctor_check_disk(struct doctor *doctor);
void doctor_check_mounts(struct doctor *doctor);
void doctor_check_folders(struct doctor *doctor);

#endif
