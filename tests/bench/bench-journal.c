/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast entries become durable, against the least that any program must do: writing the same
 * bytes 4 MiB at a time and syncing.  The two take turns on the same disk.
 *
 *	bench-journal [folder]		default: the current one
 *
 * Prints one JSON line per step.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "journal/journal.h"

#define GROUP     ((size_t)4 << 20)
#define ROUND     ((size_t)64 << 20)
#define GROUPS    96
#define ENTRY     16384
#define GROUP_MAX 256

static uint8_t *payload; /* GROUP bytes */

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench-journal: %s: %s\n", what, strerror(-r));
	exit(1);
}

static int no_entry(const uint8_t *entry, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc)
{
	return -EBADMSG;
}

static double seconds_since(uint64_t start)
{
	return (double)(clock_boot() - start) / (double)NS_PER_S;
}

static double plain(int fd, size_t at)
{
	uint64_t start = clock_boot();
	if (pwrite(fd, payload, GROUP, (off_t)at) != (ssize_t)GROUP || fdatasync(fd) < 0)
		check(-EIO, "plain write");
	return seconds_since(start);
}

/* `group` entries of `len` bytes before each sync. */
static double journaled(struct journal *journal, size_t len, size_t group, size_t bytes)
{
	static const char topic[] = "a1/data/xrf/site/node/xrf-1/";
	struct journal_item items[GROUP_MAX];
	uint64_t start = clock_boot();
	for (size_t done = 0; done < bytes; done += group * len) {
		uint64_t head = journal_head(journal);
		for (size_t i = 0; i < group; i++) {
			items[i] = (struct journal_item){
				.seq = head + 1 + i,
				.tc = 1,
				.topic = topic,
				.topic_len = sizeof topic - 1,
				.bytes = payload + i * len,
				.len = len,
			};
		}
		check(journal_append(journal, items, group), "append");
		check(journal_sync(journal), "sync");
	}
	return seconds_since(start);
}

static int compare_seconds(const void *a, const void *b)
{
	const double *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static double median(double *list, size_t count)
{
	qsort(list, count, sizeof *list, compare_seconds);
	return list[count / 2];
}

/* Other programs use the disk too: medians of single groups, in turns. */
static void compare(struct journal *journal, const char *file)
{
	static double least[GROUPS], ours[GROUPS];
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL, 0600);
	check(fd < 0 ? -errno : 0, file);
	for (size_t i = 0; i < GROUPS; i++) {
		least[i] = plain(fd, i * GROUP);
		ours[i] = journaled(journal, ENTRY, GROUP / ENTRY, GROUP);
	}
	close(fd);
	double mb = (double)GROUP / 1e6;
	double plain_s = median(least, GROUPS), journal_s = median(ours, GROUPS);
	printf("{\"bench\":\"journal\",\"step\":\"plain 4 MiB and sync\",\"mb_s\":%.0f}\n",
		mb / plain_s);
	printf("{\"bench\":\"journal\",\"step\":\"append 256 of 16 KiB and sync\","
	       "\"mb_s\":%.0f,\"of_plain\":%.2f}\n",
		mb / journal_s, plain_s / journal_s);
}

static void measure(struct journal *journal, size_t len, size_t group)
{
	size_t bytes = group * len * 2000 < ROUND ? group * len * 2000 : ROUND;
	double seconds = journaled(journal, len, group, bytes);
	printf("{\"bench\":\"journal\",\"step\":\"append %zu of %zu bytes and sync\","
	       "\"mb_s\":%.1f,\"entries_s\":%.0f}\n",
		group, len, (double)bytes / 1e6 / seconds, (double)bytes / (double)len / seconds);
}

static void measure_checksum(const char *name, uint32_t (*sum)(uint32_t, const void *, size_t))
{
	volatile uint32_t crc = 0;
	uint64_t start = clock_boot();
	for (size_t i = 0; i < 64; i++)
		crc = sum(crc, payload, GROUP);
	double seconds = seconds_since(start);
	printf("{\"bench\":\"journal\",\"step\":\"%s\",\"gb_s\":%.1f}\n", name,
		64.0 * GROUP / 1e9 / seconds);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

int main(int argc, char **argv)
{
	char path[4096], file[4200];
	signal(SIGPIPE, SIG_IGN); /* the files are to be removed in any case */
	snprintf(path, sizeof path, "%s/bench-journal-XXXXXX", argc > 1 ? argv[1] : ".");
	check(mkdtemp(path) == NULL ? -errno : 0, path);
	snprintf(file, sizeof file, "%s/plain", path);
	payload = malloc(GROUP);
	check(payload == NULL ? -ENOMEM : 0, "memory");
	for (size_t i = 0; i < GROUP; i++)
		payload[i] = (uint8_t)((uint32_t)i * 2654435761u >> 23);

	struct journal *journal;
	struct journal_report report;
	struct journal_options options = {.path = path, .entry = no_entry, .now = 1};
	check(journal_open(&journal, &io_posix, &options, &report), path);
	compare(journal, file);
	measure(journal, 16384, 16);
	measure(journal, 16384, 1);
	measure(journal, 512, 20);
	measure(journal, 512, 1);
	check(journal_close(journal), "close");
	measure_checksum("crc32c", crc32c);
	measure_checksum("crc32c without the instruction", crc32c_portable);
	free(payload);
	return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0;
}
