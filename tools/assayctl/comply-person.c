/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "comply.h"

/* The next line of standard input, without its end; -1: a signal, or the input has ended. */
static int read_line(struct comply *c, char *to, size_t size)
{
	size_t len = 0;
	for (;;) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		char one;
		if (comply_pause(c, 0))
			return -1;
		if (poll(&in, 1, 100) <= 0)
			continue;
		if (read(STDIN_FILENO, &one, 1) <= 0)
			return -1;
		if (one == '\n')
			break;
		if (len + 1 < size)
			to[len++] = one;
	}
	to[len] = '\0';
	return 0;
}

int comply_person(struct comply *c, const char *request)
{
	char answer[16];
	for (;;) {
		fprintf(stderr,
			"\n  >> %s\n     Then press Enter; s and Enter skips this test: ", request);
		if (read_line(c, answer, sizeof answer) < 0)
			return -1;
		if (answer[0] == '\0')
			return 0;
		if (strcmp(answer, "s") == 0)
			return 1;
	}
}
