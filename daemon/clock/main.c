/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assay-clock: writes how the kernel's clock is kept to a file, for the core, whose unit does not allow
 * the call that reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define LOG_TOPIC "clock"
#include "base/clock-state.h"
#include "base/log.h"

/* Readers see the old file or the new one. */
static int write_state(const char *path, const char *partial)
{
	char text[CLOCK_STATE_TEXT];
	struct clock_state state = clock_state_read();
	int len = clock_state_format(text, &state);
	int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r = fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	return r < 0 || rename(partial, path) == 0 ? r : -errno;
}

int main(int argc, char **argv)
{
	static const struct timespec pause = {.tv_sec = CLOCK_STATE_EVERY / NS_PER_S};
	char partial[4096];
	if (argc != 2 || argv[1][0] == '-' ||
		(size_t)snprintf(partial, sizeof partial, "%s.partial", argv[1]) >=
			sizeof partial) {
		fputs("usage: assay-clock FILE\n", stderr);
		return 2;
	}
	log_init(LOG_LEVEL_INFO, !isatty(STDERR_FILENO));
	umask(022); /* the core is another user */
	int r;
	while ((r = write_state(argv[1], partial)) == 0) {
		sd_notify(0, "READY=1\nWATCHDOG=1");
		clock_nanosleep(CLOCK_BOOTTIME, 0, &pause, NULL);
	}
	log_error("cannot write %s: %s", argv[1], strerror(-r));
	return 1;
}
