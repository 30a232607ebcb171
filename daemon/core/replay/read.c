/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "replay"
#include "base/clock.h"
#include "base/log.h"
#include "core/replay/read.h"
#include "record/entry.h"

#define READERS_MAX 8
#define IDLE_NS     (10 * NS_PER_S)

/* Seqs between two looks at the clock. */
#define STRIDE 4096

/* For the map before the entries. */
#define HEAD_BYTES ((size_t)4 << 10)

struct place {
	struct journal_reader *reader; /* NULL: free */
	uint8_t journal[JOURNAL_ID_SIZE];
	char topic[JOURNAL_TOPIC_MAX];
	size_t topic_len;
	bool is_prefix;
	uint64_t next; /* what the reader gives next, or the seq of `held` */
	uint8_t *held; /* an entry that did not fit into the last page */
	size_t held_len;
	size_t last_size; /* of the last page */
	uint64_t used;    /* CLOCK_BOOTTIME */

	/* The page that will be asked for next: wanted, or read already; then `next` is behind it. */
	bool wants_ahead;
	uint64_t ahead_to;
	size_t ahead_bytes;
	struct replay_part *ahead;
};

struct shelf {
	char path[PATH_MAX];
	uint64_t turn_ns;
	int error; /* of the last read; told when it changes */
	struct place places[READERS_MAX];
};

struct shelf *shelf_create(const char *path, unsigned turn_ms)
{
	struct shelf *shelf = calloc(1, sizeof *shelf);
	if (shelf == NULL)
		return NULL;
	snprintf(shelf->path, sizeof shelf->path, "%s", path);
	shelf->turn_ns = turn_ms * NS_PER_MS;
	return shelf;
}

static void drop_ahead(struct place *place)
{
	if (place->ahead != NULL)
		page_drop(place->ahead->page);
	free(place->ahead);
	place->ahead = NULL;
	place->wants_ahead = false;
}

static void clear(struct place *place)
{
	drop_ahead(place);
	journal_reader_close(place->reader);
	free(place->held);
	*place = (struct place){0};
}

void shelf_destroy(struct shelf *shelf)
{
	if (shelf == NULL)
		return;
	for (size_t i = 0; i < READERS_MAX; i++)
		clear(&shelf->places[i]);
	free(shelf);
}

void shelf_tidy(struct shelf *shelf)
{
	uint64_t now = clock_boot();
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (shelf->places[i].reader != NULL && now > shelf->places[i].used + IDLE_NS)
			clear(&shelf->places[i]);
	}
}

/* --- places ---------------------------------------------------------------------------------- */

static bool wants(void *arg, const char *topic, size_t len)
{
	const struct place *place = arg;
	return (place->is_prefix ? len >= place->topic_len : len == place->topic_len) &&
	       memcmp(topic, place->topic, place->topic_len) == 0;
}

static bool is_for(const struct place *place, const struct replay_part *part)
{
	return place->reader != NULL &&
	       memcmp(place->journal, part->journal, JOURNAL_ID_SIZE) == 0 &&
	       place->is_prefix == part->is_prefix && place->topic_len == part->topic_len &&
	       memcmp(place->topic, part->topic, part->topic_len) == 0;
}

static int open_place(struct shelf *shelf, struct place *place, const struct replay_part *part)
{
	clear(place);
	int r = journal_reader_open(
		&place->reader, &io_posix, shelf->path, part->journal, entry_place);
	if (r < 0) {
		place->reader = NULL;
		return r;
	}
	memcpy(place->journal, part->journal, JOURNAL_ID_SIZE);
	memcpy(place->topic, part->topic, part->topic_len);
	place->topic_len = part->topic_len;
	place->is_prefix = part->is_prefix;
	place->next = 1;
	if (part->topic_len > 0 || !part->is_prefix)
		journal_reader_filter(place->reader, wants, place);
	return 0;
}

/* Where the next page from this place begins. */
static uint64_t begin_of(const struct place *place)
{
	return place->ahead != NULL ? place->ahead->from : place->next;
}

static void seek(struct place *place, uint64_t seq)
{
	if (begin_of(place) == seq)
		return;
	drop_ahead(place);
	free(place->held);
	place->held = NULL;
	place->next = seq;
	journal_reader_seek(place->reader, seq);
}

/* The one that stands there already, one that can be moved there, or the one unused for longest. */
static int find_place(struct shelf *shelf, const struct replay_part *part, struct place **found)
{
	struct place *same = NULL, *oldest = &shelf->places[0];
	int r = 0;
	for (size_t i = 0; i < READERS_MAX; i++) {
		struct place *place = &shelf->places[i];
		if (is_for(place, part) && (same == NULL || begin_of(place) == part->from))
			same = place;
		if (place->used < oldest->used)
			oldest = place;
	}
	bool is_there = same != NULL && begin_of(same) == part->from;
	*found = same != NULL && (is_there || oldest->reader != NULL) ? same : oldest;
	if (*found != same)
		r = open_place(shelf, *found, part);
	if (r == 0)
		seek(*found, part->from);
	(*found)->used = clock_boot();
	return r;
}

/* --- pages ----------------------------------------------------------------------------------- */

static bool has_room(const struct replay_part *part, size_t len)
{
	if (part->page == NULL || page_count(part->page) == 0)
		return true;
	return page_count(part->page) < REPLAY_ENTRIES_MAX &&
	       page_bytes(part->page) + len + HEAD_BYTES <= part->bytes_max;
}

