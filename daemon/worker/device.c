/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "record/names.h"
#include "record/references.h"
#include "worker/device.h"
#include "worker/fatal.h"
#include "worker/holds.h"

#define CHECK_EVERY 16 /* frames; the first one is checked, too */

/* --- making ----------------------------------------------------------------------------------- */

/* The prepared values are of the settings that decode() gets. */
static void forget_bare(struct device *device)
{
	free(device->prepared);
	device->prepared = NULL;
	settings_destroy(device->bare_settings);
	device->bare_settings = NULL;
	buffer_reset(&device->bare);
}

static int read_settings(struct device *device, struct assay_span sent)
{
	struct settings *settings;
	char why[SETTINGS_WHY];
	int r = settings_create(device->driver->settings, sent.data, sent.len,
		&device->services->host, &settings, why);
	snprintf(device->explained, EXPLAIN_MAX, "%s", why);
	if (r < 0)
		return r;
	forget_bare(device);
	settings_destroy(device->settings);
	device->settings = settings;
	device->ins.settings = settings_handle(settings);
	return 0;
}

int device_init(struct device *device, struct services *services, unsigned index,
	const struct unit *config, const struct assay_driver *driver, unsigned link,
	void (*on_hazard)(struct device *, bool), char why[MODULE_WHY])
{
	memset(device, 0, sizeof *device);
	device->services = services;
	device->index = index;
	device->config = config;
	device->driver = driver;
	device->on_hazard = on_hazard;
	device->ins.host = &services->host;
	device->ins.key = config->key;
	device->ins.link = link;
	device->sent = (struct assay_span){config->settings, config->settings_len};
	frame_init(&device->frame, &services->host);
	raw_init(&device->raw, &services->host, driver->raw_max);
	raw_init(&device->references, &services->host, REFERENCES_BYTES_MAX);
	if ((driver->links & link) == 0) {
		snprintf(why, MODULE_WHY, "the driver %s does not know this kind of link",
			driver->name);
		return -EPROTONOSUPPORT;
	}
	device->ins.state = calloc(1, driver->state_size > 0 ? driver->state_size : 1);
	int r = device->ins.state != NULL ? read_settings(device, device->sent) : -ENOMEM;
	if (r < 0)
		snprintf(why, MODULE_WHY, "%s", device_reason(device, r));
	return r;
}

void device_finish(struct device *device)
{
	raw_finish(&device->raw);
	raw_finish(&device->references);
	frame_finish(&device->frame);
	report_finish(&device->report);
	buffer_finish(&device->own);
	report_finish(&device->polled.report);
	buffer_finish(&device->shown);
	forget_bare(device);
	buffer_finish(&device->bare);
	settings_destroy(device->settings);
	free(device->ins.state);
}

int device_use_settings(struct device *device, const struct buffer *settings)
{
	struct assay_span wanted = {settings->data, settings->len};
	if (wanted.len == 0)
		wanted = (struct assay_span){
			device->config->settings, device->config->settings_len};
	if (wanted.len == device->sent.len &&
		(wanted.len == 0 || memcmp(wanted.data, device->sent.data, wanted.len) == 0))
		return 0;
	int r = read_settings(device, wanted);
	if (r < 0)
		return r;
	buffer_reset(&device->own);
	buffer_append(&device->own, wanted.data, wanted.len);
	if (device->own.failed)
		return -ENOMEM;
	device->sent = (struct assay_span){device->own.data, device->own.len};
	return 1;
}

int device_use_references(struct device *device, const struct buffer *references)
{
	struct reader r;
	raw_reset(&device->references);
	if (references->len == 0)
		return 0;
	read_init(&r, references->data, references->len);
	int e = raw_read(&device->references, &r);
	if (e == 0)
		e = read_finish(&r);
	if (e < 0)
		snprintf(device->explained, EXPLAIN_MAX,
			"the raw bytes of the runs it refers to: %s",
			device->references.error != 0 ? device->references.why : strerror(-e));
	return e == -EBADMSG ? -EINVAL : e;
}

bool device_calibrate(struct device *device, struct assay_span holds)
{
	char why[SETTINGS_WHY];
	struct buffer used = {0};
	bool has_report = report_merge(
				  &device->report, device->sent.data, device->sent.len, &used) == 0;
	bool held = holds.len == 0 ||
		    (has_report && holds_are_met(holds, device->sent,
					   (struct assay_span){used.data, used.len}));
	buffer_finish(&used);
	forget_bare(device);
	if (held)
		return true;
	/* Where it fails, the frames keep the calibration and are marked all the same. */
	if (holds_strip(device->sent, device->driver->settings, &device->bare) < 0 ||
		settings_create(device->driver->settings, device->bare.data, device->bare.len,
			&device->services->host, &device->bare_settings, why) < 0)
		buffer_reset(&device->bare);
	return false;
}

