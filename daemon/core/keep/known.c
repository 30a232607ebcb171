/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TOPIC "journal"
#include "base/crc32c.h"
#include "base/log.h"
#include "core/keep/known.h"

#define FOLDER    "assayd-known"
#define NAME_MAX_ 120 /* bytes of the journal's path in the name, for people */

/* Makes the folder and those above it; true: it can be used. */
static bool make_all(char *path)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		int r = mkdir(path, 0700);
		int error = errno;
		*at = '/';
		if (r < 0 && error != EEXIST)
			return false;
	}
	return (mkdir(path, 0700) == 0 || errno == EEXIST) && access(path, W_OK | X_OK) == 0;
}

/* "-var-lib-assayd-1a2b3c4d": readable, and another name for each path. */
static void name_of(char *name, size_t size, const char *journal)
{
	size_t len = strlen(journal);
	const char *end = len > NAME_MAX_ ? journal + len - NAME_MAX_ : journal;
	snprintf(name, size, "%s-%08" PRIx32, end, crc32c(0, journal, len));
	for (char *at = name; *at != '\0'; at++)
		*at = *at == '/' ? '-' : *at;
}

static bool try_below(
	char path[PATH_MAX], const char *root, const char *middle, const char *journal)
{
	char name[NAME_MAX_ + 16];
	if (root == NULL || root[0] != '/')
		return false;
	name_of(name, sizeof name, journal);
	int n = snprintf(path, PATH_MAX, "%s%s/" FOLDER "/%s", root, middle, name);
	return n < PATH_MAX && make_all(path);
}

void known_folder_make(char path[PATH_MAX], const char *configured, const char *journal)
{
	const char *state = getenv("XDG_STATE_HOME");
	bool is_made;
	if (configured != NULL)
		is_made = snprintf(path, PATH_MAX, "%s", configured) < PATH_MAX && make_all(path);
	else if (state != NULL)
		is_made = try_below(path, state, "", journal);
	else
		is_made = try_below(path, "/var/lib", "", journal) ||
			  try_below(path, getenv("HOME"), "/.local/state", journal);
	if (is_made)
		return;
	log_warn("%s: the folder cannot be made or written (journal: known): a journal whose disk "
		 "is "
		 "not mounted would not be missed",
		configured != NULL ? configured : FOLDER);
	path[0] = '\0';
}
