/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "export-folder.h"

/* Where it is not the format's name. */
static const char *extension_of(const char *format)
{
	static const struct {
		const char *format, *extension;
	} rows[] = {{"csv-excel", "csv"}, {"csv-wide", "csv"}, {"andi-ms", "cdf"},
		{"andi-chrom", "cdf"}, {"jcamp", "dx"}, {"netcdf", "nc"}, {"senaite", "csv"},
		{"json", "jsonl"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].format, format) == 0)
			return rows[i].extension;
	}
	return format;
}

int export_folder_name(
	const char *folder, const struct export_run *run, const char *format, char to[EXPORT_PATH])
{
	char name[sizeof run->number], amended[32] = "";
	snprintf(name, sizeof name, "%s", run->number);
	for (char *at = name; *at != '\0'; at++) {
		/* Only the characters of run numbers, and no "." or ".." */
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789", *at | 32) == NULL)
			*at = '-';
	}
	if (run->corrected.count > 0)
		snprintf(amended, sizeof amended, "-amended-%" PRIu64, run->corrected.count);
	int len = snprintf(to, EXPORT_PATH, "%s/%s/%s%s.%s", folder, name, name, amended,
		extension_of(format));
	return len < 0 || len >= EXPORT_PATH - 16 ? -ENAMETOOLONG : 0;
}

int export_folder_make(const char *path)
{
	char folder[EXPORT_PATH];
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	return mkdir(folder, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}
