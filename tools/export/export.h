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
#include "record/keys.h"
#include "requester.h"

/* A run as the daemon lists it: the operations `runs`, `run-show` and `find`. */
struct export_run {
	char number[128], status[32];        /* status "": it is open */
	uint64_t start, first, last, frames; /* last 0: it is open */
	bool sim;
};

/* The table of such a map (record/keys.h). */
extern const struct keys export_run_keys;

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

/* The slots append to e->to, whose failure is looked at by the caller, and return 0 or an errno. */
struct export_format {
	/*
	 * Before the entries of a run; e->run has its facts.  After it come the entries that
	 * followed the run's end, so that corrections stand above what they correct.  NULL: this
	 * format has no heading.
	 */
	int (*begin)(struct export *e);
	int (*entry)(struct export *e, const struct export_item *item);
};

/* Both end with NULL. */
extern const struct export_format *const export_formats[];
extern const char *const export_format_names[];

/* NULL: there is none of this name. */
const struct export_format *export_format_find(const char *name);

/* --- exports --------------------------------------------------------------------------------- */

struct export
{
	const struct export_format *format;
	struct requester *replay;               /* borrowed */
	const volatile sig_atomic_t *must_stop; /* borrowed; NULL: nothing interrupts it */
	/* Takes e->to, which holds one entry in the format.  0, or an error that ends the run. */
	int (*piece)(void *arg, const struct export *e, const struct export_item *item);
	void *arg;

	/* kept by export_put() */
	struct export_run run;
	struct buffer to;
	struct buffer memory; /* of the format; empty at the start of a run */
	uint64_t runs, next;  /* runs so far; the next frame */
	uint64_t lost;        /* frames of all runs that are missing */
};

/*
 * Fetches a run and gives it to piece(), entry by entry.  0; -ENOENT: there is no such run;
 * -EINTR: must_stop; -EBUSY, -ETIMEDOUT: the daemon, after several attempts; -EPROTO, -EBADMSG.
 */
int export_put(struct export *e, const struct export_run *run);

/* Frees the memory. */
void export_finish(struct export *e);

/*
 * The runs that started in [since, until), oldest first, of one instrument or all (NULL), with
 * number and start only.  Returns owned through `runs`; 0 or a negative errno.
 */
int export_find(struct requester *replay, uint64_t since, uint64_t until, const char *instrument,
	struct export_run **runs, size_t *count);

/* --- CSV ------------------------------------------------------------------------------------- */

/* A cell in quotes, as RFC 4180. */
void export_csv_quote(struct buffer *to, const char *text, size_t len);

#endif
