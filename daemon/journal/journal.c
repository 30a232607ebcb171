/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "journal"
#include "base/clock.h"
#include "base/log.h"
#include "journal/binding.h"
#include "journal/folder.h"
#include "journal/listing.h"
#include "journal/recover.h"
#include "journal/writer.h"

#define SEGMENT_SIZE_DEFAULT (UINT64_C(64) << 20)
#define SEGMENT_AGE_DEFAULT  (24 * 3600 * NS_PER_S)

/* --- folders */

static int open_folders(struct journal *journal, const struct journal_options *options)
{
	const struct io *io = journal->io;
	journal->base = io_open_dir(io, IO_CWD, options->path);
	if (journal->base < 0)
		return journal->base;
	journal->lock = io->openat(io->ctx, journal->base, "lock", O_RDWR | O_CREAT);
	if (journal->lock < 0)
		return journal->lock;
	int r = io->lock(io->ctx, journal->lock);
	if (r < 0)
		return r;
	journal->journals = io_open_dir(io, journal->base, "journal");
	if (journal->journals < 0)
		return journal->journals;
	if (options->known != NULL)
		journal->known = io->openat(
			io->ctx, IO_CWD, options->known, O_RDONLY | O_DIRECTORY);
	journal->quarantine = io_open_dir(io, journal->base, "quarantine");
	return journal->quarantine < 0 ? journal->quarantine : 0;
}

/* 1 when the folder holds a file of a journal. */
static int is_used(void *arg, const char *name)
{
	const struct journal *journal = arg;
	const struct io *io = journal->io;
	uint8_t id[JOURNAL_ID_SIZE];
	if (journal_id_parse(id, name) < 0)
		return 0;
	int dir = io->openat(io->ctx, journal->journals, name, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return dir == -ENOTDIR ? 0 : dir;
	struct listing listing = {0};
	int r = listing_load(&listing, io, dir);
	if (r == 0)
		r = listing.count > 0;
	listing_finish(&listing);
	io->close(io->ctx, dir);
	return r;
}

/* The old journal stays the current one unless all of it succeeds. */
static int start_new(struct journal *journal)
{
	const struct io *io = journal->io;
	uint8_t id[JOURNAL_ID_SIZE];
	char text[JOURNAL_ID_TEXT];
	int r = io->random(io->ctx, id, JOURNAL_ID_SIZE);
	if (r < 0)
		return r;
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	journal_id_format(text, id);
	int dir = io_open_dir(io, journal->journals, text);
	if (dir < 0)
		return dir;
	r = folder_write_current(io, journal->base, id);
	if (r < 0) {
		io->close(io->ctx, dir);
		return r;
	}
	if (journal->dir >= 0)
		io->close(io->ctx, journal->dir);
	journal->dir = dir;
	topics_finish(&journal->topics);
	writer_start(journal, id, 0);
	return 0;
}

/* --- opening */

static int recover_current(struct journal *journal, const struct journal_options *options,
	const uint8_t id[JOURNAL_ID_SIZE], struct journal_report *report)
{
	char text[JOURNAL_ID_TEXT];
	journal_id_format(text, id);
	const struct io *io = journal->io;
	journal->dir = io->openat(io->ctx, journal->journals, text, O_RDONLY | O_DIRECTORY);
	if (journal->dir == -ENOENT) {
		report->why = JOURNAL_NEW_LOST;
		return 0;
	}
	if (journal->dir < 0)
		return journal->dir;
	int r = recover(journal, options, id, report);
	if (r == 0 && report->why != JOURNAL_CONTINUED)
		r = writer_close(journal);
	return r;
}

static bool is_here(const struct journal *journal, const uint8_t id[JOURNAL_ID_SIZE])
{
	char text[JOURNAL_ID_TEXT];
	const struct io *io = journal->io;
	journal_id_format(text, id);
	int dir = io->openat(io->ctx, journal->journals, text, O_RDONLY | O_DIRECTORY);
	if (dir >= 0)
		io->close(io->ctx, dir);
	return dir >= 0;
}

/* The current journal, which may be a copy, or end before what is known elsewhere. */
static int take_current(struct journal *journal, const struct journal_options *options,
	const struct io_identity *identity, const uint8_t id[JOURNAL_ID_SIZE],
	struct journal_report *report)
{
	struct journal_options with = *options;
	bool is_it = report->has_other && memcmp(report->other.journal, id, JOURNAL_ID_SIZE) == 0;
	bool is_later = with.known_id == NULL || report->other.seq > with.known_seq;
	if (is_it && is_later) {
		with.known_id = report->other.journal;
		with.known_seq = report->other.seq;
	}
	report->has_old = true;
	memcpy(report->old_id, id, JOURNAL_ID_SIZE);
	int r = recover_current(journal, &with, id, report);
	if (r == 0 && report->why == JOURNAL_CONTINUED &&
		binding_differs(journal->io, journal->base, identity)) {
		report->why = JOURNAL_NEW_COPIED;
		r = writer_close(journal);
	}
	return r;
}

static int find_current(struct journal *journal, const struct journal_options *options,
	const struct io_identity *identity, struct journal_report *report)
{
	uint8_t id[JOURNAL_ID_SIZE];
	report->has_other = known_read(journal, &report->other);
	int r = folder_read_current(journal->io, journal->base, id);
	if (r == 0) {
		r = take_current(journal, options, identity, id, report);
	} else if (r == -ENOENT || r == -EINVAL) {
		int used = journal->io->list(journal->io->ctx, journal->journals, is_used, journal);
		bool is_first = used == 0 && r == -ENOENT;
		report->why = !is_first           ? JOURNAL_NEW_LOST
			      : report->has_other ? JOURNAL_NEW_GONE
						  : JOURNAL_NEW_FIRST;
		r = used < 0 ? used : 0;
	}
	if (report->has_other && is_here(journal, report->other.journal))
		report->has_other = false;
	return r;
}

/* Both are aids: a disk that is full does not keep a journal from being opened. */
static void note_place(const struct journal *journal, const struct io_identity *identity)
{
	int r = binding_write(journal->io, journal->base, identity);
	if (r == 0)
		r = known_write(journal);
	if (r < 0)
		log_warn("cannot note the place of the journal: %s", strerror(-r));
}

static void free_journal(struct journal *journal)
{
	const struct io *io = journal->io;
	writer_finish(journal);
	int fds[] = {journal->dir, journal->quarantine, journal->journals, journal->known,
		journal->lock, journal->base};
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (fds[i] >= 0)
			io->close(io->ctx, fds[i]);
	}
	free(journal);
}

