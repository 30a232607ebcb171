/* SPDX-License-Identifier: Apache-2.0 */
/* One line of JSON per entry, as record/json.c maps it; {"lost": ...} in place of missing frames. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "record/json.h"

static int put_lost(struct export *e, const struct export_item *item)
{
	json_t *object = json_pack("{s:{s:s, s:I, s:I}}", "lost", "run", e->run.number, "from",
		(json_int_t)item->lost_first, "to",
		(json_int_t)(item->lost_first + item->lost - 1));
	char *line = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (line == NULL)
		return -ENOMEM;
	buffer_append(&e->to, line, strlen(line));
	buffer_append(&e->to, "\n", 1);
	free(line);
	return 0;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	int r = item->lost > 0 ? put_lost(e, item) : 0;
	if (r == 0)
		r = json_write_entry(&e->to, item->bytes.data, item->bytes.len);
	buffer_append(&e->to, "\n", 1);
	return r;
}

const struct export_format export_json = {.entry = put_entry};
