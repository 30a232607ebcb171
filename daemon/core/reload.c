/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#define LOG_TOPIC "assayd"
#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"
#include "core/reload.h"

/* The part that only a restart can change, in the words of the YAML; NULL: none changed. */
static const char *fixed_part(const struct config *old, const struct config *new)
{
	if (strcmp(old->site, new->site) != 0 || strcmp(old->node, new->node) != 0)
		return "laboratory: site and node";
	if (strcmp(old->journal_path, new->journal_path) != 0 ||
		old->sync_always != new->sync_always || old->sync_ns != new->sync_ns ||
		old->segment_size != new->segment_size)
		return "journal: path, sync and segment";
	if (strcmp(old->live, new->live) != 0 || strcmp(old->control, new->control) != 0 ||
		strcmp(old->replay, new->replay) != 0)
		return "sockets";
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
	core->retired[core->retired_count++] = core->config;
	core->config = config;
	core->instruments.config = config;
	if (ports_change(&core->ports) < 0)
		log_error("cannot start an instrument: out of memory");
	return 0;
}

int core_reload(struct core *core, bool now, char **text)
{
	struct config *config = NULL;
	struct config_errors errors = {0};
	*text = NULL;
	if (core->instruments.stopping) { /* ports would start that nothing stops */
		*text = strdup("the daemon is stopping");
		return -ESHUTDOWN;
	}
	int r = config_load(core->options.config, core->catalog, &config, &errors);
	if (r < 0) {
		*text = config_errors_text(&errors);
		config_errors_finish(&errors);
		return r;
	}
	const char *fixed = fixed_part(core->config, config);
	if (fixed != NULL && asprintf(text, "`%s` changed, which needs a restart", fixed) < 0)
		*text = NULL;
	const struct config *before = core->config; /* retired, not freed yet */
	config_errors_log(&config->warnings, true);
	r = fixed != NULL ? -EINVAL : replace_config(core, config, now, text);
	if (r < 0) {
		config_destroy(config);
		return r;
	}
	audit_config(&core->audit, "config", config, before);
	core_apply_retention(core);
	return 0;
}

static void notify_reloading(void)
{
	/* Type=notify-reload wants this pair; older systemd takes it as a plain state. */
	sd_notifyf(
		0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(clock_boot() / 1000));
}

void reload_on_hangup(void *arg)
{
	char *text = NULL;
	struct core *core = arg;
	notify_reloading();
	int r = core_reload(core, false, &text);
	if (r < 0)
		log_error("the configuration stays as it was: %s",
			text != NULL ? text : strerror(-r));
	audit_text(
		&core->audit, r < 0 ? "reload-refused" : "reload", NULL, text != NULL ? text : "");
	free(text);
	sd_notify(0, "READY=1");
}

/* A stopping port, an armed request or an open run may refer to a configuration before this one. */
static bool is_referred_to(const struct core *core)
{
	const struct instrument *instrument;
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (instrument->request.method != NULL ||
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
