/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder per run: run and file have the name bench-3-xrf-1-20261122-007; that of a run which was
 * corrected twice gets "-amended-2" behind it.
 */
#ifndef ASSAY_ASSAYCTL_EXPORT_FOLDER_H
#define ASSAY_ASSAYCTL_EXPORT_FOLDER_H

#include "export-file.h"

/* The file of a run.  0 or -ENAMETOOLONG. */
int export_folder_name(
	const char *folder, const struct export_run *run, const char *format, char to[EXPORT_PATH]);

/* Makes the folder of this file, whose own folder must be there.  0 or a negative errno. */
int export_folder_make(const char *path);

#endif
