/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "run"
#include "base/crc32c.h"
#include "base/log.h"
#include "core/runs/numbers.h"
#include "journal/io.h"

#define FILE_NAME  "numbers"
#define FILE_MAX   (JOURNAL_ID_TEXT + NUMBERS_DAYS * 40 + 10)
#define NUMBER_MAX 1000000000u
#define SUM_SIZE   9 /* 8 hex digits of the CRC-32C of all before, and a line feed */

/* --- the file -------------------------------------------------------------------------------- */

/* False: damaged. */
static bool parse(struct numbers *n, uint8_t id[JOURNAL_ID_SIZE], char *text, size_t len)
{
	char sum[SUM_SIZE + 1], *rest = NULL;
	if (len < JOURNAL_ID_TEXT + SUM_SIZE)
		return false;
	len -= SUM_SIZE;
	snprintf(sum, sizeof sum, "%08" PRIx32 "\n", crc32c(0, text, len));
	if (memcmp(text + len, sum, SUM_SIZE) != 0)
		return false;
	text[len] = '\0';
	char *line = strtok_r(text, "\n", &rest);
	if (line == NULL || journal_id_parse(id, line) < 0)
		return false;
	while ((line = strtok_r(NULL, "\n", &rest)) != NULL && n->count < NUMBERS_DAYS) {
		struct numbers_day *day = &n->days[n->count];
		if (sscanf(line, "%u %u %u", &day->day, &day->floor, &day->upto) != 3 ||
			day->floor > day->upto || day->upto > NUMBER_MAX ||
			(n->count > 0 && day->day <= day[-1].day))
			return false;
		n->count++;
	}
	return true;
}

static int read_file(struct numbers *n, uint8_t id[JOURNAL_ID_SIZE])
{
	const struct io *io = &io_posix;
	char text[FILE_MAX + 1];
	int dir = io->openat(io->ctx, IO_CWD, n->folder, O_RDONLY | O_DIRECTORY);
	int fd = dir < 0 ? dir : io->openat(io->ctx, dir, FILE_NAME, O_RDONLY);
	ssize_t len = fd < 0 ? fd : io->pread(io->ctx, fd, text, FILE_MAX, 0);
	if (fd >= 0)
		io->close(io->ctx, fd);
	if (dir >= 0)
		io->close(io->ctx, dir);
	if (len < 0)
		return (int)len;
	return parse(n, id, text, (size_t)len) ? 0 : -EBADMSG;
}

static int write_file(const struct numbers *n)
{
	const struct io *io = &io_posix;
	char text[FILE_MAX + 1];
	journal_id_format(text, n->journal);
	size_t len = strlen(text);
	len += (size_t)snprintf(text + len, sizeof text - len, "\n");
	for (size_t i = 0; i < n->count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%u %u %u\n", n->days[i].day,
			n->days[i].floor, n->days[i].upto);
	len += (size_t)snprintf(
		text + len, sizeof text - len, "%08" PRIx32 "\n", crc32c(0, text, len));
	int dir = io->openat(io->ctx, IO_CWD, n->folder, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return dir;
	int r = io_replace(io, dir, FILE_NAME, text, len);
	io->close(io->ctx, dir);
	return r;
}

/* --- the numbers ----------------------------------------------------------------------------- */

void numbers_open(struct numbers *n, const char *folder, const uint8_t journal[JOURNAL_ID_SIZE])
{
	uint8_t before[JOURNAL_ID_SIZE];
	*n = (struct numbers){0};
	pthread_mutex_init(&n->lock, NULL);
	n->is_open = true;
	memcpy(n->journal, journal, sizeof n->journal);
	snprintf(n->folder, sizeof n->folder, "%s", folder);
	int r = folder[0] != '\0' ? read_file(n, before) : -ENOENT;
	if (r < 0 && r != -ENOENT)
		log_error("%s/" FILE_NAME ": %s", folder, strerror(-r));
	if (r < 0)
		n->count = 0;
	bool is_other = r == 0 && memcmp(before, journal, sizeof before) != 0;
	for (size_t i = 0; is_other && i < n->count; i++)
		n->days[i].floor = n->days[i].upto;
}

void numbers_close(struct numbers *n)
{
	if (n->is_open)
		pthread_mutex_destroy(&n->lock);
	n->is_open = false;
}

/* The day's row; the oldest makes room for a new one.  NULL: it is older than all. */
static struct numbers_day *find_day(struct numbers *n, unsigned day)
{
	size_t at = n->count;
	while (at > 0 && n->days[at - 1].day > day)
		at--;
	if (at > 0 && n->days[at - 1].day == day)
		return &n->days[at - 1];
	if (n->count == NUMBERS_DAYS) {
		if (at == 0)
			return NULL;
		memmove(n->days, n->days + 1, --n->count * sizeof *n->days);
		at--;
	}
	memmove(n->days + at + 1, n->days + at, (n->count++ - at) * sizeof *n->days);
	n->days[at] = (struct numbers_day){.day = day};
	return &n->days[at];
}

unsigned numbers_give(struct numbers *n, unsigned day, unsigned next)
{
	if (n->folder[0] == '\0')
		return next;
	pthread_mutex_lock(&n->lock);
	struct numbers_day *row = find_day(n, day);
	if (row != NULL && next <= row->floor)
		next = row->floor + 1;
	if (row != NULL && next > row->upto) {
		row->upto = next + NUMBERS_BLOCK - 1;
		n->is_changed = true;
	}
	pthread_mutex_unlock(&n->lock);
	return next;
}

void numbers_sync(struct numbers *n)
{
	if (n->folder[0] == '\0')
		return;
	pthread_mutex_lock(&n->lock);
	bool is_changed = n->is_changed;
	struct numbers copy = *n;
	n->is_changed = false;
	pthread_mutex_unlock(&n->lock);
	int r = is_changed ? write_file(&copy) : 0;
	if (r < 0)
		log_error("%s/" FILE_NAME ": %s: another journal could give numbers again",
			n->folder, strerror(-r));
}
