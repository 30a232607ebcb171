/* SPDX-License-Identifier: Apache-2.0 */
/*
 * comply: tries one instrument through the running daemon, as a laboratory does when it qualifies
 * its unit (IQ, OQ).  Each test is a row of the table in comply-tests.c.  A verdict rests on records
 * that were committed and fetched by the replay socket.
 *
 *	comply.c             the command: options, the order of work, the exit code
 *	comply-tests.c       the table of tests
 *	comply-verdict.c     verdict and facts of the present test
 *	comply-ask.c         requests to the daemon, and waiting for their effect
 *	comply-run.c         the records of a run, each checked
 *	comply-person.c      questions to the person at the instrument
 *	comply-spread.c      the spread of each variable over frames
 *	comply-report.c      the report and the sheet for the project, as JSON
 *	comply-page.c        the report as a page of HTML
 *	comply-private.c     private words in a recording and in texts, replaced
 */
#ifndef ASSAY_ASSAYCTL_COMPLY_H
#define ASSAY_ASSAYCTL_COMPLY_H

#include <assay/record.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>

#include "base/buffer.h"
#include "comply-spread.h"
#include "control.h"
#include "record/digest.h"
#include "verdict.h"

#define COMPLY_TEXT     400
#define COMPLY_NUMBER   128 /* of a run */
#define COMPLY_RUNS_MAX 64  /* of the series */

struct comply;

/* One test.  A row makes sure of something, and its failure has a meaning for people. */
struct comply_test {
	const char *id;
	const char *assures; /* "each request to start is answered, ..." */
	const char *failure; /* "the driver loses its place: ..." */
	/* Reports its verdict by comply_fail() or comply_skip(); passed, if it calls neither. */
	void (*run)(struct comply *c);
};

/* Ends with .id NULL. */
extern const struct comply_test comply_tests[];

struct comply_options {
	const char *instrument, *folder;
	const char *sample, *person, *method; /* of each run; NULL: none */
	const char *borrow;                   /* a method with other settings; NULL: none */
	const char *tests;                    /* ids, separated by commas; NULL: all */
	char *const *sets;                    /* NAME=VALUE ..., sets_count of them */
	size_t sets_count;
	uint64_t frames, patience_s;
	double spread; /* per cent; 0: no limit */
	bool is_unattended;
};

struct comply {
	const struct options *options;
	struct comply_options how;
	struct requester *control, *replay;
	sigset_t signals; /* blocked; taken by comply_pause() */
	bool is_interrupted;

	/* As the first test found it. */
	struct shown_instrument unit;
	struct buffer settings;                      /* of the first run-start */
	struct buffer software;                      /* `driver` of the same */
	char technique[260];                         /* of the same */
	char series[COMPLY_RUNS_MAX][COMPLY_NUMBER]; /* the runs of test `complete` */
	size_t series_count;
	uint64_t series_frames; /* of each, if all have as many; else 0 */
	char capture[PATH_MAX]; /* "": nothing was recorded */

	json_t *tests, *row; /* of the report; `row`: of the present test */
	json_t *runs, *frames;
	unsigned failed, skipped, passed;
};

/* --- verdicts: comply-verdict.c ---------------------------------------------------------------------- */

