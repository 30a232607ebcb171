/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed settings.  A setting with ASSAY_STAYS keeps its value in the instrument after the run or
 * the `set` that requested it.  Before the core sends such a setting for the first time, it notes the
 * value that the instrument has, in <journal path>/borrowed/<instrument>.  From then on each request
 * is sent together with the noted values of all settings that it does not name: when nothing requests
 * a value any more, the instrument gets its own value back, and the note is removed.
 *
 * The main thread hands notes over, the commit thread writes and syncs them before it publishes the
 * audit record of them; only then are other values sent.  A note belongs to one unit: that of
 * another serial number is not used.
 *
 * Settings are CBOR maps name => setting.  Functions return -ENOMEM unless they name other errors.
 */
#ifndef ASSAY_CORE_INSTRUMENT_BORROWED_H
#define ASSAY_CORE_INSTRUMENT_BORROWED_H

#include <pthread.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/list.h"
#include "config/config.h"

/* The notes of all instruments. */
struct borrowed_notes {
	const char *journal; /* its path; borrowed */
	pthread_mutex_t lock;
	struct list pending; /* under the lock: notes to be written */
};

/* The note of one instrument. */
struct borrowed {
	char serial[64];     /* of its unit */
	struct buffer found; /* settings; empty: none */
};

void borrowed_finish(struct borrowed *borrowed);

/* --- pure ------------------------------------------------------------------------------------ */

/*
 * Whether `wanted` would change a value for good: it has one that stays, is not noted, and is not in
 * `but`.
 */
bool borrowed_lacks(const struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct assay_span but);

/* Appends `wanted` over the noted values: the settings to be sent.  0. */
int borrowed_lay(const struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct buffer *out);

/*
 * Appends the noted values and, of `wanted`, only settings that do not stay: the instrument then has
 * what was found.  Nothing if nothing is noted.  A value that is noted beside borrowed ones must be
 * read then, because one setting may hold others, as a text of commands does.  0.
 */
int borrowed_lay_found(const struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct buffer *out);

/*
 * Notes the values in `read_back` of all that `wanted` would change for good.  Adds the new ones to
 * the settings `added` as well.  0; -ENOENT with the name of a setting that was not read back, or
 * that could not be sent as it was: all others are noted.
 */
int borrowed_find(struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct assay_span read_back, struct buffer *added, char name[33]);

/*
 * Drops the notes of values that were put back: all that `wanted` does not have, which are appended
 * to `dropped`.  0.
 */
int borrowed_drop(struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct buffer *dropped);

/* --- on the disk ----------------------------------------------------------------------------- */

void borrowed_notes_init(struct borrowed_notes *notes, const char *journal);
void borrowed_notes_finish(struct borrowed_notes *notes); /* legal on zeroed ones */

/*
 * Reads the note of the instrument, if it is of this driver and unit: `borrowed` is empty otherwise.
 * One that cannot be read is an error in the log.
 */
void borrowed_load(struct borrowed_notes *notes, const char *instrument, const char *driver,
	const char *serial, struct borrowed *borrowed);

/* Hands the note over to be written, or removed if nothing is noted.  0. */
int borrowed_save(struct borrowed_notes *notes, const char *instrument, const char *driver,
	const struct borrowed *borrowed);

/* The commit thread: writes pending notes, durably.  One that fails is logged and stays pending. */
void borrowed_sync(struct borrowed_notes *notes);

/* Whether the last note of the instrument is on the disk. */
bool borrowed_is_saved(struct borrowed_notes *notes, const char *instrument);

/* Whether there are values in `borrowed` and they are not: until then nothing may be changed. */
bool borrowed_is_due(
	struct borrowed_notes *notes, const char *instrument, const struct borrowed *borrowed);

#endif
