/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in formats of other programs.  A format is one file with one row, named in meson.build; it
 * sees a run as views of its entries and appends to a buffer.  The bytes go wherever the caller
 * puts them: a file, a page.  One thread.
 */
#ifndef ASSAY_EXPORT_EXPORT_H
#define ASSAY_EXPORT_EXPORT_H

#include <signal.h>

#include <assay/record.h>

#include "base/buffer.h"
#include "facts.h"
#include "record/keys.h"
#include "requester.h"

enum export_corrected {
	EXPORT_SAMPLE = 1 << 0,
	EXPORT_OPERATOR = 1 << 1,
	EXPORT_NOTE = 1 << 2,
	EXPORT_VALID = 1 << 3,
};

/* The sum of a run's amends; "" is none. */
struct export_correction {
	unsigned keys; /* enum export_corrected: which of these are set */
	char sample[201], person[201], note[201], reason[201];
	bool valid;
	uint64_t count;
};

/* A run as the operation `run-show` has it. */
struct export_run {
	char number[128], status[32];        /* status "": it is open */
	uint64_t start, first, last, frames; /* last 0: it is open */
	bool sim;
	struct export_correction corrected;
};

/* The table of such a map (record/keys.h). */
extern const struct keys export_run_keys;

/* A run in a list. */
struct export_name {
	char number[128];
	uint64_t start;
	bool sim;
};

/* --- formats --------------------------------------------------------------------------------- */

struct export;

/* An entry of the run.  The views borrow from `bytes`. */
struct export_item {
	struct assay_span bytes; /* as committed */
	struct assay_entry_view entry;
	struct assay_frame_view frame; /* of other records only frame.record; type 0: unreadable */
	bool is_frame;
	uint64_t lost_first, lost; /* frames that are missing before it: the first, how many */
};

struct csv_style;

/* The slots append to e->to, whose failure is looked at by the caller, and return 0 or an errno. */
struct export_format {
	/*
	 * A first pass over the entries that entry() will be given, for the part before the data:
	 * counts, and the facts of the run (facts.h).  It writes nothing.  NULL: no such pass.
	 */
	int (*survey)(struct export *e, const struct export_item *item);
	/*
	 * Before the entries of a run; e->run has its facts.  After it come the entries that
	 * followed the run's end, so that corrections stand above what they correct.  NULL: this
	 * format has no heading.
	 */
	int (*begin)(struct export *e);
	int (*entry)(struct export *e, const struct export_item *item);
	/* After the last entry; NULL: nothing.  1: e->to is one file, call it again for the next. */
	int (*end)(struct export *e);
	void (*forget)(
		struct export *e); /* frees e->own, before a run and at last; NULL: nothing */
	const char *lacks; /* the facts that it has no place for: "a; b"; NULL: it carries all */
	const struct csv_style *style;
	bool is_evidence; /* the bytes of the journal: nothing is left out */
};

/* Both end with NULL. */
extern const struct export_format *const export_formats[];
extern const char *const export_format_names[];

/* NULL: there is none of this name. */
const struct export_format *export_format_find(const char *name);

/* --- exports --------------------------------------------------------------------------------- */

#define EXPORT_TABLES_MAX 64   /* sets of columns */
#define EXPORT_FILES_MAX  4096 /* of a format that has a file per run or frame */
#define EXPORT_NOTES_MAX  16

/*
 * One file per set of columns, or per run or frame.  A format that chooses none writes to the first
 * only.
 */
struct export_tables {
	struct export_table {
		uint8_t id[8]; /* of the columns, run or frame */
		uint64_t rows;
	} of[EXPORT_FILES_MAX];
	size_t count, at; /* `at`: the one that e->to belongs to */
};

struct export
{
	const struct export_format *format;
	bool with_partial;                      /* frames that another one replaces, too */
	bool decimal_comma;                     /* of csv-excel */
	uint64_t scan_first, scan_last;         /* of msp: only these scans; 0 and 0: all */
	struct requester *replay;               /* borrowed */
	const volatile sig_atomic_t *must_stop; /* borrowed; NULL: nothing interrupts it */
	/*
	 * Takes e->to, which holds the entry `seq` in the format, for the file e->tables.at; may be
	 * empty.  0, or an error that ends the run.
	 */
	int (*piece)(void *arg, const struct export *e, uint64_t seq);
	void *arg;

	/* kept by export_put() */
	struct export_run run;
	struct buffer to;
	struct export_tables tables;
	uint64_t runs, next; /* runs so far; the next frame */
	uint64_t lost;       /* of all runs: frames that are missing */
	struct export_note { /* of all runs: a kind of data left out or altered, and how often */
		const char *text;
		uint64_t count;
	} notes[EXPORT_NOTES_MAX];
	uint64_t lost_first, lost_now; /* missing before the next entry that is written */
	uint64_t in_heading;           /* entries after the run's end that the heading has */
	bool has_end;
	struct facts about; /* facts.h; by a survey */

	/* of the format, for this run */
	struct buffer head, facts;
	uint64_t with_head; /* bit i: the file of table i has the head */
	uint64_t step;
	uint64_t fits; /* spectra that the survey found to fit */
	void *own;     /* NULL before each run */
};

/*
 * Fetches a run and gives it to piece(), entry by entry.  0; -ENOENT: there is no such run;
 * -EINTR: must_stop; -EBUSY, -ETIMEDOUT: the daemon, after several attempts; -EPROTO, -EBADMSG.
 */
int export_put(struct export *e, const struct export_run *run);

/* Frees the memory. */
void export_finish(struct export *e);

/*
 * For formats with columns: sets e->tables.at to the table of this hash of columns, which `is_new` if
 * there was none.  0, or -E2BIG: there are EXPORT_TABLES_MAX already.
 */
int export_choose_table(struct export *e, const uint8_t *hash, bool *is_new);

/*
 * For formats with a file per run or frame: sets e->tables.at to the file of this `key` of the run,
 * which `is_new` if there was none.  0, -E2BIG: there are EXPORT_FILES_MAX already, or -ENOMEM.
 */
int export_choose_file(struct export *e, uint64_t key, bool *is_new);

/* Adds to the count of this note, such as "frames of another kind left out".  The text is static. */
void export_note(struct export *e, const char *text, uint64_t count);

/*
 * The runs that started in [since, until), oldest first, of one instrument or all (NULL).  Returns
 * owned through `runs`; 0 or a negative errno.
 */
int export_find(struct requester *replay, uint64_t since, uint64_t until, const char *instrument,
	struct export_name **runs, size_t *count);

#endif
