/* SPDX-License-Identifier: Apache-2.0 */
/* The last configuration with which instruments were started, in a file of the service. */
#ifndef ASSAY_CORE_KEEP_LAST_GOOD_H
#define ASSAY_CORE_KEEP_LAST_GOOD_H

struct catalog;
struct config;
struct config_errors;
struct jobs;

/*
 * Replaces the file on the jobs thread, whole and synced, if its texts are others.  A failure is a
 * warning in the log.  `path` is borrowed until the jobs have ended.
 */
void last_good_save(const char *path, struct jobs *jobs, const struct config *config);

/* As config_load_saved(); -ENOENT: there is no file. */
int last_good_load(const char *path, const struct catalog *catalog, struct config **out,
	struct config_errors *errors);

#endif
