/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/control/names.h"
#include "core/core.h"
#include "core/instrument/instrument.h"

struct instrument *control_instrument(struct call *call, struct assay_string key)
{
	struct core *core = call->on;
	char text[ASSAY_TOKEN_MAX + 1], known[300] = "";
	struct instrument *instrument = NULL;
	if (text_copy(text, sizeof text, key))
		instrument = instrument_find(&core->instruments, text);
	if (instrument != NULL)
		return instrument;
	list_for_each(instrument, &core->instruments.list, link)
		call_add_word(known, sizeof known, instrument->config->key);
	call_refuse(call, "not-found", "there is no such instrument; configured: %s",
		known[0] != '\0' ? known : "none");
	return NULL;
}

int control_past_run(struct call *call, const struct run_name *name, struct past_run *past)
{
	const struct core *core = call->on;
	struct runs_search search = run_name_search(name);
	struct runs_row row;
	*past = (struct past_run){0};
	if (runs_search(core->runs, &search, &row) == 0)
		return call_refuse(call, "not-found", "there is no such run; run list shows them");
	int r = past_run_read(past, core->run_store.path, &row);
	if (r < 0)
		return call_refuse(call, "not-found",
			"the run-start of %s cannot be read in its journal: %s", row.number,
			strerror(-r));
	return 0;
}

void control_add_text(struct map *map, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		map_text(map, key, text);
}
