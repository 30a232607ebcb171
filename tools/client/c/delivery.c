/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"

#define JOURNALS_MAX 4096
#define HOLES_MAX    1024 /* of one fetch; more are merged into the last */

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

int delivery_create(struct delivery **out, const struct prefixes *prefixes,
	enum assay_client_start start, uint64_t start_at)
{
	struct delivery *d = calloc(1, sizeof *d);
	if (d == NULL)
		return -ENOMEM;
	d->holes = calloc(HOLES_MAX, sizeof *d->holes);
	if (d->holes == NULL) {
		free(d);
		return -ENOMEM;
	}
	d->prefixes = *prefixes;
	d->start = start;
	d->start_at = start_at;
	d->must_greet = true;
	*out = d;
	return 0;
}

void delivery_destroy(struct delivery *d)
{
	if (d == NULL)
		return;
	free(d->holes);
	free(d->journals);
	free(d->topics);
	marks_finish(&d->marks);
	free(d);
}

int delivery_put_mark(struct delivery *d, const struct assay_client_cursor *mark)
{
	return marks_put(&d->marks, mark);
}

static bool is_current(const struct delivery *d)
{
	return d->journals_count > 0 && d->at == d->journals_count - 1;
}

static uint64_t last_of(const struct delivery *d)
{
	return is_current(d) ? d->head : d->journals[d->at].last;
}

static ssize_t find_journal(const struct delivery *d, const uint8_t *id)
{
	for (size_t i = 0; i < d->journals_count; i++) {
		if (memcmp(d->journals[i].id, id, ASSAY_UUID_SIZE) == 0)
			return (ssize_t)i;
	}
	return -1;
}

/* --- topics of the journal that is read ------------------------------------------------------- */

static int compare_topic(const struct topic *topic, struct assay_string name)
{
	int r = strncmp(topic->name, name.data, name.len);
	return r != 0 ? r : topic->name[name.len] != '\0';
}

