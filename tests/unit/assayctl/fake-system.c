/* SPDX-License-Identifier: Apache-2.0 */
/* A clock, a disk and a user as the environment has them, loaded into assayctl doctor. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

int adjtimex(struct timex *to)
{
	memset(to, 0, sizeof *to);
	to->status = number("FAKE_SYNC", 1) != 0 ? 0 : STA_UNSYNC;
	return number("FAKE_SYNC", 1) != 0 ? TIME_OK : TIME_ERROR;
}

int statvfs(const char *path, struct statvfs *to)
{
	memset(to, 0, sizeof *to);
	to->f_frsize = 4096;
	to->f_bavail = number("FAKE_MIB", 100000) * 256;
	to->f_files = 1000000;
	to->f_favail = number("FAKE_FILES", 500000);
	to->f_flag = number("FAKE_READONLY", 0) != 0 ? ST_RDONLY : 0;
	return 0;
}

uid_t geteuid(void)
{
	return (uid_t)number("FAKE_UID", 0);
}

int getgroups(int size, gid_t list[])
{
	list[0] = (gid_t)number("FAKE_GID", 0);
	return 1;
}