struct assay_span device_sent(const struct device *device)
{
	return device->bare_settings == NULL
		       ? device->sent
		       : (struct assay_span){device->bare.data, device->bare.len};
}

/* --- slots ------------------------------------------------------------------------------------ */

static void enter(struct device *device)
{
	device->explained[0] = device->link_why[0] = '\0';
	device->wants_again = false;
	heartbeat_step(device->services->channel->heartbeat, 0);
}

static int leave(struct device *device, int result)
{
	heartbeat_rest(device->services->channel->heartbeat);
	return result;
}

static int run(struct device *device, int (*slot)(struct assay_instrument *))
{
	if (slot == NULL)
		return 0;
	enter(device);
	return leave(device, slot(&device->ins));
}

/* The same for slots before the run-start, which has what they report. */
static int run_reporting(struct device *device, int (*slot)(struct assay_instrument *))
{
	device->may_report = true;
	int r = run(device, slot);
	device->may_report = false;
	return r;
}

int device_identify(struct device *device, struct assay_identity *id)
{
	*id = (struct assay_identity){.declared = false};
	device_close(device);
	memset(device->ins.state, 0, device->driver->state_size);
	device->is_open = true;
	enter(device);
	int r = device->driver->identify(&device->ins, id);
	id->make[sizeof id->make - 1] = id->model[sizeof id->model - 1] = '\0';
	id->serial[sizeof id->serial - 1] = id->fw[sizeof id->fw - 1] = '\0';
	return leave(device, r);
}

int device_identify_aside(struct device *device, struct assay_identity *id)
{
	void *kept = device->ins.state;
	size_t size = device->driver->state_size;
	bool is_open = device->is_open;
	device->is_open = false;
	device->ins.state = malloc(size > 0 ? size : 1);
	int r = device->ins.state != NULL ? device_identify(device, id) : -ENOMEM;
	device_close(device);
	free(device->ins.state);
	device->ins.state = kept;
	device->is_open = is_open;
	return r;
}

void device_close(struct device *device)
{
	if (device->is_open && device->driver->close != NULL)
		device->driver->close(&device->ins);
	device->is_open = false;
}

int device_poll(struct device *device)
{
	struct buffer values = {0}, message = {0};
	report_reset(&device->polled.report);
	device->polled.handle.host = device->ins.host;
	enter(device);
	int r = leave(device, device->driver->poll(&device->ins, &device->polled.handle));
	if (r == 0 && device->polled.report.count > 0)
		r = report_merge(&device->polled.report, NULL, 0, &values);
	bool has_changed = values.len > 0 &&
			   (values.len != device->shown.len ||
				   memcmp(values.data, device->shown.data, values.len) != 0);
	if (r == 0 && has_changed) {
		wire_write_state(&message, device->index, "idle", "", "",
			(struct assay_span){values.data, values.len});
		core_link_send(device->services->core, &message);
		buffer_reset(&device->shown);
		buffer_append(&device->shown, values.data, values.len);
	}
	buffer_finish(&values);
	buffer_finish(&message);
	return r;
}

int device_configure(struct device *device)
{
	report_reset(&device->report);
	return run_reporting(device, device->driver->configure);
}

int device_read_back(struct device *device)
{
	report_reset(&device->report);
	return run_reporting(device, device->driver->read_back);
}

int device_start(struct device *device)
{
	device->is_starting = true;
	device->has_begun = false;
	device->sample[0] = '\0';
	int r = run_reporting(device, device->driver->start);
	device->is_starting = false;
	return r;
}

void device_report_file(struct device *device)
{
	struct folder *folder = device->services->folder;
	const struct folder_name *name = folder != NULL ? folder_begin_run(folder) : NULL;
	if (folder == NULL)
		return;
	report_drop(&device->report, "file");
	report_drop(&device->report, "file_sha256");
	if (name == NULL)
		return;
	const struct assay_variable file = {.type = ASSAY_SCALAR_TEXT, .text = name->file},
				    sha256 = {.type = ASSAY_SCALAR_TEXT, .text = name->sha256};
	if (report_add(&device->report, "file", &file) < 0 ||
		report_add(&device->report, "file_sha256", &sha256) < 0)
		fatal_driver("%s: no room to report the data set", device->ins.key);
}

