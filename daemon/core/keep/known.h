/* SPDX-License-Identifier: Apache-2.0 */
/* The second state folder, in which the use of a journal's path is noted (journal/binding.h). */
#ifndef ASSAY_CORE_KEEP_KNOWN_H
#define ASSAY_CORE_KEEP_KNOWN_H

#include <limits.h>

/*
 * Makes the folder for the journal in `journal`, and its name: `configured`, or one of its own below
 * $XDG_STATE_HOME/assayd-known, /var/lib/assayd-known or ~/.local/state/assayd-known.  "" after a
 * logged warning: there is none.
 */
void known_folder_make(char path[PATH_MAX], const char *configured, const char *journal);

#endif
