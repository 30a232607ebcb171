/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The position of a delivery: its journal, the positions of the topics in it, and the next fetch.
 * For delivery.c and notes.c.
 */
#ifndef ASSAY_CLIENT_PLACE_H
#define ASSAY_CLIENT_PLACE_H

#include "delivery.h"

#define HOLES_MAX 1024 /* of one fetch; further ones are merged into the last */

enum stage {
	STAGE_NEW,    /* no welcome yet */
	STAGE_SEEK,   /* searches the first entry of a time */
	STAGE_SCAN,   /* reads the journal `at` prefix by prefix */
	STAGE_FOLLOW, /* the current journal, topic by topic */
};

struct known_journal {
	uint8_t id[ASSAY_UUID_SIZE];
	uint64_t first, last;
};

struct topic_state {
	char name[ASSAY_TOPIC_MAX + 1];
	uint64_t cursor; /* entries up to here were delivered, or reported as lost */
	uint64_t want;   /* an entry that is known to exist */
};

struct delivery {
	struct prefixes prefixes;
	enum assay_client_start start;
	uint64_t start_at;
	enum stage stage;
	bool needs_hello, has_sent, must_pause;
	int error; /* sticky: -ENOMEM */

	struct known_journal *journals; /* oldest first, the current one last */
	size_t journals_count;
	struct marks marks;

	uint8_t id[ASSAY_UUID_SIZE]; /* of journals[at] */
	size_t at;
	struct topic_state *topics; /* of journals[at], sorted by name */
	size_t topics_count, topics_size;
	size_t prefix;    /* STAGE_SCAN: being scanned, or next */
	uint64_t settled; /* all wanted entries up to here were delivered */
	uint64_t head;    /* last entry that the daemon has announced */
	uint64_t merged;  /* the head whose topics are in `topics[].want` */
	uint64_t seq;     /* last entry processed */
	uint64_t goal;    /* head of the first welcome */
	uint64_t refetched;
	uint8_t goal_id[ASSAY_UUID_SIZE];
	bool has_merged, is_past_goal;

	/* the fetch, until all its entries are processed */
	bool is_fetching, is_last_page, is_ending, is_short, may_seek_on;
	bool is_by_topic;
	char name[ASSAY_TOPIC_MAX + 1];
	uint64_t from, to;
	bool is_reading; /* a page, which began at page_from */
	uint64_t page_from;
	struct message_gap *holes;
	size_t holes_count, holes_given;

	size_t start_note; /* prefixes whose first DELIVERY_MARK was delivered */
	bool has_start_notes, is_waiting;
	uint8_t start_id[ASSAY_UUID_SIZE];
	size_t lost_note;   /* marks checked for lost journals */
	uint64_t low, high; /* STAGE_SEEK: [low, high) is left */
	uint64_t found_seq, found_tc;
};

/* True if it reads the journal in use; the last entry of its journal; the index of one, or -1. */
bool place_is_current(const struct delivery *d);
uint64_t place_last(const struct delivery *d);
ssize_t place_find(const struct delivery *d, const uint8_t *id);

/* The topic, added at the position of its mark; NULL: not wanted, or no memory (d->error). */
struct topic_state *place_topic(struct delivery *d, struct assay_string name);

/* Entries up to `seq` on this topic or prefix of the journal are done. */
void place_mark(struct delivery *d, const char *topic, uint64_t seq);

/* After a welcome: starts at the marks or as the options say. */
void place_start(struct delivery *d);
/* After a later one: its journal may be an older one now, or gone. */
void place_continue(struct delivery *d, bool was_current);

/* Starts the next fetch; false: there is none, or the journals must be requested first. */
bool place_advance(struct delivery *d);

/* Updates `settled` when all entries that are known to exist were delivered. */
void place_settle(struct delivery *d);

/* One step of the search for a time; false: it has ended.  place_found() takes its result. */
bool place_seek(struct delivery *d);
void place_found(struct delivery *d);

#endif
