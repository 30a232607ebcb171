/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC instrument->config->key
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/instrument/noting.h"
#include "record/encode.h"

/* {instrument, settings} for the audit. */
static void put_side(
	struct buffer *to, const struct instrument *instrument, const struct buffer *settings)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "instrument", instrument->config->key);
	map_key(&map, "settings");
	encode_raw(to, settings->data, settings->len);
	map_close(&map);
}

static int save(struct instrument *instrument)
{
	return borrowed_save(&instrument->all->notes, instrument->config->key,
		instrument->config->driver->name, &instrument->borrowed);
}

/* --- durable --------------------------------------------------------------------------------- */

struct noting {
	struct instruments *all;
	uint64_t number;
	void (*done)(struct instrument *instrument, int r);
};

static void on_noted(void *arg, const struct commit_item *item)
{
	struct noting *noting = arg;
	struct instrument *instrument, *found = NULL;
	list_for_each(instrument, &noting->all->list, link)
	{
		if (instrument->noting == noting->number)
			found = instrument;
	}
	void (*done)(struct instrument * instrument, int r) = noting->done;
	free(noting);
	if (found == NULL)
		return;
	found->noting = 0;
	done(found, borrowed_is_saved(&found->all->notes, found->config->key) ? 0 : -EIO);
}

static bool is_empty(const struct buffer *settings)
{
	return settings->len <= 1; /* a map without pairs */
}

/* `added`: the values that are new in the note. */
static int write_down(struct instrument *instrument, const struct buffer *added,
	void (*done)(struct instrument *instrument, int r))
{
	struct instruments *all = instrument->all;
	struct noting *noting = malloc(sizeof *noting);
	struct buffer before = {0};
	if (noting == NULL)
		return -ENOMEM;
	*noting = (struct noting){all, ++all->last_noting, done};
	instrument->noting = noting->number;
	int r = is_empty(added) ? 0 : save(instrument); /* 0: it is pending since a former try */
	put_side(&before, instrument, is_empty(added) ? &instrument->borrowed.found : added);
	if (r == 0)
		r = audit_then(all->audit, "settings-borrowed", NULL, &before, NULL, NULL, on_noted,
			noting);
	buffer_finish(&before);
	if (r < 0)
		free(noting);
	return r;
}

/* --- actions --------------------------------------------------------------------------------- */

/* All steps of the START that waits: those that a later one does not have lie below it, too. */
static int find_in_steps(struct instrument *instrument, struct buffer *added, char name[33])
{
	const struct run_steps *steps = &instrument->request.steps;
	struct assay_span file = instrument->config->settings;
	struct assay_span back = {instrument->settings.data, instrument->settings.len};
	struct buffer all = {0};
	char *why = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && i < steps->count; i++) {
		struct buffer merged = {0};
		r = config_merge(instrument->config->driver, (struct assay_span){all.data, all.len},
			(struct assay_span){steps->settings[i].data, steps->settings[i].len},
			&merged, &why);
		free(why);
		buffer_finish(&all);
		all = merged;
	}
	if (r == 0)
		r = borrowed_find(&instrument->borrowed, instrument->config->driver,
			(struct assay_span){all.data, all.len}, back, added, name);
	buffer_finish(&all);
	/* The file itself has a value that cannot be read back: that one is not borrowed. */
	bool is_lacking = false;
	for (size_t i = 0; r == -ENOENT && i < steps->count; i++)
		is_lacking = is_lacking ||
			     borrowed_lacks(&instrument->borrowed, instrument->config->driver,
				     (struct assay_span){
					     steps->settings[i].data, steps->settings[i].len},
				     file);
	return r == -ENOENT && !is_lacking ? 0 : r;
}

int noting_start(struct instrument *instrument, void (*done)(struct instrument *instrument, int r),
	char why[WIRE_TEXT_MAX])
{
	bool is_start = instrument->machine.state == MACHINE_NOTING;
	struct assay_span back = {instrument->settings.data, instrument->settings.len};
	struct buffer added = {0};
	char name[33] = "";
	snprintf(why, WIRE_TEXT_MAX, "out of memory");
	int r = is_start ? find_in_steps(instrument, &added, name)
			 : borrowed_find(&instrument->borrowed, instrument->config->driver,
				   instrument_settings(instrument), back, &added, name);
	if (r == -ENOENT && !is_start)
		r = 0; /* a value of the file is not borrowed while the file has it */
	if (r == -ENOENT) {
		snprintf(why, WIRE_TEXT_MAX,
			"%s would stay changed: the instrument does not report the value that it "
			"has; name it under settings of %s",
			name, instrument->config->key);
		r = -EINVAL;
	}
	if (r == 0 &&
		(!is_empty(&added) || borrowed_is_due(&instrument->all->notes,
					      instrument->config->key, &instrument->borrowed))) {
		r = write_down(instrument, &added, done);
		r = r == 0 ? 1 : r;
	}
	buffer_finish(&added);
	return r;
}

void noting_drop(struct instrument *instrument)
{
	struct buffer dropped = {0}, after = {0};
	int r = borrowed_drop(&instrument->borrowed, instrument->config->driver,
		instrument_settings(instrument), &dropped);
	if (r == 0 && !is_empty(&dropped)) {
		put_side(&after, instrument, &dropped);
		r = save(instrument);
		audit_put(instrument->all->audit, "settings-returned", NULL, NULL, &after, NULL);
	}
	if (r < 0)
		log_error("cannot drop the note of borrowed settings: out of memory");
	buffer_finish(&dropped);
	buffer_finish(&after);
}
