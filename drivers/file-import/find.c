/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void found_finish(struct found *found)
{
	free(found->state);
	found->state = NULL;
	found->format = NULL;
}

bool is_of_link(int error)
{
	return error == -EAGAIN || error == -ECANCELED || error == -ENODEV || error == -ETIMEDOUT;
}

static int try_format(struct found *found, struct source *s, const struct format *format)
{
	*found = (struct found){.format = format, .result = FORMAT_FOREIGN};
	if (!format->fits(s))
		return FORMAT_FOREIGN;
	found->state = calloc(1, format->state_size + 1);
	if (found->state == NULL)
		return -ENOMEM;
	int r = format->look(s, found->state, &found->facts);
	if (r == -ENODATA) /* it ends before a place that the format read */
		return FORMAT_INCOMPLETE;
	return r < 0 && !is_of_link(r) ? FORMAT_DAMAGED : r;
}

int find_format(struct found *found, struct source *s, const char *wanted)
{
	for (size_t i = 0; formats[i] != NULL; i++) {
		if (strcmp(wanted, "auto") != 0 && strcmp(wanted, formats[i]->name) != 0)
			continue;
		int r = try_format(found, s, formats[i]);
		if (r != FORMAT_FOREIGN) {
			found->result = r < 0 ? FORMAT_FOREIGN : (enum format_found)r;
			return r < 0 ? r : 0;
		}
		found_finish(found);
	}
	*found = (struct found){.result = FORMAT_FOREIGN};
	return 0;
}
