/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC instrument->config->key
#include "base/log.h"
#include "core/instrument/request.h"
#include "record/encode.h"
#include "record/keys.h"
#include "record/read.h"
#include "record/text.h"

__attribute__((format(printf, 4, 5))) static int refuse(
	char *text, size_t size, int r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return r;
}

static int check_text(const char *name, const char *value, char *text, size_t size)
{
	char why[400];
	if (text_check_id(string_of(value), why, sizeof why) < 0)
		return refuse(text, size, -EINVAL, "%s %s", name, why);
	return 0;
}

int request_check_texts(const struct config *config, const char *sample, const char *operator,
	const char * note, char *text, size_t size)
{
	int r = check_text("sample", sample, text, size);
	if (r == 0)
		r = check_text("operator", operator, text, size);
	if (r == 0)
		r = check_text("note", note, text, size);
	/* The record has this word for an absent one. */
	if (r == 0 && (strcmp(sample, "none") == 0 || strcmp(operator, "none") == 0))
		r = refuse(text, size, -EINVAL, "'none' means that there is no %s: leave it empty",
			strcmp(sample, "none") == 0 ? "sample" : "operator");
	if (r == 0 && sample[0] != '\0' && !config_sample_fits(config, sample))
		r = refuse(text, size, -EINVAL,
			"sample '%s' does not match the site's pattern; a right one looks like %s",
			sample,
			config->sample_example != NULL ? config->sample_example
						       : config->sample_pattern);
	return r;
}

void request_take_sample(const struct instrument *instrument, struct run_request *request,
	struct assay_string reported)
{
	char id[RUN_TEXT_MAX + 1], why[WIRE_TEXT_MAX] = "it is too long";
	bool fits = text_copy(id, sizeof id, reported) &&
		    request_check_texts(instrument->all->config, id, "", "", why, sizeof why) == 0;
	if (fits && request->sample[0] == '\0') {
		text_copy(request->sample, sizeof request->sample, reported);
		request->entered = ENTRY_INSTRUMENT;
		return;
	}
	if (fits && strcmp(id, request->sample) == 0)
		return;
	text_escape(request->reported, sizeof request->reported, reported);
	log_warn("the instrument reports sample '%s', the run has '%s': its frames are flagged%s%s",
		request->reported, request->sample[0] != '\0' ? request->sample : "none",
		fits ? "" : ": ", fits ? "" : why);
}

/* The site's requirements; only runs on demand must meet them. */
static int check_site(const struct instrument *instrument, const struct run_request *request,
	char *text, size_t size)
{
	const struct config *config = instrument->all->config;
	if ((config->require & CONFIG_REQUIRE_SAMPLE) != 0 && request->sample[0] == '\0')
		return refuse(text, size, -EINVAL, "a sample id is required here: give --sample");
	if ((config->require & CONFIG_REQUIRE_OPERATOR) != 0 && request->operator[0] == '\0')
		return refuse(text, size, -EINVAL, "an operator is required here: give --operator");
	if ((config->require & CONFIG_REQUIRE_METHOD) != 0 && request->method == NULL)
		return refuse(text, size, -EINVAL, "a method is required here: give --method");
	return request_check_texts(
		config, request->sample, request->operator, request->note, text, size);
}

struct assay_span instrument_settings(const struct instrument *instrument)
{
	return change_settings(&instrument->change, instrument->config->settings);
}

/*
 * The settings of one step, complete: the instrument's, those of the request over them, and those
 * of the method's step on top.  Errors as of config_merge().
 */
static int merge_step(const struct instrument *instrument, const struct run_request *request,
	size_t step, struct buffer *out, char **why)
{
	const struct catalog_driver *driver = instrument->config->driver;
	const struct config_method *method = request->method;
	struct assay_span above = {request->settings.data, request->settings.len};
	struct assay_span top = method != NULL ? method->steps[step].settings
					       : (struct assay_span){0};
	struct buffer own = {0};
	int r = config_merge(driver, instrument_settings(instrument), above, &own, why);
	if (r == 0)
		r = config_merge(driver, (struct assay_span){own.data, own.len}, top, out, why);
	buffer_finish(&own);
	return r;
}

/* The values for which the calibration of a step holds, whose settings are `own`. */
static int settle_holds(const struct instrument *instrument, const struct config_method *method,
	size_t step, const struct buffer *own, struct buffer *out)
{
	const struct config_calibration *calibration = method != NULL
							       ? method->steps[step].calibration
							       : NULL;
	struct assay_span read_back = {instrument->own.data, instrument->own.len};
	if (calibration != NULL)
		return config_holds(instrument->config->driver, calibration,
			(struct assay_span){own->data, own->len}, read_back, out);
	return config_holds(instrument->config->driver, &instrument->config->calibration,
		instrument->config->settings, read_back, out);
}

