/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the core: CLOCK_REALTIME is off by the seconds in the file CLOCK_SHIFT, and nothing
 * disciplines it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static long shift(void)
{
	char text[32] = "";
	const char *file = getenv("CLOCK_SHIFT");
	int fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : 0;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (real == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
		memcpy(&real, &symbol, sizeof real); /* ISO C has no cast for this */
	}
	int r = real(id, t);
	if (r == 0 && id == CLOCK_REALTIME)
		t->tv_sec += shift();
	return r;
}

__attribute__((visibility("default"))) int adjtimex(struct timex *t)
{
	*t = (struct timex){.status = STA_UNSYNC};
	return TIME_ERROR;
}
