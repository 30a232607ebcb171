/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#define LOG_TOPIC "alert"
#include "alert-state.h"
#include "base/log.h"
#include "record/text.h"
#include "record/uuid.h"

#define FILE_MAX (64 << 20)

/* --- to JSON --------------------------------------------------------------------------------- */

static json_t *conditions_json(const struct conditions *all, uint64_t now)
{
	json_t *list = json_array();
	for (size_t i = 0; i < all->count; i++) {
		const struct condition *c = &all->items[i];
		uint64_t left = c->due > now ? c->due - now : 1;
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:i, s:I, s:I}", "kind", condition_name(c->kind),
				"subject", c->subject, "text", c->text, "state", (int)c->state,
				"left", (json_int_t)(c->due != 0 ? left : 0), "since",
				(json_int_t)c->since));
	}
	return list;
}

static json_t *notes_json(const struct outbox *outbox)
{
	json_t *list = json_array();
	for (size_t i = 0; i < outbox->count; i++) {
		const struct note *n = &outbox->notes[i];
		json_array_append_new(
			list, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id",
				      (json_int_t)n->id, "event", note_event_name(n->event),
				      "about", n->about, "subject", n->subject, "text", n->text,
				      "remedy", n->remedy, "utc", (json_int_t)n->utc, "since",
				      (json_int_t)n->since));
	}
	return list;
}

static json_t *marks_json(const struct marks *marks)
{
	char id[HEX_SIZE(ASSAY_UUID_SIZE)];
	json_t *list = json_array();
	for (size_t i = 0; i < marks->count; i++) {
		const struct assay_client_cursor *m = &marks->items[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "journal",
						    hex_write(id, m->journal, ASSAY_UUID_SIZE),
						    "topic", m->topic, "seq", (json_int_t)m->seq));
	}
	return list;
}

static json_t *state_json(const struct alert_state *state, uint64_t now)
{
	json_t *done = json_object();
	for (int i = 0; i < CHANNELS; i++)
		json_object_set_new(done, channel_name(i),
			json_integer((json_int_t)state->outbox.channels[i].done));
	return json_pack("{s:i, s:s, s:I, s:o, s:o, s:o, s:o}", "version", 1, "lab", state->lab,
		"last", (json_int_t)state->outbox.last, "done", done, "notes",
		notes_json(&state->outbox), "conditions", conditions_json(&state->conditions, now),
		"marks", marks_json(state->marks));
}

/* --- from JSON ------------------------------------------------------------------------------- */

/* The text of a member that fits; false if there is none. */
static bool take_text(const json_t *map, const char *key, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(map, key));
	if (text == NULL || strlen(text) >= size)
		return false;
	memcpy(to, text, strlen(text) + 1);
	return true;
}

