/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "worker/instrument.h"

/* --- making ----------------------------------------------------------------------------------- */

static int load_driver(
	struct instrument *instrument, const char *drivers, unsigned link, char why[MODULE_WHY])
{
	int r = module_open(&instrument->module, drivers, instrument->config->driver, why);
	if (r < 0)
		return r;
	instrument->driver = instrument->module.driver;
	if ((instrument->driver->links & link) == 0) {
		snprintf(why, MODULE_WHY, "the driver %s does not know this kind of link",
			instrument->driver->name);
		return -EPROTONOSUPPORT;
	}
	size_t size = instrument->driver->state_size;
	instrument->ins.state = calloc(1, size > 0 ? size : 1);
	return instrument->ins.state != NULL ? 0 : -ENOMEM;
}

static int read_settings(
	struct instrument *instrument, struct wire_bytes sent, char why[SETTINGS_WHY])
{
	struct settings *settings;
	int r = settings_create(instrument->driver->settings, sent.data, sent.len,
		&instrument->services->host, &settings, why);
	if (r < 0)
		return r;
	free(instrument->prepared);
	instrument->prepared = NULL;
	settings_destroy(instrument->settings);
	instrument->settings = settings;
	instrument->ins.settings = settings_handle(settings);
	return 0;
}

int instrument_init(struct instrument *instrument, struct services *services, unsigned unit,
	const struct unit *config, const char *drivers, unsigned link, char why[MODULE_WHY])
{
	memset(instrument, 0, sizeof *instrument);
	instrument->services = services;
	instrument->unit = unit;
	instrument->config = config;
	instrument->ins.host = &services->host;
	instrument->ins.key = config->key;
	instrument->ins.link = link;
	instrument->sent = (struct wire_bytes){config->settings, config->settings_len};
	frame_init(&instrument->frame, &services->host);
	raw_init(&instrument->raw, &services->host, 0);
	int r = load_driver(instrument, drivers, link, why);
	if (r < 0)
		return r;
	instrument->raw.max = instrument->driver->raw_max;
	char what[SETTINGS_WHY];
	r = read_settings(instrument, instrument->sent, what);
	if (r < 0)
		snprintf(why, MODULE_WHY, "%s", what);
	return r;
}

void instrument_finish(struct instrument *instrument)
{
	raw_finish(&instrument->raw);
	frame_finish(&instrument->frame);
	report_finish(&instrument->report);
	buffer_finish(&instrument->own);
	free(instrument->prepared);
	settings_destroy(instrument->settings);
	free(instrument->ins.state);
	module_close(&instrument->module);
}

int instrument_use(
	struct instrument *instrument, const uint8_t *data, size_t len, char why[SETTINGS_WHY])
{
	struct wire_bytes wanted = {data, len};
	if (len == 0)
		wanted = (struct wire_bytes){
			instrument->config->settings, instrument->config->settings_len};
	if (wanted.len == instrument->sent.len &&
		(wanted.len == 0 || memcmp(wanted.data, instrument->sent.data, wanted.len) == 0))
		return 0;
	int r = read_settings(instrument, wanted, why);
	if (r < 0)
		return r;
	buffer_reset(&instrument->own);
	buffer_append(&instrument->own, wanted.data, wanted.len);
	if (instrument->own.failed) {
		snprintf(why, SETTINGS_WHY, "no memory for the settings");
		return -ENOMEM;
	}
	instrument->sent = (struct wire_bytes){instrument->own.data, instrument->own.len};
	return 1;
}

/* --- slots ------------------------------------------------------------------------------------ */

static void enter(struct instrument *instrument)
{
	instrument->explained[0] = '\0';
	orders_enter(instrument->services->orders, instrument->unit);
	pulse_step(instrument->services->channel->pulse, 0);
}

/* The way in where nothing may interrupt: the link works, even after an abort. */
static void enter_undisturbed(struct instrument *instrument)
{
	instrument->explained[0] = '\0';
	orders_leave(instrument->services->orders);
	pulse_step(instrument->services->channel->pulse, 0);
}

static int leave(struct instrument *instrument, int result)
{
	orders_leave(instrument->services->orders);
	pulse_rest(instrument->services->channel->pulse);
	return result;
}

