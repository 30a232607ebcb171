/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "assayd"
#include "base/log.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/keep/jobs.h"
#include "core/keep/last-good.h"
#include "core/reload.h"
#include "core/service.h"

static bool is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The part that only a restart can change, in the words of the YAML; NULL: none changed. */
static const char *fixed_part(const struct config *old, const struct config *new)
{
	if (strcmp(old->site, new->site) != 0 || strcmp(old->node, new->node) != 0 ||
		strcmp(old->timezone, new->timezone) != 0)
		return "laboratory: site, node and timezone";
	if (strcmp(old->journal_path, new->journal_path) != 0 ||
		old->sync_always != new->sync_always || old->sync_ns != new->sync_ns ||
		old->segment_size != new->segment_size)
		return "journal: path, sync and segment";
	if (strcmp(old->live, new->live) != 0 || strcmp(old->control, new->control) != 0 ||
		strcmp(old->replay, new->replay) != 0 || !is_same(old->server_key, new->server_key))
		return "sockets";
	for (size_t i = 0; i < CONFIG_ROLES; i++) {
		if (!is_same(old->listen[i], new->listen[i]))
			return "sockets";
	}
	return NULL;
}

/* Owns `config` if it returns 0. */
static int replace_config(struct core *core, struct config *config, bool now, char **text)
{
	const struct instrument *busy = now ? NULL : ports_in_the_way(&core->ports, config);
	if (busy != NULL) {
		if (asprintf(text, "a run is open on %s: wait for its end, or say now",
			    busy->config->key) < 0)
			*text = NULL;
		return -EBUSY;
	}
	struct config **retired = realloc(
		core->retired, (core->retired_count + 1) * sizeof *retired);
	if (retired == NULL)
		return -ENOMEM;
	core->retired = retired;
	if (access_set_keys(core->access, config) < 0)
		return -ENOMEM;
	core->retired[core->retired_count++] = core->config;
	core->config = config;
	core->instruments.config = config;
	if (ports_change(&core->ports) < 0)
		log_error("cannot start an instrument: out of memory");
	return 0;
}

void reload_save(struct core *core)
{
	if (core->options.last_good != NULL && core->config_errors == NULL)
		last_good_save(core->options.last_good, core->checks, core->config);
}

/* Takes what was loaded. */
static int take_config(struct core *core, struct config *config, bool now, char **text)
{
	if (core->instruments.stopping) { /* ports would start that nothing stops */
		*text = strdup("the daemon is stopping");
		return -ESHUTDOWN;
	}
	const struct config *before = core->config; /* retired then, not freed yet */
	const char *fixed = fixed_part(before, config);
	if (fixed != NULL) {
		if (asprintf(text,
			    "`%s` changed, which needs a restart: sudo systemctl restart assayd",
			    fixed) < 0)
			*text = NULL;
		return -EINVAL;
	}
	config_errors_log(&config->warnings, true);
	int r = replace_config(core, config, now, text);
	if (r < 0)
		return r;
	audit_config(&core->audit, "config", config, before);
	free(core->config_errors);
	core->config_errors = NULL;
	reload_save(core);
	core_apply_retention(core);
	return 0;
}

struct reload {
	struct job job;
	struct core *core;
	bool now;
	int result;
	struct config *config;
	struct config_errors errors;
	reload_done *done;
	void *arg;
};

static void load(struct job *job)
{
	struct reload *reload = (struct reload *)job;
	const struct core *core = reload->core;
	reload->result = config_load(
		core->options.config, core->catalog, &reload->config, &reload->errors);
}

static void take(struct job *job, bool skipped)
{
	struct reload *reload = (struct reload *)job;
	char *text = NULL;
	int r = skipped ? -ESHUTDOWN : reload->result;
	if (r < 0)
		text = config_errors_text(&reload->errors);
	else if ((r = take_config(reload->core, reload->config, reload->now, &text)) < 0)
		config_destroy(reload->config);
	const struct core *core = reload->core;
	reload->done(reload->arg, r, text != NULL && text[0] != '\0' ? text : strerror(-r));
	config_errors_finish(&reload->errors);
	free(text);
	free(reload);
	if (!skipped)
		service_reloaded(core->config->instrument_count);
}

void core_reload(struct core *core, bool now, reload_done *done, void *arg)
{
	struct reload *reload = calloc(1, sizeof *reload);
	if (reload == NULL) {
		done(arg, -ENOMEM, strerror(ENOMEM));
		return;
	}
	*reload = (struct reload){.job = {.work = load, .done = take},
		.core = core,
		.now = now,
		.done = done,
		.arg = arg};
	service_reloading();
	jobs_put(core->checks, &reload->job);
}

static void on_hangup_done(void *arg, int r, const char *text)
{
	struct core *core = arg;
	if (r < 0)
		log_error("the configuration stays as it was: %s", text);
	audit_text(&core->audit, r < 0 ? "reload-refused" : "reload", NULL, r < 0 ? text : "");
}

void reload_on_hangup(void *core)
{
	core_reload(core, false, on_hangup_done, core);
}

/* A stopping port, a request or an open run may refer to a configuration before this one. */
static bool is_referred_to(const struct core *core)
{
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (instrument->request.method != NULL ||
			instrument->waiting.request.method != NULL ||
			(instrument->run != NULL &&
				run_config(instrument->run) != instrument->config))
			return true;
		size_t step;
		if (instrument->run != NULL && run_method(instrument->run, &step) != NULL)
			return true;
	}
	return ports_are_stopping(&core->ports);
}

static void free_retired(struct core *core)
{
	while (core->retired_count > 0)
		config_destroy(core->retired[--core->retired_count]);
}

void reload_release(struct core *core)
{
	if (core->retired_count > 0 && !is_referred_to(core))
		free_retired(core);
}

void reload_finish(struct core *core)
{
	free_retired(core);
	free(core->retired);
}
