/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "look.h"
#include "options.h"
#include "outbox.h"

/* How long it has to last: a member of the options, or 0. */
struct kind {
	const char *name, *remedy;
	size_t hold; /* offset in struct alert_options; 0: reported at once */
	bool once;   /* no reminder: another kind follows */
};

#define AFTER(member) .hold = offsetof(struct alert_options, member)

static const struct kind kinds[CONDITION_KINDS] = {
	[CONDITION_SILENT] = {"silent", "systemctl status assayd; journalctl -u assayd",
		AFTER(silent)},
	[CONDITION_JOURNAL] = {"journal",
		"nothing is published until it is repaired: assayctl status, and the disk"},
	[CONDITION_DISK] = {"disk", "make space, never by deleting files of the journal"},
	[CONDITION_CONFIG] = {"config", "assayctl check, correct the file, assayctl reload"},
	[CONDITION_CLOCK] = {"clock",
		"chronyc tracking or timedatectl; the network to the time "
		"server",
		AFTER(clock)},
	[CONDITION_FAULT] = {"fault", "assayctl status, docs/technician.md, Faults and remedies",
		AFTER(fault)},
	[CONDITION_CALIBRATION_ENDS] = {"calibration-ends",
		"calibrate, and change calibration in the configuration", .once = true},
	[CONDITION_CALIBRATION_ENDED] = {"calibration-ended",
		"calibrate, and change calibration in the configuration: until then every frame "
		"is suspect"},
};

#define GO(next, act)                             \
	{                                         \
		CONDITION_##next, CONDITION_##act \
	}

static const struct condition_cell cells[CONDITION_STATES][CONDITION_EVENTS] = {
	/* bad                  good                  unknown                due */
	[CONDITION_CLEAR] = {GO(WAITING, HOLD), GO(CLEAR, NOTHING), GO(CLEAR, NOTHING),
		GO(CLEAR, NOTHING)},
	[CONDITION_WAITING] = {GO(WAITING, NOTHING), GO(CLEAR, NOTHING), GO(WAITING, NOTHING),
		GO(RAISED, ALERT)},
	[CONDITION_RAISED] = {GO(RAISED, NOTHING), GO(ENDING, SETTLE), GO(RAISED, NOTHING),
		GO(RAISED, REMIND)},
	[CONDITION_ENDING] = {GO(RAISED, REST), GO(ENDING, NOTHING), GO(ENDING, NOTHING),
		GO(CLEAR, END)},
};

const char *condition_name(enum condition_kind kind)
{
	return kinds[kind].name;
}

const char *condition_remedy(enum condition_kind kind)
{
	return kinds[kind].remedy;
}

int condition_find(const char *name)
{
	for (int i = 0; i < CONDITION_KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return i;
	}
	return -1;
}

struct condition_cell condition_step(enum condition_state state, enum condition_event event)
{
	return cells[state][event];
}

static uint64_t hold_of(const struct kind *kind, const struct alert_options *options)
{
	return kind->hold == 0 ? 0 : *(const uint64_t *)((const char *)options + kind->hold);
}

static void put_note(const struct condition *c, enum note_event event, struct outbox *outbox)
{
	struct note note = {.event = event, .since = c->since};
	snprintf(note.about, sizeof note.about, "%s", condition_name(c->kind));
	snprintf(note.subject, sizeof note.subject, "%s", c->subject);
	snprintf(note.text, sizeof note.text, "%s", c->text);
	snprintf(note.remedy, sizeof note.remedy, "%s",
		event == NOTE_END ? "" : condition_remedy(c->kind));
	outbox_put(outbox, &note);
}

static void step(struct condition *c, enum condition_event event,
	const struct alert_options *options, uint64_t now, struct outbox *outbox)
{
	struct condition_cell cell = condition_step(c->state, event);
	const struct kind *kind = &kinds[c->kind];
	uint64_t rest = options->remind == 0 || kind->once ? 0 : now + options->remind;
	c->state = cell.next;
	switch (cell.act) {
	case CONDITION_NOTHING: break;
	case CONDITION_HOLD: c->due = now + hold_of(kind, options); break;
	case CONDITION_SETTLE: c->due = now + options->settle; break;
	case CONDITION_REST: c->due = rest; break;
	case CONDITION_ALERT:
		put_note(c, NOTE_ALERT, outbox);
		c->due = rest;
		break;
	case CONDITION_REMIND:
		put_note(c, NOTE_REMINDER, outbox);
		c->due = rest;
		break;
	case CONDITION_END: put_note(c, NOTE_END, outbox); break;
	}
}

bool conditions_add(struct conditions *all, const struct condition *condition)
{
	if (all->count == CONDITIONS_MAX)
		return false;
	if (all->count == all->size) {
		size_t size = all->size == 0 ? 16 : all->size * 2;
		struct condition *items = realloc(all->items, size * sizeof *items);
		if (items == NULL)
			return false;
		all->items = items;
		all->size = size;
	}
	all->items[all->count++] = *condition;
	return true;
}

static void add_new(struct conditions *all, const struct look *look)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct seen *seen = &look->items[i];
		struct condition new = {.kind = seen->kind, .since = look->utc};
		bool is_known = false;
		for (size_t j = 0; j < all->count; j++)
			is_known = is_known ||
				   (all->items[j].kind == seen->kind &&
					   strcmp(all->items[j].subject, seen->subject) == 0);
		memcpy(new.subject, seen->subject, sizeof new.subject);
		if (!is_known)
			conditions_add(all, &new);
	}
}

void conditions_take(struct conditions *all, const struct look *look,
	const struct alert_options *options, uint64_t now, struct outbox *outbox)
{
	size_t left = 0;
	add_new(all, look);
	for (size_t i = 0; i < all->count; i++) {
		struct condition *c = &all->items[i];
		const struct seen *seen = look_find(look, c->kind, c->subject);
		bool is_known = (look->unknown >> c->kind & 1) == 0;
		if (seen != NULL)
			memcpy(c->text, seen->text, sizeof c->text);
		step(c,
			seen != NULL ? CONDITION_IS_BAD
			: is_known   ? CONDITION_IS_GOOD
				     : CONDITION_IS_UNKNOWN,
			options, now, outbox);
		if ((seen != NULL || is_known) && c->due != 0 && now >= c->due)
			step(c, CONDITION_IS_DUE, options, now, outbox);
		if (c->state != CONDITION_CLEAR)
			all->items[left++] = *c;
	}
	all->count = left;
}

void conditions_finish(struct conditions *all)
{
	free(all->items);
	*all = (struct conditions){0};
}
