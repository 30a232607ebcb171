/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/instrument/change.h"
#include "core/instrument/instrument.h"

void change_finish(struct change *change)
{
	buffer_finish(&change->settings);
	buffer_finish(&change->before);
}

struct config_map change_settings(const struct instrument *instrument)
{
	const struct change *change = &instrument->change;
	if (change->settings.len == 0)
		return instrument->config->settings;
	return (struct config_map){change->settings.data, change->settings.len};
}

bool change_is_made(const struct instrument *instrument)
{
	return instrument->change.settings.len > 0;
}

void change_settle(struct instrument *instrument, int r, const char *text)
{
	struct change *change = &instrument->change;
	if (!change->pending)
		return;
	change->pending = false;
	if (r < 0) {
		buffer_finish(&change->settings);
		change->settings = change->before;
		change->before = (struct buffer){0};
	}
	buffer_finish(&change->before);
	change->answer(change->arg, instrument, r, text);
}

static bool is_as_configured(const struct instrument *instrument, const struct buffer *settings)
{
	const struct config_map *configured = &instrument->config->settings;
	return settings->len == configured->len &&
	       memcmp(settings->data, configured->data, settings->len) == 0;
}

/* Ends the run that has the former settings, or begins one where they were refused before. */
static void apply(struct instrument *instrument, const struct audit_actor *actor)
{
	if (instrument_is_active(instrument))
		instrument_stop(instrument, false, actor);
	else if (instrument->ready && instrument->config->acquire.mode != CONFIG_ON_DEMAND)
		instrument_rest(instrument);
	if (!instrument_is_active(instrument)) /* they go with the next run, or connection */
		change_settle(instrument, 0, NULL);
}

bool change_is_possible(const struct instrument *instrument)
{
	bool on_demand = instrument->config->acquire.mode == CONFIG_ON_DEMAND;
	return !instrument->change.pending && !(on_demand && instrument_is_active(instrument));
}

int change_begin(struct instrument *instrument, const struct buffer *part,
	const struct audit_actor *actor,
	void (*answer)(void *arg, struct instrument *instrument, int r, const char *text),
	void *arg)
{
	struct change *change = &instrument->change;
	struct buffer settings = {0};
	char *why = NULL; /* a name that the driver does not have was refused before */
	assert(change_is_possible(instrument));
	int r = config_merge(instrument->config->driver, change_settings(instrument),
		(struct config_map){part->data, part->len}, &settings, &why);
	free(why);
	if (r < 0) {
		buffer_finish(&settings);
		return r;
	}
	if (is_as_configured(instrument, &settings))
		buffer_finish(&settings);
	change->before = change->settings;
	change->settings = settings;
	change->pending = true;
	change->sent = false;
	change->answer = answer;
	change->arg = arg;
	apply(instrument, actor);
	return 0;
}
