/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "outbox.h"

#define HOUR_NS    (3600 * NS_PER_S)
#define RETRY_MOST (900 * NS_PER_S)

static const char *const event_names[NOTE_EVENTS] = {"alert", "reminder", "end", "lost", "test"};
static const char *const channel_names[CHANNELS] = {"mail", "webhook"};

const char *note_event_name(enum note_event event)
{
	return event_names[event];
}

int note_event_find(const char *name)
{
	for (int i = 0; i < NOTE_EVENTS; i++) {
		if (strcmp(event_names[i], name) == 0)
			return i;
	}
	return -1;
}

const char *channel_name(enum channel_kind kind)
{
	return channel_names[kind];
}

void outbox_init(struct outbox *outbox, const struct alert_options *options)
{
	*outbox = (struct outbox){0};
	outbox->channels[CHANNEL_MAIL].is_used = options->to_count > 0;
	outbox->channels[CHANNEL_WEBHOOK].is_used = options->url != NULL;
}

void outbox_finish(struct outbox *outbox)
{
	free(outbox->notes);
	outbox->notes = NULL;
	outbox->count = outbox->size = 0;
}

bool outbox_has_room(const struct outbox *outbox)
{
	return outbox->count + OUTBOX_RESERVE <= OUTBOX_MAX;
}

void outbox_put(struct outbox *outbox, const struct note *note)
{
	assert(outbox->count < OUTBOX_MAX);
	if (outbox->count == outbox->size) {
		size_t size = outbox->size == 0 ? 16 : outbox->size * 2;
		struct note *notes = realloc(outbox->notes, size * sizeof *notes);
		if (notes == NULL)
			abort(); /* it starts again from the last state */
		outbox->notes = notes;
		outbox->size = size;
	}
	struct note *own = &outbox->notes[outbox->count++];
	*own = *note;
	own->id = ++outbox->last;
	if (own->utc == 0)
		own->utc = clock_utc();
	text_make_printable(own->subject);
	text_make_printable(own->text);
	outbox->changed = true;
}

/* Removes the notes that all channels have delivered; without a channel nothing keeps them. */
static void drop_delivered(struct outbox *outbox)
{
	uint64_t done = UINT64_MAX;
	size_t gone = 0;
	for (int i = 0; i < CHANNELS; i++) {
		if (outbox->channels[i].is_used && outbox->channels[i].done < done)
			done = outbox->channels[i].done;
	}
	while (gone < outbox->count && outbox->notes[gone].id <= done)
		gone++;
	if (gone == 0)
		return;
	outbox->count -= gone;
	memmove(outbox->notes, outbox->notes + gone, outbox->count * sizeof *outbox->notes);
	outbox->changed = true;
}

static bool is_within_limit(const struct channel *channel, unsigned limit, uint64_t now)
{
	/* The ring's entry of `limit` messages ago. */
	size_t at = (channel->sent_at + ALERT_LIMIT_MAX - limit) % ALERT_LIMIT_MAX;
	return channel->sent[at] == 0 || now >= channel->sent[at] + HOUR_NS;
}

size_t outbox_take(struct outbox *outbox, enum channel_kind kind,
	const struct alert_options *options, uint64_t now, const struct note **first)
{
	struct channel *channel = &outbox->channels[kind];
	size_t from = 0;
	if (!channel->is_used || channel->taken != 0 || now < channel->not_before ||
		!is_within_limit(channel, options->limit, now))
		return 0;
	while (from < outbox->count && outbox->notes[from].id <= channel->done)
		from++;
	size_t count = outbox->count - from < MESSAGE_NOTES ? outbox->count - from : MESSAGE_NOTES;
	if (count == 0)
		return 0;
	*first = &outbox->notes[from];
	channel->taken = outbox->notes[from + count - 1].id;
	return count;
}

void outbox_done(struct outbox *outbox, enum channel_kind kind, bool delivered,
	const struct alert_options *options, uint64_t now)
{
	struct channel *channel = &outbox->channels[kind];
	assert(channel->taken != 0);
	if (delivered) {
		channel->done = channel->taken;
		channel->sent[channel->sent_at] = now;
		channel->sent_at = (channel->sent_at + 1) % ALERT_LIMIT_MAX;
		channel->backoff.wait = 0;
		channel->failures = 0;
		outbox->changed = true;
	} else {
		channel->not_before = now +
				      backoff_next(&channel->backoff, options->retry, RETRY_MOST);
		channel->failures++;
	}
	channel->taken = 0;
	drop_delivered(outbox);
}
