/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "retention"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "core/keep/trust.h"
#include "journal/id.h"
#include "record/stamp.h"

#define FILE_NAME "clock"
#define SUMMED    (JOURNAL_ID_TEXT - 1 + 2 * 21) /* id, two numbers, spaces */
#define LINE_SIZE (SUMMED + 1 + 8 + 1)

/* While the daemon runs: small steps, and a clock that is slewed. */
#define SLACK (3600 * NS_PER_S)

uint64_t trust_off_max(uint64_t age_ns)
{
	uint64_t tenth = age_ns / 10;
	return tenth < TRUST_OFF_MAX ? tenth : TRUST_OFF_MAX;
}

uint64_t trust_judge(const struct trusted_time *last, const struct trusted_time *now,
	bool is_synchronised, uint64_t slack)
{
	bool same_boot = memcmp(last->boot_id, now->boot_id, IO_BOOT_SIZE) == 0;
	uint64_t certain = last->utc + now->boot - (same_boot ? last->boot : 0);
	bool is_ahead = now->utc > certain && now->utc - certain > slack;
	return is_synchronised || !is_ahead ? now->utc : certain;
}

/* --- the file -------------------------------------------------------------------------------- */

static void format(char text[LINE_SIZE + 1], const struct trusted_time *time)
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, time->boot_id);
	snprintf(text, LINE_SIZE + 1, "%s %020" PRIu64 " %020" PRIu64, id, time->boot, time->utc);
	snprintf(
		text + SUMMED, LINE_SIZE + 1 - SUMMED, " %08" PRIx32 "\n", crc32c(0, text, SUMMED));
}

static bool parse(struct trusted_time *time, char text[LINE_SIZE + 1])
{
	char same[LINE_SIZE + 1], id[JOURNAL_ID_TEXT] = "";
	memcpy(id, text, sizeof id - 1);
	if (journal_id_parse(time->boot_id, id) < 0 ||
		sscanf(text + sizeof id, "%20" SCNu64 " %20" SCNu64, &time->boot, &time->utc) != 2)
		return false;
	format(same, time);
	return memcmp(text, same, LINE_SIZE) == 0;
}

static bool read_file(const char *path, struct trusted_time *time)
{
	const struct io *io = &io_posix;
	char text[LINE_SIZE + 1] = "";
	int base = io->openat(io->ctx, IO_CWD, path, O_RDONLY | O_DIRECTORY);
	int fd = base < 0 ? base : io->openat(io->ctx, base, FILE_NAME, O_RDONLY);
	ssize_t n = fd < 0 ? fd : io->pread(io->ctx, fd, text, LINE_SIZE, 0);
	if (fd >= 0)
		io->close(io->ctx, fd);
	if (base >= 0)
		io->close(io->ctx, base);
	return n == LINE_SIZE && parse(time, text);
}

static void write_file(const char *path, const struct trusted_time *time)
{
	const struct io *io = &io_posix;
	char text[LINE_SIZE + 1];
	int base = io->openat(io->ctx, IO_CWD, path, O_RDONLY | O_DIRECTORY);
	int fd = base < 0 ? base : io->openat(io->ctx, base, FILE_NAME, O_WRONLY | O_CREAT);
	struct iovec iov = {text, LINE_SIZE};
	format(text, time);
	if (fd >= 0) {
		io_write_all(io, fd, &iov, 1, 0);
		io->close(io->ctx, fd);
	}
	if (base >= 0)
		io->close(io->ctx, base);
}

/* --- judging --------------------------------------------------------------------------------- */

static void look(struct trust *trust, const uint8_t boot_id[IO_BOOT_SIZE], uint64_t slack)
{
	struct stamp stamp = stamp_now();
	struct trusted_time now = {.boot = stamp.mono, .utc = stamp.utc};
	memcpy(now.boot_id, boot_id, sizeof now.boot_id);
	now.utc = trust_judge(&trust->last, &now, stamp.sync == ASSAY_SYNC_NTP, slack);
	trust->last = now;
	bool is_doubted = now.utc != stamp.utc;
	if (is_doubted && !trust->is_doubted)
		log_warn("the clock is %.1f days ahead of the time that is certain, and nothing "
			 "disciplines it: no file counts as older than by that time",
			(double)(stamp.utc - now.utc) / (86400.0 * (double)NS_PER_S));
	else if (!is_doubted && trust->is_doubted)
		log_info("the clock can be believed again");
	trust->is_doubted = is_doubted;
	write_file(trust->path, &now);
}

void trust_start(struct trust *trust, const char *path, uint64_t last_tc, uint64_t off_max)
{
	uint8_t boot_id[IO_BOOT_SIZE] = {0};
	io_posix.boot_id(io_posix.ctx, boot_id);
	*trust = (struct trust){.path = path};
	if (!read_file(path, &trust->last)) {
		memcpy(trust->last.boot_id, boot_id, sizeof boot_id);
		trust->last.boot = clock_boot();
		trust->last.utc = last_tc;
	}
	look(trust, boot_id, off_max > SLACK ? off_max : SLACK);
}

uint64_t trust_now(struct trust *trust)
{
	uint8_t boot_id[IO_BOOT_SIZE];
	memcpy(boot_id, trust->last.boot_id, sizeof boot_id);
	look(trust, boot_id, SLACK);
	return trust->last.utc;
}