int device_acquire(struct device *device)
{
	struct raw *raw = &device->raw;
	raw_reset(raw);
	device->progress_at = clock_boot(); /* a frame within a second needs no progress message */
	enter(device);
	int r = leave(device, device->driver->acquire(&device->ins, &raw->handle));
	bool has_frame = r == ASSAY_FRAME || r == ASSAY_LAST || r == ASSAY_CUT;
	if (has_frame)
		raw_complete(raw);
	if (raw->error != 0 && (r >= 0 || r == raw->error || r == -EAGAIN)) {
		snprintf(device->explained, EXPLAIN_MAX, "driver %s: %s", device->driver->name,
			raw->why);
		return raw->error;
	}
	if (has_frame && raw->count == 0 && !port_kind_of(device->ins.link)->has_no_bytes) {
		snprintf(device->explained, EXPLAIN_MAX,
			"driver %s: acquire returned a frame without raw bytes",
			device->driver->name);
		return -EINVAL;
	}
	return r;
}

/* Any name is legal, and most consumers look for the usual one. */
static void warn_of_names(struct device *device)
{
	const char *name;
	while ((name = frame_free_name(&device->frame)) != NULL) {
		const struct name *near = name_near(name);
		if (near != NULL)
			device_log(device, ASSAY_LOG_WARN,
				"driver %s: variable '%s' is not in the list of names; did you "
				"mean '%s'?",
				device->driver->name, name, near->name);
	}
}

static int decode_again(struct device *device, const struct assay_decoding *in)
{
	enter(device);
	if (leave(device, frame_is_reproduced(&device->frame, device->driver, in)))
		return 0;
	snprintf(device->explained, EXPLAIN_MAX,
		"driver %s: decode() made two different frames of the same bytes",
		device->driver->name);
	return -EPROTO;
}

int device_decode(struct device *device)
{
	const struct assay_driver *driver = device->driver;
	const struct assay_settings *settings = device->bare_settings != NULL
							? settings_handle(device->bare_settings)
							: device->ins.settings;
	enter(device);
	if (driver->prepare != NULL && device->prepared == NULL) { /* once per settings */
		device->prepared = calloc(1, driver->prepared_size);
		if (device->prepared == NULL)
			return leave(device, -ENOMEM);
		driver->prepare(settings, device->prepared);
	}
	struct decoding decoding = {
		.in = {.host = &device->services->host,
			.settings = settings,
			.prepared = device->prepared},
		.why = device->explained,
		.size = sizeof device->explained,
	};
	struct assay_decoding *in = &decoding.in;
	in->raw = raw_blocks(&device->raw, &in->raw_count);
	in->references = raw_blocks(&device->references, &in->reference_count);
	frame_reset(&device->frame);
	int r = leave(device, driver->decode(in, &device->frame.handle));
	if (r == 0 && device->decoded++ % CHECK_EVERY == 0)
		r = decode_again(device, in);
	warn_of_names(device);
	if (device->frame.error != 0 && (r == 0 || r == device->frame.error)) {
		r = device->frame.error;
		snprintf(device->explained, EXPLAIN_MAX, "the driver made no valid frame: %s",
			device->frame.why);
	}
	if (r == -EBADMSG && device->explained[0] == '\0')
		snprintf(device->explained, EXPLAIN_MAX,
			"the driver cannot decode the %zu bytes of the frame", device->raw.total);
	return r == -EBADMSG ? -EPROTO : r; /* the bytes had come: the link works */
}

int device_stop(struct device *device)
{
	return run(device, device->driver->stop);
}

int device_make_safe(struct device *device)
{
	return run(device, device->driver->make_safe);
}

/* --- texts of errors -------------------------------------------------------------------------- */

const char *device_reason(const struct device *device, int error)
{
	struct channel *channel = device->services->channel;
	if (error == -ENODEV && channel_is_lost(channel) && channel->link->why[0] != '\0')
		return channel->link->why;
	if (device->explained[0] != '\0')
		return device->explained;
	if (error != -ECANCELED && device->link_why[0] != '\0')
		return device->link_why;
	switch (error) {
	case -ETIMEDOUT: return "no answer in time";
	case -EBADMSG: return "the answer breaks the protocol";
	case -EPROTO: return "the instrument refused";
	case -EINVAL: return "the settings contradict each other";
	case -ECANCELED: return "aborted";
	case -ENODEV: return "the port is gone";
	case -ENOMEM: return "no memory";
	case -EMSGSIZE: return "more bytes than the driver's raw_max";
	default: break;
	}
	if (error <= ASSAY_MODBUS_EXCEPTION)
		return "the instrument answered with a Modbus exception";
	return strerror(-error);
}

const char *device_code(int error)
{
	if (error <= ASSAY_MODBUS_EXCEPTION)
		return "EPROTO";
	const char *name = error < 0 ? strerrorname_np(-error) : NULL;
	return name != NULL ? name : "";
}