/* The first one of a test counts. */
void comply_fail(struct comply *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void comply_skip(struct comply *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A fact that a passed test found. */
void comply_note(struct comply *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A value that a test measured.  `unit` is a UCUM code. */
void comply_measured(struct comply *c, const char *name, double value, const char *unit);

/* True once comply_fail() or comply_skip() was called in this test. */
bool comply_has_verdict(const struct comply *c);

/* --- requests: comply-ask.c ------------------------------------------------------------------ */

/* Waits; true if a signal ended it: the test is then over. */
bool comply_pause(struct comply *c, unsigned ms);

/*
 * Sends the request, which it finishes; the caller finishes the reply in every case.  0; 1:
 * rejected; negative after comply_fail(): the daemon does not answer.
 */
int comply_ask(struct comply *c, struct control_request *request, unsigned seconds,
	struct control_reply *reply);

/* The instrument now.  0, or negative after comply_fail(). */
int comply_status(struct comply *c, struct shown_instrument *now);

/* A request to start a run, and its answer. */
struct comply_started {
	char number[COMPLY_NUMBER]; /* "": it did not start */
	char code[40], text[COMPLY_TEXT];
};

/* 0, also for a rejection; negative after comply_fail(). */
int comply_try_start(struct comply *c, const char *method, struct comply_started *started);

/* The same; a rejection fails the test, too.  0 or -1. */
int comply_start(struct comply *c, const char *method, char number[COMPLY_NUMBER]);

/* The same request on a thread of its own, so that the caller can send others meanwhile. */
struct comply_starter;
struct comply_starter *comply_start_apart(struct comply *c); /* NULL after comply_fail() */
bool comply_start_is_answered(struct comply_starter *starter);
void comply_start_join(struct comply_starter *starter, struct comply_started *started);

/*
 * run-stop or run-abort.  1: done, on an open run; 2: done, before the run started; 0: there was
 * nothing to end; negative after comply_fail().
 */
int comply_end(struct comply *c, const char *op);

/* Waits until the instrument is idle, at most `patience_s`.  0, or -1 after comply_fail(). */
int comply_wait_idle(struct comply *c);

/*
 * Waits until the run has a run-end; stops it when it has `enough` frames, unless that is 0.  0, or
 * -1 after comply_fail().
 */
int comply_wait_end(struct comply *c, const char *number, uint64_t enough);

/* Sets one setting, reads the files again, or spoils the link: 0, or -1 after comply_fail(). */
int comply_set(struct comply *c, const char *name, size_t name_len, const char *value);
int comply_reload(struct comply *c);
int comply_fault(struct comply *c, const char *faults);

/* A setting of the instrument, as `describe` has it. */
struct comply_setting {
	char name[40], from[600];
	struct assay_span value, read_back; /* borrowed from the reply */
	bool hazard, calibration;
};

extern const struct keys comply_setting_keys;

/*
 * Opens the list of its settings in the reply, which the caller finishes in every case.  Their
 * number, or -1 after comply_fail().
 */
int comply_describe(struct comply *c, struct control_reply *reply, struct reader *list);

/* --- runs: comply-run.c ---------------------------------------------------------------------- */

/* The committed records of a run, in their order. */
struct comply_run {
	char number[COMPLY_NUMBER], status[32], why[260];
	struct buffer start;    /* the body of the run-start */
	uint64_t frames, whole; /* all; not partial */
	/* Called with each frame that passed the check; NULL: not. */
	void (*each)(void *arg, const struct comply_run *run, const struct assay_frame_view *frame);
	void *arg;

	bool has_end;
	uint8_t ctx[ASSAY_SHA256_SIZE];
	struct digest digest;
	char fault[COMPLY_TEXT];
};

/*
 * Fetches a run that has ended and checks each entry: by the format, by its number, its run-start's
 * hash, and the digest of the run-end.  0, or -1 after comply_fail().  comply_run_finish() in any case.
 */
int comply_run_read(struct comply *c, const char *number, struct comply_run *run);
void comply_run_finish(struct comply_run *run);

/* The settings in its run-start; empty if there are none. */
struct assay_span comply_run_settings(const struct comply_run *run);

/* comply_wait_end(), then comply_run_read(), then comply_wait_idle().  0 or -1. */
int comply_run_over(struct comply *c, const char *number, uint64_t enough, struct comply_run *run);

/* A run that is stopped as soon as it has started.  0 or -1; comply_run_finish() in any case. */
int comply_run_short(struct comply *c, const char *method, struct comply_run *run);

/* --- tests of settings: comply-settings.c ----------------------------------------------------- */

void comply_test_read_back(struct comply *c);
void comply_test_put_back(struct comply *c);
void comply_test_borrowed(struct comply *c);
void comply_test_kept(struct comply *c);

/* --- the person: comply-person.c ------------------------------------------------------------- */

/* Waits until the person has done it.  0; 1: the person skipped it; -1: a signal. */
int comply_person(struct comply *c, const char *request);

/* --- files: comply-report.c, comply-page.c, comply-private.c ----------------------------------- */

/* The report of the whole; owned.  NULL: no memory. */
json_t *comply_report(const struct comply *c, uint64_t begin, const struct shown_daemon *daemon,
	const char *config);

/* The report as one page.  0 or a negative errno. */
int comply_page(const json_t *report, const char *path);

/* What a recipient of the recording needs to play it; owned. */
json_t *comply_sheet(struct comply *c, const char *capture);

#define PRIVATE_WORDS 32

/* Words that are replaced, each by one of the same length. */
struct private_words {
	struct private_word {
		const char *kind; /* "sample" */
		char text[260], other[260];
		size_t places; /* replaced so far */
	} words[PRIVATE_WORDS];
	size_t count;
};

/* Words of less than three bytes stay: they are everywhere.  "none" and "unknown" are no words. */
void private_add(struct private_words *words, const char *kind, const char *text);

/* Replaces the words where no letter or digit continues them.  Returns the number of places. */
size_t private_replace(struct private_words *words, uint8_t *data, size_t len);

/*
 * Rewrites a recording: the words in its dialogue, also across its records; names in its head by others; the
 * serial numbers, too, if they are among the words.  0, or a negative errno with `why`.
 */
int private_capture(struct private_words *words, const char *from, const char *to, char why[200]);

#endif
