/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/file.h"
#include "capture/write.h"
#include "comply.h"

#define SHORTEST 3

/* --- words ----------------------------------------------------------------------------------- */

void private_add(struct private_words *words, const char *kind, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	struct private_word *word = &words->words[words->count];
	if (len < SHORTEST || len >= sizeof word->text || words->count == PRIVATE_WORDS ||
		strcmp(text, "none") == 0 || strcmp(text, "unknown") == 0)
		return;
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->words[i].text, text) == 0)
			return;
	*word = (struct private_word){.kind = kind};
	memcpy(word->text, text, len + 1);
	/* Digits stay digits, so that a driver reads the other word as it read this one. */
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		word->other[i] = isdigit(byte)   ? '9'
				 : islower(byte) ? 'x'
				 : isupper(byte) ? 'X'
				 : byte >= 0x80  ? 'x'
						 : (char)byte;
	}
	words->count++;
}

static bool is_letter(uint8_t byte)
{
	return isalpha(byte) != 0 || byte >= 0x80;
}

/* The number of one thing may follow its letters: SN9990100. */
static bool goes_on(uint8_t edge, uint8_t beside)
{
	return (is_letter(edge) && is_letter(beside)) || (isdigit(edge) && isdigit(beside));
}

/* Longer words first: one may hold another. */
static int by_length(const void *a, const void *b)
{
	size_t left = strlen(((const struct private_word *)a)->text);
	size_t right = strlen(((const struct private_word *)b)->text);
	return left < right ? 1 : left > right ? -1 : 0;
}

static size_t replace_word(struct private_word *word, uint8_t *data, size_t len)
{
	size_t size = strlen(word->text), places = 0;
	uint8_t *at = data, *end = data + len;
	while (at < end && (at = memmem(at, (size_t)(end - at), word->text, size)) != NULL) {
		uint8_t *after = at + size;
		if ((at == data || !goes_on(*at, at[-1])) &&
			(after == end || !goes_on(after[-1], *after))) {
			memcpy(at, word->other, size);
			places++;
		}
		at++;
	}
	word->places += places;
	return places;
}

size_t private_replace(struct private_words *words, uint8_t *data, size_t len)
{
	size_t places = 0;
	qsort(words->words, words->count, sizeof *words->words, by_length);
	for (size_t i = 0; i < words->count; i++)
		places += replace_word(&words->words[i], data, len);
	return places;
}

static void replace_text(struct private_words *words, char *text)
{
	private_replace(words, (uint8_t *)text, strlen(text));
}

/* --- a recording ----------------------------------------------------------------------------- */

/*
 * The bytes of one direction and channel as one stream: a word may lie in several records.  Records
 * keep their sizes.
 */
static int replace_stream(struct private_words *words, struct capture_file *file, size_t first)
{
	const struct capture_record *one = &file->records[first];
	struct buffer stream = {0};
	size_t at = 0;
	for (size_t i = 0; i < first; i++)
		if (file->records[i].kind == one->kind && file->records[i].channel == one->channel)
			return 0; /* it was replaced with that record */
	for (size_t i = first; i < file->count; i++)
		if (file->records[i].kind == one->kind && file->records[i].channel == one->channel)
			buffer_append(&stream, file->records[i].data, file->records[i].len);
	if (!stream.failed)
		private_replace(words, stream.data, stream.len);
	for (size_t i = first; i < file->count && !stream.failed; i++) {
		const struct capture_record *record = &file->records[i];
		if (record->kind != one->kind || record->channel != one->channel)
			continue;
		/* The record's bytes are in file->bytes, which this program owns. */
		memcpy(file->bytes.data + (record->data - file->bytes.data), stream.data + at,
			record->len);
		at += record->len;
	}
	int r = stream.failed ? -ENOMEM : 0;
	buffer_finish(&stream);
	return r;
}

static void replace_head(struct private_words *words, struct capture_head *head)
{
	snprintf(head->site, sizeof head->site, "site");
	snprintf(head->node, sizeof head->node, "node");
	for (size_t i = 0; i < head->unit_count; i++) {
		struct capture_unit *unit = &head->units[i];
		snprintf(unit->key, sizeof unit->key, "unit-%zu", i + 1);
		replace_text(words, unit->serial);
		replace_text(words, unit->model);
		replace_text(words, unit->fw);
	}
}

static void write_record(
	struct private_words *words, const struct capture_record *record, struct buffer *out)
{
	char text[CAPTURE_TEXT_MAX + 1];
	if (record->kind != CAPTURE_LOST && record->kind != CAPTURE_END) {
		capture_write(out, record);
		return;
	}
	snprintf(text, sizeof text, "%.*s", (int)record->len, (const char *)record->data);
	replace_text(words, text);
	capture_write_text(out, record->kind, record->mono, text);
}

static int write_file(const char *path, const struct buffer *bytes, char why[200])
{
	FILE *file = bytes->failed ? NULL : fopen(path, "wxe");
	int r = file == NULL ? (bytes->failed ? -ENOMEM : -errno) : 0;
	if (r == 0 && fwrite(bytes->data, 1, bytes->len, file) != bytes->len)
		r = -EIO;
	if (file != NULL && fclose(file) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		snprintf(why, 200, "%.150s: %s", path, strerror(-r));
	return r;
}

int private_capture(struct private_words *words, const char *from, const char *to, char why[200])
{
	static struct capture_file file;
	struct buffer out = {0};
	char text[CAPTURE_WHY] = "";
	int r = capture_file_open(&file, from, text);
	if (r < 0) {
		snprintf(why, 200, "%s", text);
		return r;
	}
	for (size_t i = 0; i < file.count && r == 0; i++)
		if (file.records[i].kind == CAPTURE_OUT || file.records[i].kind == CAPTURE_IN)
			r = replace_stream(words, &file, i);
	replace_head(words, &file.head);
	capture_write_head(&out, &file.head);
	for (size_t i = 0; i < file.count; i++)
		write_record(words, &file.records[i], &out);
	if (r == 0)
		r = write_file(to, &out, why);
	else
		snprintf(why, 200, "%s", strerror(-r));
	buffer_finish(&out);
	capture_file_close(&file);
	return r;
}
