/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "try/lines.h"

struct text_line {
	struct text_line *next;
	uint64_t time;
	char *text;
};

void lines_add(struct lines *lines, uint64_t time, char *text)
{
	struct text_line *line = text != NULL ? malloc(sizeof *line) : NULL;
	if (line == NULL) {
		free(text);
		return;
	}
	struct text_line **at = &lines->first;
	while (*at != NULL && (*at)->time <= time)
		at = &(*at)->next;
	*line = (struct text_line){*at, time, text};
	*at = line;
}

void lines_print(struct lines *lines, uint64_t until)
{
	while (lines->first != NULL && lines->first->time < until) {
		struct text_line *line = lines->first;
		printf("%10.6f  %s", (double)(int64_t)(line->time - lines->start) / 1e9,
			line->text);
		lines->first = line->next;
		free(line->text);
		free(line);
	}
	fflush(stdout);
}
