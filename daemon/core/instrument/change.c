/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/instrument/change.h"

void change_finish(struct change *change)
{
	buffer_finish(&change->settings);
	buffer_finish(&change->before);
}

struct assay_span change_settings(const struct change *change, struct assay_span configured)
{
	return change->settings.len == 0
		       ? configured
		       : (struct assay_span){change->settings.data, change->settings.len};
}

bool change_is_made(const struct change *change)
{
	return change->settings.len > 0;
}

void change_settle(struct change *change, int r, const char *text)
{
	if (!change->pending)
		return;
	change->pending = false;
	if (r < 0) {
		buffer_finish(&change->settings);
		change->settings = change->before;
		change->before = (struct buffer){0};
	}
	buffer_finish(&change->before);
	change->answer(change->arg, r, text);
}

int change_lay(struct change *change, const struct catalog_driver *driver,
	struct assay_span configured, struct assay_span part,
	void (*answer)(void *arg, int r, const char *text), void *arg)
{
	struct buffer settings = {0};
	char *why = NULL; /* a name that the driver does not have was rejected before */
	assert(!change->pending);
	int r = config_merge(driver, change_settings(change, configured), part, &settings, &why);
	free(why);
	bool is_as_configured = r == 0 && settings.len == configured.len &&
				memcmp(settings.data, configured.data, settings.len) == 0;
	if (r < 0 || is_as_configured)
		buffer_finish(&settings);
	if (r < 0)
		return r;
	change->before = change->settings;
	change->settings = settings;
	change->pending = true;
	change->sent = false;
	change->answer = answer;
	change->arg = arg;
	return 0;
}
