/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/request.h"

__attribute__((format(printf, 4, 5))) static int refuse(
	char *text, size_t size, int r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return r;
}

/* What the site demands of a run; continuous ones are exempt. */
static int check_site(const struct instrument *instrument, const struct run_request *request,
	char *text, size_t size)
{
	const struct config *config = instrument->core->config;
	if ((config->require & CONFIG_REQUIRE_SAMPLE) != 0 && request->sample[0] == '\0')
		return refuse(text, size, -EINVAL, "a sample id is required here: give --sample");
	if ((config->require & CONFIG_REQUIRE_OPERATOR) != 0 && request->operator[0] == '\0')
		return refuse(text, size, -EINVAL, "an operator is required here: give --operator");
	if ((config->require & CONFIG_REQUIRE_METHOD) != 0 && request->method == NULL)
		return refuse(text, size, -EINVAL, "a method is required here: give --method");
	if (request->sample[0] != '\0' && !config_sample_fits(config, request->sample))
		return refuse(text, size, -EINVAL,
			"the sample id does not match the site's pattern; a right one looks like "
			"%s",
			config->sample_example != NULL ? config->sample_example
						       : config->sample_pattern);
	return 0;
}

static int check_method(const struct instrument *instrument, const struct run_request *request,
	char *text, size_t size)
{
	if (request->method == NULL)
		return 0;
	if (strcmp(request->method->driver, instrument->config->driver->name) != 0)
		return refuse(text, size, -EINVAL, "the method is for instruments with driver %s",
			request->method->driver);
	for (size_t i = 0; i < request->method->step_count; i++) {
		struct buffer merged = {0};
		char *why = NULL;
		int r = config_merge(instrument->config->driver, change_settings(instrument),
			request->method->steps[i].settings, &merged, &why);
		buffer_finish(&merged);
		if (r < 0)
			refuse(text, size, r, "the method does not fit: %s",
				why != NULL ? why : "?");
		free(why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_state(const struct instrument *instrument, char *text, size_t size)
{
	if (instrument->core->stopping)
		return refuse(text, size, -ESHUTDOWN, "the daemon is stopping");
	if (instrument->state == DEVICE_STATE_MAINTENANCE)
		return refuse(text, size, -EBUSY,
			"it is in maintenance: end it with assayctl maintenance %s off",
			instrument->config->key);
	if (instrument->run != NULL || instrument->state == DEVICE_STATE_ARMED)
		return refuse(text, size, -EBUSY,
			"a run is open; stop it with assayctl run stop %s",
			instrument->config->key);
	if (instrument->state != DEVICE_STATE_IDLE || !instrument->ready)
		return refuse(text, size, -ENODEV, "the instrument is not ready: %s",
			instrument->text[0] != '\0'
				? instrument->text
				: words_name(&words_device_state, (int)instrument->state));
	return 0;
}

int request_check(const struct instrument *instrument, const struct run_request *request,
	char *text, size_t size)
{
	int r = check_state(instrument, text, size);
	if (r == 0 && request->mode == CONFIG_ON_DEMAND)
		r = check_site(instrument, request, text, size);
	if (r == 0)
		r = check_method(instrument, request, text, size);
	if (r == 0)
		r = disk_check(instrument->core, instrument->largest_run, text, size);
	return r;
}
