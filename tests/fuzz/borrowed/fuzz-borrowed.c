/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note of borrowed settings on the disk, and settings that are sent and read back: two bytes of
 * length and a note, the same for the settings wanted, and the rest is what the instrument has.  A note
 * that is taken must be laid, extended, saved, read again and dropped without a loss.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "core/instrument/borrowed.h"
#include "record/keys.h"

#define DRIVER "sample"
#define SERIAL "7"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const modes[] = {"off", "on", NULL};
static const struct assay_setting settings[] = {
	{.name = "gain", .type = ASSAY_NUMBER, .min = 0, .max = 100, .flags = ASSAY_STAYS},
	{.name = "count", .type = ASSAY_INT, .flags = ASSAY_STAYS},
	{.name = "mode", .type = ASSAY_CHOICE, .choices = modes, .flags = ASSAY_STAYS},
	{.name = "loud", .type = ASSAY_BOOL, .flags = ASSAY_STAYS},
	{.name = "text", .type = ASSAY_TEXT, .flags = ASSAY_STAYS},
	{.name = "time", .type = ASSAY_NUMBER, .unit = "s"},
	{.name = NULL},
};
static const struct catalog_driver driver = {.name = DRIVER, .settings = settings};

static char folder[] = "/dev/shm/fuzz-borrowed-XXXXXX", note[64];

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void remove_folder(void)
{
	unlink(note);
	*strrchr(note, '/') = '\0';
	rmdir(note);
	rmdir(folder);
}

static void make_folder(void)
{
	log_init(LOG_LEVEL_ERROR, true);
	must(mkdtemp(folder) != NULL);
	snprintf(note, sizeof note, "%s/borrowed", folder);
	must(mkdir(note, 0700) == 0);
	strcat(note, "/x");
	atexit(remove_folder);
}

static void write_note(struct assay_span bytes)
{
	int fd = open(note, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
	close(fd);
}

static struct assay_span cut(const uint8_t **data, size_t *size)
{
	size_t len = *size < 2 ? 0 : (size_t)(*data)[0] << 8 | (*data)[1];
	size_t head = *size < 2 ? *size : 2;
	len = len > *size - head ? *size - head : len;
	struct assay_span part = {*data + head, len};
	*data += head + len;
	*size -= head + len;
	return part;
}

static bool is_map(struct assay_span bytes)
{
	struct reader r;
	read_init(&r, bytes.data, bytes.len);
	return bytes.len > 0 && read_peek(&r) == READ_MAP && read_skip(&r) == 0 &&
	       read_finish(&r) == 0;
}

static struct assay_span span_of(const struct buffer *buffer)
{
	return (struct assay_span){buffer->data, buffer->len};
}

static void lay(const struct borrowed *borrowed, struct assay_span wanted)
{
	struct buffer out = {0}, found = {0};
	if (borrowed_lay(borrowed, &driver, wanted, &out) == 0)
		must(is_map(span_of(&out)));
	if (borrowed_lay_found(borrowed, &driver, wanted, &found) == 0)
		must(found.len == 0 ? borrowed->found.len == 0 : is_map(span_of(&found)));
	buffer_finish(&out);
	buffer_finish(&found);
}

/* Another process reads what this one saved. */
static void save_and_load(struct borrowed_notes *notes, const struct borrowed *borrowed)
{
	struct borrowed again = {0};
	must(borrowed_save(notes, "x", DRIVER, borrowed) == 0);
	must(!borrowed_is_saved(notes, "x"));
	borrowed_load(notes, "x", DRIVER, SERIAL, &again); /* not written yet */
	must(again.found.len == borrowed->found.len);
	borrowed_sync(notes);
	must(borrowed_is_saved(notes, "x"));
	borrowed_load(notes, "x", DRIVER, SERIAL, &again);
	must(again.found.len == borrowed->found.len &&
		(again.found.len == 0 ||
			memcmp(again.found.data, borrowed->found.data, again.found.len) == 0));
	borrowed_finish(&again);
}

static void borrow(struct borrowed_notes *notes, struct borrowed *borrowed,
	struct assay_span wanted, struct assay_span back)
{
	const struct assay_span nothing = {0};
	struct buffer added = {0}, dropped = {0};
	char name[33] = "";
	int r = borrowed_find(borrowed, &driver, wanted, back, &added, name);
	must((r == 0) == (name[0] == '\0') && is_map(span_of(&added)));
	must(r != 0 || !borrowed_lacks(borrowed, &driver, wanted, nothing));
	lay(borrowed, wanted);
	save_and_load(notes, borrowed);
	must(borrowed_drop(borrowed, &driver, nothing, &dropped) == 0);
	must(borrowed->found.len == 0 && is_map(span_of(&dropped)));
	buffer_finish(&added);
	buffer_finish(&dropped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct borrowed_notes notes = {0};
	struct borrowed borrowed = {0};
	if (note[0] == '\0')
		make_folder();
	write_note(cut(&data, &size));
	struct assay_span wanted = cut(&data, &size), back = {data, size};
	borrowed_notes_init(&notes, folder);
	borrowed_load(&notes, "x", DRIVER, SERIAL, &borrowed);
	must(borrowed.found.len == 0 || is_map(span_of(&borrowed.found)));
	if (is_map(wanted)) {
		lay(&borrowed, wanted);
		if (is_map(back)) /* the wire's readers reject others */
			borrow(&notes, &borrowed, wanted, back);
	}
	borrowed_finish(&borrowed);
	borrowed_notes_finish(&notes);
	return 0;
}
