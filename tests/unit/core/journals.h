/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real journals in a folder of their own, and the answers of the replay operations from them.  A
 * function that fails ends the test.
 */
#ifndef ASSAY_TESTS_CORE_JOURNALS_H
#define ASSAY_TESTS_CORE_JOURNALS_H

#include "core/replay/cursors.h"
#include "core/commit/published.h"
#include "core/replay/leases.h"
#include "core/replay/ops.h"
#include "core/replay/readers.h"
#include "core/runs/rows.h"
#include "journal/journal.h"
#include "record/encode.h"

#define JOURNALS_XRF   "a1/data/xrf/site/node/xrf-1/"
#define JOURNALS_MS    "a1/data/ms/site/node/ms-1/"
#define JOURNALS_AUDIT "a1/audit/-/site/node/-/"

#define JOURNALS_TURN_MS 60000

struct journals {
	char path[64];
	uint64_t segment_size; /* 0: large */
	bool is_hasty;         /* a reply's turn is over at once, else never in a test's time */
	uint64_t clock_back;   /* ns by which entries are put before now */
	struct journal *journal;
	uint8_t id[JOURNAL_ID_SIZE];
	struct published *published;
	struct runs *runs;
	struct cursors *cursors;
	struct reader_cache *readers;
	struct replay_sources replay;
	struct replay_answer answer; /* the last one */
};

/* Creates the folder and the first journal. */
void journals_create(struct journals *journals);

/* Continues in a new journal. */
void journals_renew(struct journals *journals);

/* Appends an entry with a body of `size` bytes that is no record; returns its seq. */
uint64_t journals_put(struct journals *journals, const char *topic, size_t size);

/* The same with a record of this type, of run `run`, sample "S-<run>", number "node/xrf-1/<run>". */
uint64_t journals_put_record(
	struct journals *journals, const char *topic, const char *type, uint8_t run);

/* The first record of a journal that replaces journal `old`. */
void journals_put_beginning(struct journals *journals, const uint8_t old[JOURNAL_ID_SIZE]);

/* After this requests are answered, and entries are published when they are put. */
void journals_open(struct journals *journals);
void journals_close(struct journals *journals); /* and removes the folder */

/* Sends the request that `encode` writes into `map` (`op` is there already). */
void journals_ask(struct journals *journals, const char *op,
	void (*encode)(struct map *map, const void *arg), const void *arg);
void journals_ask_raw(struct journals *journals, const void *data, size_t len);

/* The text or number of a key of the last answer; "" or 0: there is none. */
const char *journals_text(const struct journals *journals, const char *key);
uint64_t journals_number(const struct journals *journals, const char *key);

/* Seq of the last answer's entry `i`. */
uint64_t journals_seq(const struct journals *journals, size_t i);
size_t journals_count(const struct journals *journals);

#endif
