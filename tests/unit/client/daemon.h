/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon of the mind: journals of entries without content, and answers as the real one gives. */
#ifndef TEST_CLIENT_DAEMON_H
#define TEST_CLIENT_DAEMON_H

#include "base/buffer.h"
#include "message.h"
#include "record/entry.h"

#define TOPICS   7
#define JOURNALS 6
#define ENTRIES  3000 /* of one journal */

struct fake_entry {
	uint8_t topic;
	uint64_t prev;
	bool is_gone;
};

struct fake_journal {
	uint8_t id[ASSAY_UUID_SIZE];
	uint64_t count;
	uint64_t last[TOPICS];
	struct fake_entry entries[ENTRIES + 1]; /* by seq */
};

struct fake_daemon {
	struct fake_journal journals[JOURNALS];
	size_t count;
	uint64_t page; /* entries of one answer */
};

extern const char *const fake_topics[TOPICS];

/* A new journal; the one before stays readable. */
void fake_renew(struct fake_daemon *daemon);

/* Commits one entry on this topic to the current journal. */
void fake_commit(struct fake_daemon *daemon, size_t topic);

/* Removes the entries first ... last of a journal. */
void fake_prune(struct fake_daemon *daemon, size_t journal, uint64_t first, uint64_t last);

/* The view of an entry, and the content of the heartbeat. */
struct assay_entry_view fake_view(const struct fake_daemon *daemon, size_t journal, uint64_t seq);
void fake_head(const struct fake_daemon *daemon, struct buffer *to);

/* The first part of an answer, and of a fetch the seqs of its entries, at most daemon->page. */
void fake_welcome(const struct fake_daemon *daemon, struct buffer *to);
size_t fake_fetch(const struct fake_daemon *daemon, const struct message_fetch *fetch,
	struct buffer *to, size_t *journal, uint64_t *seqs);

#endif