static bool take_number(const json_t *map, const char *key, uint64_t *to)
{
	const json_t *value = json_object_get(map, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*to = (uint64_t)json_integer_value(value);
	return true;
}

static int read_condition(struct conditions *all, const json_t *map, uint64_t now)
{
	struct condition c = {0};
	uint64_t left, number;
	char kind[24];
	if (!take_text(map, "kind", kind, sizeof kind) ||
		!take_text(map, "subject", c.subject, sizeof c.subject) ||
		!take_text(map, "text", c.text, sizeof c.text) ||
		!take_number(map, "state", &number) || number == CONDITION_CLEAR ||
		number >= CONDITION_STATES || !take_number(map, "left", &left) ||
		left > UINT64_MAX / 4 || !take_number(map, "since", &c.since))
		return -EINVAL;
	int found = condition_find(kind);
	if (found < 0)
		return 0; /* of another version */
	c.kind = (enum condition_kind)found;
	c.state = (enum condition_state)number;
	c.due = left != 0 ? now + left : 0;
	return conditions_add(all, &c) ? 0 : -ENOMEM;
}

static int read_note(struct outbox *outbox, const json_t *map, uint64_t last)
{
	struct note note = {0};
	uint64_t id, before = outbox->last;
	char event[16];
	if (outbox->count >= OUTBOX_MAX || !take_number(map, "id", &id) || id <= before ||
		id > last || !take_text(map, "event", event, sizeof event) ||
		!take_text(map, "about", note.about, sizeof note.about) ||
		!take_text(map, "subject", note.subject, sizeof note.subject) ||
		!take_text(map, "text", note.text, sizeof note.text) ||
		!take_text(map, "remedy", note.remedy, sizeof note.remedy) ||
		!take_number(map, "utc", &note.utc) || !take_number(map, "since", &note.since))
		return -EINVAL;
	int found = note_event_find(event);
	if (found < 0)
		return -EINVAL;
	note.event = (enum note_event)found;
	outbox->last = id - 1;
	outbox_put(outbox, &note);
	return 0;
}

static int read_mark(struct marks *marks, const json_t *map)
{
	struct assay_client_cursor mark = {0};
	char id[HEX_SIZE(ASSAY_UUID_SIZE)];
	if (!take_text(map, "journal", id, sizeof id) ||
		hex_read(string_of(id), mark.journal, ASSAY_UUID_SIZE) < 0 ||
		!take_text(map, "topic", mark.topic, sizeof mark.topic) ||
		!take_number(map, "seq", &mark.seq))
		return -EINVAL;
	return marks_put(marks, &mark);
}

static int read_all(struct alert_state *state, const json_t *root, uint64_t now)
{
	struct outbox *outbox = &state->outbox;
	uint64_t last, version;
	size_t i;
	json_t *item;
	int r = 0;
	if (!take_number(root, "version", &version) || version != 1 ||
		!take_text(root, "lab", state->lab, sizeof state->lab) ||
		!take_number(root, "last", &last) ||
		!json_is_array(json_object_get(root, "notes")) ||
		!json_is_array(json_object_get(root, "conditions")) ||
		!json_is_array(json_object_get(root, "marks")))
		return -EINVAL;
	json_array_foreach(json_object_get(root, "notes"), i, item)
		r = r < 0 ? r : read_note(outbox, item, last);
	json_array_foreach(json_object_get(root, "conditions"), i, item)
		r = r < 0 ? r : read_condition(&state->conditions, item, now);
	json_array_foreach(json_object_get(root, "marks"), i, item)
		r = r < 0 ? r : read_mark(state->marks, item);
	outbox->last = last;
	for (int k = 0; k < CHANNELS; k++)
		take_number(
			json_object_get(root, "done"), channel_name(k), &outbox->channels[k].done);
	outbox->changed = false;
	return r;
}

int alert_state_read(struct alert_state *state, const char *text, size_t len, uint64_t now)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int r = root == NULL ? -EINVAL : read_all(state, root, now);
	json_decref(root);
	if (r < 0) {
		for (int i = 0; i < CHANNELS; i++)
			state->outbox.channels[i].done = 0;
		state->outbox.count = 0;
		state->outbox.last = 0;
		state->conditions.count = 0;
		state->marks->count = 0;
		state->lab[0] = '\0';
	}
	return r;
}

/* --- the file -------------------------------------------------------------------------------- */

static int read_file(const char *path, char **text, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	*text = NULL;
	*len = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		r = -EFBIG;
	else if ((*text = malloc((size_t)st.st_size + 1)) == NULL)
		r = -ENOMEM;
	else if (pread(fd, *text, (size_t)st.st_size, 0) != st.st_size)
		r = -EIO;
	*len = r == 0 ? (size_t)st.st_size : 0;
	close(fd);
	return r;
}

int alert_state_load(struct alert_state *state, const char *folder, uint64_t now)
{
	char path[4096], aside[4110], *text;
	size_t len;
	snprintf(path, sizeof path, "%s/state.json", folder);
	snprintf(aside, sizeof aside, "%s.damaged", path);
	int r = read_file(path, &text, &len);
	if (r == 0 && text != NULL)
		r = alert_state_read(state, text, len, now);
	free(text);
	if (r == -EINVAL) {
		log_error("%s is damaged and now has the name %s: alerts that were not delivered "
			  "are lost, and records are read from now on",
			path, aside);
		r = rename(path, aside) < 0 ? -errno : 0;
	}
	return r;
}

static int write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), r = 0;
	if (fd < 0)
		return -errno;
	for (size_t done = 0; r == 0 && done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r = n == 0 ? -EIO : -errno;
	}
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return r;
}

int alert_state_store(const struct alert_state *state, const char *folder, uint64_t now)
{
	char path[4096], new[4110];
	json_t *root = state_json(state, now);
	char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
	snprintf(path, sizeof path, "%s/state.json", folder);
	snprintf(new, sizeof new, "%s.new", path);
	int r = text == NULL ? -ENOMEM : write_file(new, text);
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_folder(folder);
	free(text);
	json_decref(root);
	return r;
}