int journal_open(struct journal **out, const struct io *io, const struct journal_options *options,
	struct journal_report *report)
{
	*report = (struct journal_report){0};
	struct journal *journal = malloc(sizeof *journal);
	if (journal == NULL)
		return -ENOMEM;
	*journal = (struct journal){
		.io = io,
		.base = -1,
		.journals = -1,
		.quarantine = -1,
		.known = -1,
		.lock = -1,
		.dir = -1,
		.segment.fd = -1,
		.segment_size = options->segment_size > 0 ? options->segment_size
							  : SEGMENT_SIZE_DEFAULT,
		.segment_age = options->segment_age > 0 ? options->segment_age
							: SEGMENT_AGE_DEFAULT,
		.template.sync_ms = options->sync_ms,
	};
	struct io_identity identity;
	int r = open_folders(journal, options);
	if (r == 0)
		r = io->boot_id(io->ctx, journal->template.boot);
	if (r == 0)
		r = journal->io->identify(journal->io->ctx, journal->base, &identity);
	if (r == 0)
		r = find_current(journal, options, &identity, report);
	if (r == 0 && report->why == JOURNAL_CONTINUED) {
		report->has_old = false;
	} else if (r == 0) {
		report->old_head = report->head;
		report->old_tc = report->last_tc;
		report->head = report->last_tc = report->clock_back = 0;
		r = start_new(journal);
	}
	if (r < 0) {
		free_journal(journal);
		return r;
	}
	memcpy(report->id, journal_id(journal), JOURNAL_ID_SIZE);
	note_place(journal, &identity);
	*out = journal;
	return 0;
}

int journal_close(struct journal *journal)
{
	if (journal == NULL)
		return 0;
	int r = writer_close(journal);
	free_journal(journal);
	return r;
}

/* --- questions */

const char *journal_error(int error)
{
	return error == -EPROTONOSUPPORT ? "it was written by a later version of assayd, and this "
					   "one cannot read it: install that version again"
					 : strerror(-error);
}

const uint8_t *journal_id(const struct journal *journal)
{
	return journal->template.journal;
}

uint64_t journal_head(const struct journal *journal)
{
	return journal->head;
}

unsigned journal_rescues(const struct journal *journal, int *error)
{
	*error = journal->rescue_error;
	return journal->rescues;
}

int journal_topics(const struct journal *journal,
	int (*each)(void *arg, const char *topic, size_t topic_len, uint64_t last), void *arg)
{
	const struct topics *topics = &journal->topics;
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < topics->count; i++) {
		const struct topic_row *topic = &topics->list[i];
		if (topic->last > 0)
			r = each(arg, topic->name, topic->len, topic->last);
	}
	return r;
}

int journal_free(const struct journal *journal, uint64_t *bytes)
{
	return journal->io->free_bytes(journal->io->ctx, journal->base, bytes);
}
