/* SPDX-License-Identifier: Apache-2.0 */
/* Findings, and files below the root. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "doctor.h"

struct verdict_item *doctor_add(struct doctor *doctor, bool is_problem, const char *format, ...)
{
	char text[sizeof((struct verdict_item *)0)->text];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return verdict_add(&doctor->found, is_problem, "%s: %s", doctor->check, text);
}

const char *doctor_path(const struct doctor *doctor, const char *path, char to[DOCTOR_PATH])
{
	snprintf(to, DOCTOR_PATH, "%s%s", doctor->root, path);
	return to;
}

const char *doctor_read(const struct doctor *doctor, const char *path, char *to, size_t size)
{
	char full[DOCTOR_PATH];
	int fd = open(doctor_path(doctor, path, full), O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, to, size - 1) : 0;
	if (fd >= 0)
		close(fd);
	to[len > 0 ? len : 0] = '\0';
	return to;
}