/* Where the topic is, or belongs. */
static size_t place_of(const struct delivery *d, struct assay_string name)
{
	size_t low = 0, high = d->topics_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_topic(&d->topics[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool make_room(struct delivery *d)
{
	if (d->topics_count < d->topics_size)
		return true;
	size_t size = d->topics_size > 0 ? 2 * d->topics_size : 16;
	void *topics = reallocarray(d->topics, size, sizeof *d->topics);
	if (topics == NULL) {
		d->error = -ENOMEM;
		return false;
	}
	d->topics = topics;
	d->topics_size = size;
	return true;
}

/* The topic, new at the position that marks give it; NULL: not wanted, or no memory (d->error). */
static struct topic *topic_of(struct delivery *d, struct assay_string name)
{
	if (name.len == 0 || name.len > ASSAY_TOPIC_MAX ||
		memchr(name.data, '\0', name.len) != NULL || prefixes_find(&d->prefixes, name) < 0)
		return NULL;
	size_t i = place_of(d, name);
	if (i < d->topics_count && compare_topic(&d->topics[i], name) == 0)
		return &d->topics[i];
	if (!make_room(d))
		return NULL;
	memmove(&d->topics[i + 1], &d->topics[i], (d->topics_count - i) * sizeof *d->topics);
	d->topics_count++;
	struct topic *t = &d->topics[i];
	snprintf(t->name, sizeof t->name, "%.*s", (int)name.len, name.data);
	t->cursor = t->want = marks_floor(&d->marks, d->id, t->name);
	return t;
}

static void put_mark(struct delivery *d, const char *topic, uint64_t seq)
{
	struct assay_client_cursor mark = mark_of(d->id, topic, seq);
	if (marks_put(&d->marks, &mark) < 0)
		d->error = -ENOMEM;
}

static void keep_topics(struct delivery *d)
{
	for (size_t i = 0; i < d->topics_count; i++)
		put_mark(d, d->topics[i].name, d->topics[i].cursor);
	d->topics_count = 0;
}

/* --- from journal to journal ------------------------------------------------------------------ */

static void begin_journal(struct delivery *d, size_t at)
{
	keep_topics(d);
	d->at = at;
	memcpy(d->id, d->journals[at].id, ASSAY_UUID_SIZE);
	d->stage = STAGE_SCAN;
	d->prefix = 0;
	d->settled = d->seq = d->merged = 0;
	d->has_merged = d->is_fetching = d->is_ending = d->is_reading = false;
}

/* A mark in a later journal means that this one was read to its end. */
static bool is_passed(const struct delivery *d, size_t at, const char *prefix)
{
	for (size_t i = at + 1; i < d->journals_count; i++) {
		if (marks_below(&d->marks, d->journals[i].id, prefix) ||
			marks_floor(&d->marks, d->journals[i].id, prefix) > 0)
			return true;
	}
	return false;
}

static void begin_fetch(
	struct delivery *d, bool is_by_topic, const char *name, uint64_t from, uint64_t to)
{
	d->is_fetching = true;
	d->is_last_page = d->is_ending = d->is_short = d->may_seek_on = false;
	d->is_by_topic = is_by_topic;
	snprintf(d->name, sizeof d->name, "%s", name);
	d->from = from;
	d->to = to;
	d->holes_count = d->holes_given = 0;
}

static bool is_whole_topic(const char *name)
{
	size_t slashes = 0;
	for (const char *at = name; *at != '\0'; at++)
		slashes += *at == '/';
	return slashes == 6 && name[strlen(name) - 1] == '/';
}

/*
 * Begins the scan of one prefix, if there is something to be scanned.  In the current journal a
 * client that comes back asks topic by topic: its position on one may be far behind the others'.
 */
static bool begin_scan(struct delivery *d, const char *prefix)
{
	if (is_current(d) ? marks_below(&d->marks, d->id, prefix) : is_passed(d, d->at, prefix))
		return false;
	uint64_t floor = marks_floor(&d->marks, d->id, prefix), last = last_of(d);
	if (last <= floor)
		return false;
	if (floor < d->settled)
		floor = d->settled;
	if (last <= floor && is_current(d))
		return false;
	begin_fetch(d, is_whole_topic(prefix), prefix, floor + 1, last);
	d->is_last_page = d->is_ending = last <= floor; /* only its end is to be said */
	return true;
}

static void settle(struct delivery *d)
{
	if (d->stage != STAGE_FOLLOW || d->is_fetching || !d->has_merged)
		return;
	for (size_t i = 0; i < d->topics_count; i++) {
		if (d->topics[i].want > d->topics[i].cursor)
			return;
	}
	d->settled = d->merged;
	if (d->seq < d->merged)
		d->seq = d->merged;
	if (d->settled >= d->goal || memcmp(d->id, d->goal_id, ASSAY_UUID_SIZE) != 0)
		d->is_past_goal = true;
}

/* The next topic with something to fetch. */
static bool begin_topic(struct delivery *d)
{
	for (size_t i = 0; i < d->topics_count; i++) {
		const struct topic *t = &d->topics[i];
		if (t->want > t->cursor) {
			begin_fetch(d, true, t->name, t->cursor + 1, t->want);
			return true;
		}
	}
	return false;
}

/* Begins what comes next; false: there is nothing to fetch now. */
static bool advance(struct delivery *d)
{
	while (d->stage == STAGE_SCAN) {
		if (d->prefix < d->prefixes.count) {
			if (begin_scan(d, d->prefixes.names[d->prefix]))
				return true;
			d->prefix++;
		} else if (is_current(d)) {
			d->stage = STAGE_FOLLOW;
		} else {
			begin_journal(d, d->at + 1);
			d->must_greet = is_current(d); /* what topics are there by now? */
		}
		if (d->must_greet)
			return false;
	}
	if (d->stage == STAGE_FOLLOW && begin_topic(d))
		return true;
	settle(d);
	return false;
}

/* --- where to begin --------------------------------------------------------------------------- */

/* Nothing up to `floor` of journals[at] is wanted. */
static void begin_after(struct delivery *d, size_t at, uint64_t floor)
{
	begin_journal(d, at);
	for (size_t i = 0; i < d->prefixes.count; i++)
		put_mark(d, d->prefixes.names[i], floor);
	memcpy(d->begin_id, d->id, ASSAY_UUID_SIZE);
	d->has_begin = true;
}

static void begin_seek(struct delivery *d, size_t at)
{
	d->at = at;
	memcpy(d->id, d->journals[at].id, ASSAY_UUID_SIZE);
	d->stage = STAGE_SEEK;
	d->is_fetching = false;
	d->low = d->journals[at].first;
	d->high = last_of(d) + 1;
}

/* One step of the search for the first entry that was committed at or after `start_at`. */
static bool seek(struct delivery *d)
{
	while (d->low >= d->high) {
		if (d->low <= last_of(d) || is_current(d)) {
			d->is_waiting = d->low > last_of(d);
			begin_after(d, d->at, d->low - 1);
			return false;
		}
		begin_seek(d, d->at + 1);
	}
	begin_fetch(d, false, "a1/", d->low + (d->high - d->low) / 2, last_of(d));
	d->found_seq = 0;
	return true;
}

static void seek_done(struct delivery *d)
{
	uint64_t asked = d->low + (d->high - d->low) / 2;
	if (d->found_seq > 0 && d->found_tc < d->start_at)
		d->low = d->found_seq + 1;
	else
		d->high = asked;
	d->is_fetching = false;
}

static void begin(struct delivery *d)
{
	size_t current = d->journals_count - 1;
	d->goal = d->head;
	memcpy(d->goal_id, d->journals[current].id, ASSAY_UUID_SIZE);
	if (d->marks.count > 0)
		begin_journal(d, 0);
	else if (d->start == ASSAY_START_OLDEST)
		begin_after(d, 0, 0);
	else if (d->start == ASSAY_START_NOW)
		begin_after(d, current, d->head);
	else if (d->start == ASSAY_START_SEQ)
		begin_after(d, current, d->start_at > 0 ? d->start_at - 1 : 0);
	else
		begin_seek(d, 0);
}

/* --- asking ----------------------------------------------------------------------------------- */

enum delivery_need delivery_need(struct delivery *d, struct message_fetch *fetch)
{
	if (d->has_asked)
		return DELIVERY_NOTHING;
	if (d->must_greet)
		return DELIVERY_HELLO;
	if (!d->is_fetching && d->stage == STAGE_SEEK)
		seek(d);
	if (!d->is_fetching)
		advance(d);
	if (d->must_greet)
		return DELIVERY_HELLO;
	if (!d->is_fetching || d->is_last_page || d->is_ending)
		return DELIVERY_NOTHING;
	*fetch = (struct message_fetch){.journal = d->id,
		.name = d->name,
		.is_prefix = !d->is_by_topic,
		.from = d->from,
		.to = d->to,
		.max_bytes = d->stage == STAGE_SEEK ? 1 : 0};
	return DELIVERY_FETCH;
}

void delivery_asked(struct delivery *d)
{
	d->has_asked = true;
}

void delivery_reconnected(struct delivery *d)
{
	d->must_greet = true;
	d->has_asked = false;
	if (!d->is_reading)
		return;
	/* A page that could not be read to its end is asked for again. */
	d->is_reading = d->is_last_page = false;
	d->from = d->page_from;
	while (d->holes_count > 0 && d->holes[d->holes_count - 1].to >= d->from)
		d->holes_count--;
	if (d->holes_given > d->holes_count)
		d->holes_given = d->holes_count;
}

bool delivery_pause(struct delivery *d)
{
	bool must_pause = d->must_pause;
	d->must_pause = false;
	return must_pause;
}

int delivery_refused(struct delivery *d, enum message_error error)
{
	d->has_asked = false;
	d->must_pause = true;
	switch (error) {
	case MESSAGE_WRONG_JOURNAL:
	case MESSAGE_NOT_FOUND: d->must_greet = true; return 0;
	case MESSAGE_BUSY:
	case MESSAGE_FAILED: return 0;
	case MESSAGE_NOT_AUTHORISED: return -EACCES;
	case MESSAGE_BAD_REQUEST:
	case MESSAGE_UNSUPPORTED: break;
	}
	return -EPROTO;
}

/* --- what the daemon says of itself ----------------------------------------------------------- */

struct listing {
	struct journal *items;
	size_t count, size;
};

static int add_journal(void *arg, const struct message_journal *from)
{
	struct listing *list = arg;
	if (list->count == list->size)
		return -EBADMSG;
	struct journal *to = &list->items[list->count++];
	memcpy(to->id, from->id, ASSAY_UUID_SIZE);
	to->first = from->first > 0 ? from->first : 1;
	to->last = from->last;
	return 0;
}

static int read_journals(struct delivery *d, const struct message *welcome)
{
	struct listing list = {.size = welcome->journals_count};
	if (list.size == 0 || list.size > JOURNALS_MAX)
		return -EBADMSG;
	list.items = calloc(list.size, sizeof *list.items);
	if (list.items == NULL)
		return -ENOMEM;
	int r = message_journals(welcome, add_journal, &list);
	if (r == 0 && memcmp(list.items[list.count - 1].id, welcome->journal, ASSAY_UUID_SIZE) != 0)
		r = -EBADMSG;
	if (r < 0) {
		free(list.items);
		return r;
	}
	free(d->journals);
	d->journals = list.items;
	d->journals_count = list.count;
	return 0;
}

static int want_topic(void *arg, struct assay_string name, uint64_t last)
{
	struct delivery *d = arg;
	struct topic *t = topic_of(d, name);
	if (t != NULL && last > t->want)
		t->want = last;
	return d->error;
}

static int merge(struct delivery *d, struct assay_span topics, uint64_t head)
{
	int r = message_topics(topics, want_topic, d);
	if (r < 0)
		return r;
	d->has_merged = true;
	if (head > d->merged)
		d->merged = head;
	return 0;
}

/* The journal that was read is an older one now, or not there any more. */
static void go_on(struct delivery *d, bool was_current)
{
	ssize_t at = find_journal(d, d->id);
	if (at < 0) {
		keep_topics(d);
		d->lost_note = 0;
		begin_journal(d, 0);
		return;
	}
	d->at = (size_t)at;
	if (was_current && !is_current(d)) {
		uint64_t settled = d->settled;
		begin_journal(d, d->at);
		d->settled = settled;
	}
}

int delivery_welcome(struct delivery *d, const struct message *welcome)
{
	bool was_current = is_current(d);
	int r = read_journals(d, welcome);
	if (r < 0)
		return r;
	d->has_asked = d->must_greet = false;
	d->head = welcome->head;
	if (d->stage == STAGE_NEW || d->stage == STAGE_SEEK)
		begin(d);
	else
		go_on(d, was_current);
	if (is_current(d) && d->stage != STAGE_SEEK)
		r = merge(d, welcome->topics, welcome->head);
	return r < 0 ? r : d->error;
}

int delivery_head(struct delivery *d, const struct head_view *head)
{
	if (d->stage == STAGE_NEW)
		return 0;
	ssize_t at = find_journal(d, head->journal);
	if (at < 0) {
		d->must_greet = true;
		return 0;
	}
	if ((size_t)at != d->journals_count - 1)
		return 0;
	if (head->head > d->head)
		d->head = head->head;
	if (!is_current(d) || d->stage == STAGE_SEEK)
		return 0;
	int r = merge(d, head->topics, head->head);
	settle(d);
	return r < 0 ? r : d->error;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* A beginning in the future: what comes until then in this journal is not meant. */
static bool is_too_early(struct delivery *d, const struct assay_entry_view *entry)
{
	if (!d->is_waiting || entry->tc >= d->start_at ||
		memcmp(d->begin_id, d->id, ASSAY_UUID_SIZE) != 0)
		d->is_waiting = false;
	return d->is_waiting;
}

static enum delivery_verdict give(
	struct delivery *d, struct topic *t, const struct assay_entry_view *entry)
{
	t->cursor = entry->seq;
	if (t->want < entry->seq)
		t->want = entry->seq;
	if (d->seq < entry->seq)
		d->seq = entry->seq;
	return is_too_early(d, entry) ? DELIVERY_DROP : DELIVERY_GIVE;
}

enum delivery_verdict delivery_live_entry(struct delivery *d, const struct assay_entry_view *entry)
{
	if (d->stage == STAGE_NEW)
		return DELIVERY_DROP;
	if (find_journal(d, entry->journal) < 0)
		d->must_greet = true;
	if (!is_current(d) || d->stage == STAGE_SEEK ||
		memcmp(entry->journal, d->id, ASSAY_UUID_SIZE) != 0)
		return DELIVERY_DROP;
	struct topic *t = topic_of(d, entry->topic);
	if (t == NULL || entry->seq <= t->cursor || entry->prev >= entry->seq)
		return DELIVERY_DROP;
	if (entry->seq > d->head)
		d->head = entry->seq;
	if (entry->prev <= t->cursor)
		return give(d, t, entry);
	if (t->want <= t->cursor)
		d->refetched++;
	if (t->want < entry->seq)
		t->want = entry->seq;
	return DELIVERY_DROP;
}

/* The part of (t->cursor, upto] that is said to be lost first; the topic goes on behind it. */
static void note_gap(struct delivery *d, struct topic *t, uint64_t upto, struct delivery_note *note)
{
	uint64_t from = t->cursor + 1;
	*note = (struct delivery_note){
		.kind = DELIVERY_GAP, .first = from, .why = ASSAY_GAP_DAMAGED};
	uint64_t to = upto;
	for (size_t i = 0; i < d->holes_count; i++) {
		const struct message_gap *hole = &d->holes[i];
		if (hole->to < from || hole->from > upto)
			continue;
		note->first = hole->from > from ? hole->from : from;
		to = hole->to < upto ? hole->to : upto;
		note->why = hole->why;
		break;
	}
	note->cursor = mark_of(d->id, t->name, to);
	t->cursor = to;
}

static struct delivery_note prefix_note(
	const struct delivery *d, enum delivery_note_kind kind, uint64_t seq)
{
	return (struct delivery_note){.kind = kind, .cursor = mark_of(d->id, d->name, seq)};
}

/*
 * An older journal: which topics it had is not known, so a hole is one of the prefix, given in its
 * place; positions of topics go on behind it.
 */
static bool note_hole(struct delivery *d, uint64_t before, struct delivery_note *note)
{
	while (d->holes_given < d->holes_count) {
		struct message_gap hole = d->holes[d->holes_given];
		if (hole.from >= before)
			return false;
		d->holes_given++;
		uint64_t floor = marks_floor(&d->marks, d->id, d->name);
		if (hole.to <= floor)
			continue;
		*note = prefix_note(d, DELIVERY_GAP, hole.to);
		note->first = hole.from > floor ? hole.from : floor + 1;
		note->why = hole.why;
		put_mark(d, d->name, hole.to);
		for (size_t i = 0; i < d->topics_count; i++) {
			struct topic *t = &d->topics[i];
			struct assay_string name = {t->name, strlen(t->name)};
			if (prefix_covers(d->name, name) && t->cursor < hole.to)
				t->cursor = hole.to;
		}
		return true;
	}
	return false;
}

static bool is_asked_for(const struct delivery *d, const struct assay_entry_view *entry)
{
	return d->is_fetching && memcmp(entry->journal, d->id, ASSAY_UUID_SIZE) == 0 &&
	       prefix_covers(d->name, entry->topic) && entry->prev < entry->seq &&
	       entry->seq <= d->to;
}

enum delivery_verdict delivery_page_entry(
	struct delivery *d, const struct assay_entry_view *entry, struct delivery_note *note)
{
	if (!is_asked_for(d, entry))
		return DELIVERY_DROP;
	if (d->stage == STAGE_SEEK) {
		if (d->found_seq == 0) {
			d->found_seq = entry->seq;
			d->found_tc = entry->tc;
		}
		return DELIVERY_DROP;
	}
	if (d->seq < entry->seq)
		d->seq = entry->seq;
	if (!is_current(d) && note_hole(d, entry->seq, note))
		return DELIVERY_NOTED;
	struct topic *t = topic_of(d, entry->topic);
	if (t == NULL || entry->seq <= t->cursor)
		return DELIVERY_DROP;
	if (entry->prev > t->cursor) {
		note_gap(d, t, entry->prev, note);
		return DELIVERY_NOTED;
	}
	return give(d, t, entry);
}

static int add_hole(void *arg, const struct message_gap *gap)
{
	struct delivery *d = arg;
	struct message_gap hole = *gap;
	if (hole.from < d->from)
		hole.from = d->from;
	if (hole.to > d->to)
		hole.to = d->to;
	if (hole.from > hole.to)
		return 0;
	struct message_gap *last = d->holes_count > 0 ? &d->holes[d->holes_count - 1] : NULL;
	if (last != NULL && hole.from <= last->to)
		return -EBADMSG;
	bool is_same = last != NULL && d->holes_given < d->holes_count &&
		       hole.from == last->to + 1 && hole.why == last->why;
	if (!is_same && d->holes_count == HOLES_MAX && !is_current(d))
		return -EBADMSG;
	if (is_same || d->holes_count == HOLES_MAX) {
		last->to = hole.to;
		return 0;
	}
	d->holes[d->holes_count++] = hole;
	return 0;
}

int delivery_page(struct delivery *d, const struct message *data)
{
	d->has_asked = false;
	if (!d->is_fetching || d->is_reading || (data->next != 0 && data->next <= d->from))
		return -EBADMSG;
	d->is_reading = true;
	d->page_from = d->from;
	if (d->holes_given == d->holes_count)
		d->holes_given = d->holes_count = 0;
	int r = message_gaps(data, add_hole, d);
	if (r < 0)
		return r;
	d->is_last_page = data->next == 0 || data->next > d->to;
	/* What was announced is not there yet: not lost, but later. */
	d->is_short = d->is_last_page && data->head < d->to && is_current(d);
	d->must_pause = d->must_pause || d->is_short;
	if (!d->is_last_page)
		d->from = data->next;
	/* A seek wants one entry; asking on before it was looked at would be for nothing. */
	d->may_seek_on = d->stage == STAGE_SEEK && !d->is_last_page;
	d->is_last_page = d->is_last_page || d->may_seek_on;
	return 0;
}

int delivery_page_done(struct delivery *d)
{
	d->is_reading = false;
	if (d->is_fetching && d->is_last_page) {
		if (d->may_seek_on && d->found_seq == 0)
			d->is_last_page = false;
		else if (d->stage == STAGE_SEEK)
			seek_done(d);
		else
			d->is_ending = true;
	}
	return d->error;
}

/* --- notes ------------------------------------------------------------------------------------ */

/* Everything of what was fetched has been looked at: what did not come is lost. */
static bool note_ending(struct delivery *d, struct delivery_note *note)
{
	struct assay_string name = {d->name, strlen(d->name)};
	if (d->stage == STAGE_FOLLOW) {
		struct topic *t = topic_of(d, name);
		if (t != NULL && t->cursor < d->to && !d->is_short) {
			note_gap(d, t, d->to, note);
			return true;
		}
	} else if (!is_current(d) && note_hole(d, UINT64_MAX, note)) {
		return true;
	}
	bool is_end = d->stage == STAGE_SCAN && !is_current(d);
	if (is_end) {
		*note = prefix_note(d, DELIVERY_END, d->to);
		put_mark(d, d->name, d->to);
	}
	if (d->stage == STAGE_SCAN)
		d->prefix++;
	d->is_fetching = d->is_ending = false;
	advance(d);
	return is_end;
}

/* Also where nothing was passed: so a cursor of the daemon says what its consumer will want. */
static bool note_begin(struct delivery *d, struct delivery_note *note)
{
	if (!d->has_begin || d->begin_note == d->prefixes.count)
		return false;
	const char *prefix = d->prefixes.names[d->begin_note++];
	uint64_t floor = marks_get(&d->marks, d->begin_id, prefix);
	*note = (struct delivery_note){
		.kind = DELIVERY_MARK, .cursor = mark_of(d->begin_id, prefix, floor)};
	return true;
}

/* A journal in which the consumer has been is gone: what came after its mark cannot be had. */
static bool note_lost(struct delivery *d, struct delivery_note *note)
{
	for (; d->journals_count > 0 && d->lost_note < d->marks.count; d->lost_note++) {
		struct assay_client_cursor *mark = &d->marks.items[d->lost_note];
		struct assay_string topic = {mark->topic, strlen(mark->topic)};
		if (mark->seq >= DELIVERY_LOST || find_journal(d, mark->journal) >= 0 ||
			prefixes_find(&d->prefixes, topic) < 0)
			continue;
		*note = (struct delivery_note){.kind = DELIVERY_GAP,
			.cursor = mark_of(mark->journal, mark->topic, DELIVERY_LOST),
			.first = mark->seq + 1,
			.why = ASSAY_GAP_DAMAGED};
		mark->seq = DELIVERY_LOST;
		return true;
	}
	return false;
}

int delivery_note(struct delivery *d, struct delivery_note *note)
{
	if (d->error < 0)
		return d->error;
	if (note_lost(d, note))
		return 1;
	if (note_begin(d, note))
		return 1;
	if (d->stage >= STAGE_SCAN && !d->is_fetching && !d->must_greet)
		advance(d);
	while (d->is_ending) {
		if (note_ending(d, note))
			return 1;
	}
	return 0;
}

/* --- how it goes ------------------------------------------------------------------------------ */

bool delivery_is_live(const struct delivery *d)
{
	return d->stage == STAGE_FOLLOW && !d->must_greet && !d->is_fetching && d->has_merged &&
	       d->settled >= d->merged;
}

bool delivery_is_past_start(const struct delivery *d)
{
	return d->is_past_goal;
}

const uint8_t *delivery_journal(const struct delivery *d, uint64_t *seq, uint64_t *head)
{
	if (d->stage == STAGE_NEW)
		return NULL;
	*seq = d->seq;
	*head = is_current(d) ? d->head : d->journals[d->at].last;
	return d->id;
}

uint64_t delivery_refetched(const struct delivery *d)
{
	return d->refetched;
}