/* The settings that are not as configured, by a change or the request; a method does not count. */
static int find_changed(
	const struct instrument *instrument, const struct run_request *request, struct buffer *out)
{
	struct buffer now = {0};
	struct assay_span above = {request->settings.data, request->settings.len};
	struct map map;
	struct reader r;
	struct assay_string name;
	struct assay_span value;
	size_t pairs = 0;
	char *why = NULL;
	int e = config_merge(
		instrument->config->driver, instrument_settings(instrument), above, &now, &why);
	free(why);
	map_open(&map, out);
	if (e == 0) {
		read_init(&r, now.data, now.len);
		read_map(&r, &pairs);
	}
	for (; pairs > 0 && read_key(&r, &name) == 0 && read_raw(&r, &value) == 0; pairs--) {
		struct assay_span file = keys_value(instrument->config->settings, name);
		if (file.len == value.len && memcmp(file.data, value.data, value.len) == 0)
			continue;
		map.pairs++;
		encode_text_n(out, name.data, name.len);
		encode_raw(out, value.data, value.len);
	}
	map_close(&map);
	if (map.pairs == 0)
		buffer_reset(out);
	buffer_finish(&now);
	return e < 0 ? e : out->failed ? -ENOMEM : 0;
}

int request_settle(
	const struct instrument *instrument, struct run_request *request, char *text, size_t size)
{
	const struct config_method *method = request->method;
	struct run_steps *steps = &request->steps;
	size_t count = method != NULL ? method->step_count : 1;
	if (method != NULL && strcmp(method->driver, instrument->config->driver->name) != 0)
		return refuse(text, size, -EINVAL, "the method is for instruments with driver %s",
			method->driver);
	steps->settings = calloc(count, sizeof *steps->settings);
	steps->holds = calloc(count, sizeof *steps->holds);
	if (count > 1 && port_kind_of(instrument->config->port.kind)->is_folder)
		return refuse(text, size, -EINVAL,
			"the method has %zu steps: each data set of a folder is a run of its own",
			count);
	if (steps->settings == NULL || steps->holds == NULL)
		return refuse(text, size, -ENOMEM, "out of memory");
	char *why = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		steps->count = i + 1;
		r = merge_step(instrument, request, i, &steps->settings[i], &why);
		if (r == 0)
			r = settle_holds(
				instrument, method, i, &steps->settings[i], &steps->holds[i]);
	}
	if (r < 0)
		refuse(text, size, r, "the settings do not fit: %s",
			why != NULL ? why : strerror(-r));
	free(why);
	if (r == 0)
		r = find_changed(instrument, request, &steps->changed);
	return r;
}

bool request_borrows(const struct instrument *instrument, const struct run_request *request)
{
	const struct run_steps *steps = &request->steps;
	if (instrument->config->port.playback != NULL)
		return false; /* nothing stays in a recording */
	if (borrowed_is_due(
		    &instrument->all->notes, instrument->config->key, &instrument->borrowed))
		return true;
	for (size_t i = 0; i < steps->count; i++) {
		if (borrowed_lacks(&instrument->borrowed, instrument->config->driver,
			    (struct assay_span){steps->settings[i].data, steps->settings[i].len},
			    instrument->config->settings))
			return true;
	}
	return false;
}

static int check_state(const struct instrument *instrument, char *text, size_t size)
{
	enum machine_state state = instrument->machine.state;
	if (instrument->all->stopping)
		return refuse(text, size, -ESHUTDOWN, "the daemon is stopping");
	bool is_leaving = state == MACHINE_RETURNING && instrument->machine.maintenance;
	if (machine_shown(state) == DEVICE_STATE_MAINTENANCE || is_leaving)
		return refuse(text, size, -EBUSY,
			"it is in maintenance: end it with assayctl maintenance %s off",
			instrument->config->key);
	if (machine_has_run(state) || instrument->waiting.is_set || state == MACHINE_ARMED ||
		state == MACHINE_NOTING || state == MACHINE_QUEUED)
		return refuse(text, size, -EBUSY,
			"a run is open; stop it with assayctl run stop %s",
			instrument->config->key);
	if (state != MACHINE_IDLE && state != MACHINE_RETURNING)
		return refuse(text, size, -ENODEV, "the instrument is not ready: %s",
			instrument->text[0] != '\0'
				? instrument->text
				: words_name(&words_device_state, (int)instrument->state));
	return 0;
}

int request_check(
	const struct instrument *instrument, struct run_request *request, char *text, size_t size)
{
	const struct instruments *all = instrument->all;
	int r = 0;
	if (request->mode == CONFIG_ON_DEMAND)
		r = check_site(instrument, request, text, size);
	if (r == 0)
		r = check_state(instrument, text, size);
	if (r == 0)
		r = request_settle(instrument, request, text, size);
	if (r == 0)
		r = all->check_space(all->arg, instrument->largest_run, text, size);
	return r;
}