/* Texts that the driver filled are texts: terminated. */
static void terminate(struct assay_identity *id)
{
	id->make[sizeof id->make - 1] = id->model[sizeof id->model - 1] = '\0';
	id->serial[sizeof id->serial - 1] = id->fw[sizeof id->fw - 1] = '\0';
}

int instrument_identify(struct instrument *instrument, struct assay_identity *id)
{
	*id = (struct assay_identity){.declared = false};
	memset(instrument->ins.state, 0, instrument->driver->state_size);
	enter(instrument);
	int r = instrument->driver->identify(&instrument->ins, id);
	terminate(id);
	return leave(instrument, r);
}

int instrument_configure(struct instrument *instrument)
{
	report_reset(&instrument->report);
	if (instrument->driver->configure == NULL)
		return 0;
	enter(instrument);
	return leave(instrument, instrument->driver->configure(&instrument->ins));
}

int instrument_start(struct instrument *instrument)
{
	if (instrument->driver->start == NULL)
		return 0;
	enter(instrument);
	return leave(instrument, instrument->driver->start(&instrument->ins));
}

int instrument_acquire(struct instrument *instrument)
{
	raw_reset(&instrument->raw);
	instrument->told_at = clock_boot(); /* a frame that is quick needs no word of progress */
	enter(instrument);
	return leave(
		instrument, instrument->driver->acquire(&instrument->ins, &instrument->raw.handle));
}

/* Once for settings that stay. */
static int prepare(struct instrument *instrument)
{
	const struct assay_driver *driver = instrument->driver;
	if (driver->prepare == NULL || instrument->prepared != NULL)
		return 0;
	instrument->prepared = calloc(1, driver->prepared_size);
	if (instrument->prepared == NULL)
		return -ENOMEM;
	driver->prepare(instrument->ins.settings, instrument->prepared);
	return 0;
}

int instrument_decode(struct instrument *instrument)
{
	if (prepare(instrument) < 0)
		return -ENOMEM;
	struct assay_decoding in = {
		.host = &instrument->services->host,
		.settings = instrument->ins.settings,
		.prepared = instrument->prepared,
	};
	in.raw = raw_blocks(&instrument->raw, &in.raw_count);
	frame_reset(&instrument->frame);
	enter_undisturbed(instrument);
	int r = leave(instrument, instrument->driver->decode(&in, &instrument->frame.handle));
	if (r == 0 && instrument->frame.error != 0) {
		r = instrument->frame.error;
		snprintf(instrument->explained, EXPLAIN_MAX, "the driver made no frame: %s",
			instrument->frame.why);
	}
	return r;
}

int instrument_stop(struct instrument *instrument)
{
	if (instrument->driver->stop == NULL)
		return 0;
	enter_undisturbed(instrument);
	return leave(instrument, instrument->driver->stop(&instrument->ins));
}

int instrument_make_safe(struct instrument *instrument)
{
	if (instrument->driver->make_safe == NULL)
		return 0;
	enter_undisturbed(instrument);
	return leave(instrument, instrument->driver->make_safe(&instrument->ins));
}

/* --- errors in words -------------------------------------------------------------------------- */

const char *instrument_reason(const struct instrument *instrument, int error)
{
	struct channel *channel = instrument->services->channel;
	if (error == -ENODEV && channel_is_lost(channel) && channel->link->why[0] != '\0')
		return channel->link->why;
	if (instrument->explained[0] != '\0')
		return instrument->explained;
	switch (error) {
	case -ETIMEDOUT: return "no answer in time";
	case -EBADMSG: return "the answer breaks the protocol";
	case -EPROTO: return "the instrument refused";
	case -EINVAL: return "the settings contradict each other";
	case -ECANCELED: return "aborted";
	case -ENODEV: return "the port is gone";
	case -ENOMEM: return "no memory";
	case -EMSGSIZE: return "more bytes than the driver said it would have";
	default: break;
	}
	if (error <= ASSAY_MODBUS_EXCEPTION)
		return "the instrument answered with a Modbus exception";
	return strerror(-error);
}

const char *instrument_code(int error)
{
	if (error <= ASSAY_MODBUS_EXCEPTION)
		return "EPROTO";
	const char *name = error < 0 ? strerrorname_np(-error) : NULL;
	return name != NULL ? name : "";
}