static int add_entry(
	struct place *place, struct replay_part *part, const uint8_t *bytes, size_t len)
{
	if (part->takes != NULL && !part->takes(part->arg, bytes, len))
		return 0;
	if (part->page == NULL) {
		bool was_full = place->last_size > part->bytes_max / 2;
		size_t size = was_full ? part->bytes_max : place->last_size;
		part->page = page_create(len > size ? len : size);
	}
	return part->page == NULL ? -ENOMEM : page_add(part->page, bytes, len);
}

/* 1: it did not fit and waits for the next page. */
static int take_entry(
	struct place *place, struct replay_part *part, const struct journal_found *found)
{
	if (has_room(part, found->len))
		return add_entry(place, part, found->bytes, found->len);
	place->held = malloc(found->len);
	if (place->held == NULL)
		return -ENOMEM;
	memcpy(place->held, found->bytes, found->len);
	place->held_len = found->len;
	place->next = found->seq;
	return 1;
}

static int take_gap(struct replay_part *part, const struct journal_found *found)
{
	bool is_pruned = found->kind == JOURNAL_GAP_PRUNED;
	struct replay_gap *last = part->gap_count > 0 ? &part->gaps[part->gap_count - 1] : NULL;
	if (last != NULL && last->to + 1 == found->seq && last->is_pruned == is_pruned) {
		last->to = found->to;
		return 0;
	}
	part->gaps[part->gap_count++] = (struct replay_gap){found->seq, found->to, is_pruned};
	return part->gap_count == REPLAY_GAPS_MAX;
}

static int give_held(struct place *place, struct replay_part *part)
{
	if (place->held == NULL)
		return 0;
	if (!has_room(part, place->held_len))
		return 1;
	int r = add_entry(place, part, place->held, place->held_len);
	if (r < 0)
		return r;
	free(place->held);
	place->held = NULL;
	place->next++;
	return 0;
}

/* One entry, one gap, or a stride of nothing.  1: the page is full. */
static int step(struct place *place, struct replay_part *part)
{
	struct journal_found found;
	uint64_t to = part->to - place->next < STRIDE ? part->to : place->next + STRIDE;
	int r = journal_reader_next(place->reader, to, &found);
	if (r < 0)
		return r;
	place->next = r == 0 ? to + 1 : found.to + 1;
	if (r == 0)
		return 0;
	return found.kind == JOURNAL_ENTRY ? take_entry(place, part, &found)
					   : take_gap(part, &found);
}

/* From where it stands until the page is full, the turn is over, or all is there. */
static int fill(struct place *place, struct replay_part *part, uint64_t turn_ns)
{
	uint64_t until = clock_boot() + turn_ns;
	int r = give_held(place, part);
	while (r == 0 && place->next <= part->to) {
		r = step(place, part);
		if (clock_boot() > until)
			break;
	}
	part->next = place->next <= part->to ? place->next : 0;
	return r < 0 ? r : 0;
}

/* --- the page after ---------------------------------------------------------------------------
 *
 * While a page is on its way, the next one is read: who pages through a journal waits for the
 * network only.
 */

static void want_ahead(struct place *place, const struct replay_part *part)
{
	place->wants_ahead = part->next != 0 && part->takes == NULL;
	place->ahead_to = part->to;
	place->ahead_bytes = part->bytes_max;
}

bool shelf_wants_ahead(const struct shelf *shelf)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (shelf->places[i].wants_ahead)
			return true;
	}
	return false;
}

static void read_ahead(struct place *place, uint64_t turn_ns)
{
	place->wants_ahead = false;
	struct replay_part *part = calloc(1, sizeof *part);
	if (part == NULL)
		return;
	part->from = place->next;
	part->to = place->ahead_to;
	part->bytes_max = place->ahead_bytes;
	int r = fill(place, part, turn_ns);
	place->ahead = part;
	if (r < 0)
		clear(place); /* who asks for it will be told */
}

void shelf_read_ahead(struct shelf *shelf)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (shelf->places[i].wants_ahead) {
			read_ahead(&shelf->places[i], shelf->turn_ns);
			return;
		}
	}
}

/* False: it is not what is asked for, and is read again. */
static bool take_ahead(struct place *place, struct replay_part *part)
{
	struct replay_part *ahead = place->ahead;
	if (ahead == NULL)
		return false;
	uint64_t end = ahead->next != 0 ? ahead->next : ahead->to + 1;
	bool fits = end - 1 <= part->to && ahead->bytes_max == part->bytes_max &&
		    part->takes == NULL && part->page == NULL && part->gap_count == 0;
	if (!fits) {
		uint64_t from = ahead->from;
		drop_ahead(place);
		seek(place, from);
		return false;
	}
	part->page = ahead->page;
	ahead->page = NULL;
	memcpy(part->gaps, ahead->gaps, sizeof part->gaps);
	part->gap_count = ahead->gap_count;
	part->next = end <= part->to ? end : 0;
	drop_ahead(place);
	return true;
}

int shelf_read(struct shelf *shelf, struct replay_part *part)
{
	struct place *place;
	assert(part->topic_len <= sizeof place->topic);
	assert(part->from > 0);
	part->next = 0;
	if (part->from > part->to)
		return 0;
	if (part->gap_count == REPLAY_GAPS_MAX) {
		part->next = part->from;
		return 0;
	}
	int r = find_place(shelf, part, &place);
	if (r == 0 && !take_ahead(place, part))
		r = fill(place, part, shelf->turn_ns);
	if (r != shelf->error && r < 0)
		log_error("a journal cannot be read: %s", strerror(-r));
	shelf->error = r;
	if (r < 0) {
		clear(place); /* where it stands is not known */
		return r;
	}
	place->last_size = part->page != NULL ? page_bytes(part->page) : 0;
	want_ahead(place, part);
	return 0;
}
