/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a delivery stands: its journal, the topics' positions in it, and what it fetches next.  For
 * delivery.c and notes.c.
 */
#ifndef ASSAY_CLIENT_PLACE_H
#define ASSAY_CLIENT_PLACE_H

#include "delivery.h"

#define HOLES_MAX 1024 /* of one fetch; more are merged into the last */

enum stage {
	STAGE_NEW,    /* no welcome yet */
	STAGE_SEEK,   /* looking for the first entry of a time */
	STAGE_SCAN,   /* reading the journal `at` prefix by prefix */
	STAGE_FOLLOW, /* the current journal, topic by topic */
};

struct journal {
	uint8_t id[ASSAY_UUID_SIZE];
	uint64_t first, last;
};

struct topic {
	char name[ASSAY_TOPIC_MAX + 1];
	uint64_t cursor; /* everything up to here was given, or said to be lost */
	uint64_t want;   /* an entry that is known to exist */
};

struct delivery {
	struct prefixes prefixes;
	enum assay_client_start start;
	uint64_t start_at;
	enum stage stage;
	bool must_greet, has_asked, must_pause;
	int error; /* sticky: -ENOMEM */

	struct journal *journals; /* oldest first, the current one last */
	size_t journals_count;
	struct marks marks;

	uint8_t id[ASSAY_UUID_SIZE]; /* of journals[at] */
	size_t at;
	struct topic *topics; /* of journals[at], sorted by name */
	size_t topics_count, topics_size;
	size_t prefix;    /* STAGE_SCAN: being scanned, or next */
	uint64_t settled; /* everything that is wanted up to here was given */
	uint64_t head;    /* last entry that the daemon named */
	uint64_t merged;  /* the head whose topics are in `topics[].want` */
	uint64_t seq;     /* last one looked at */
	uint64_t goal;    /* head of the first welcome */
	uint64_t refetched;
	uint8_t goal_id[ASSAY_UUID_SIZE];
	bool has_merged, is_past_goal;

	/* what was asked for, until everything of it was looked at */
	bool is_fetching, is_last_page, is_ending, is_short, may_seek_on;
	bool is_by_topic;
	char name[ASSAY_TOPIC_MAX + 1];
	uint64_t from, to;
	bool is_reading; /* a page, which began at page_from */
	uint64_t page_from;
	struct message_gap *holes;
	size_t holes_count, holes_given;

	size_t begin_note; /* prefixes whose DELIVERY_MARK at the beginning was given */
	bool has_begin, is_waiting;
	uint8_t begin_id[ASSAY_UUID_SIZE];
	size_t lost_note;   /* marks that were looked at for lost journals */
	uint64_t low, high; /* STAGE_SEEK: [low, high) is left */
	uint64_t found_seq, found_tc;
};

/* True when the journal that is read is the one in use; its last entry; where one is listed, or -1. */
bool place_is_current(const struct delivery *d);
uint64_t place_last(const struct delivery *d);
ssize_t place_find(const struct delivery *d, const uint8_t *id);

/* The topic, new at the position that marks give it; NULL: not wanted, or no memory (d->error). */
struct topic *place_topic(struct delivery *d, struct assay_string name);

/* Everything up to `seq` on this topic or prefix of the journal is dealt with. */
void place_mark(struct delivery *d, const char *topic, uint64_t seq);

/* The journals are known: begins where marks or the options say, or goes on in them. */
void place_begin(struct delivery *d);
void place_go_on(struct delivery *d, bool was_current);

/* Begins what is to be fetched next; false: nothing now, or what journals there are must be asked. */
bool place_advance(struct delivery *d);

/* Takes note when everything that is known to exist was given. */
void place_settle(struct delivery *d);

/* One step of the search for a time, and what it found; false: it is over. */
bool place_seek(struct delivery *d);
void place_sought(struct delivery *d);

#endif
