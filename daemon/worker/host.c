/* SPDX-License-Identifier: Apache-2.0 */
/* The services of <assay/driver.h> that concern the instrument and its link. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "record/encode.h"
#include "record/text.h"
#include "worker/fatal.h"
#include "worker/device.h"
#include "worker/number.h"
#include "worker/value.h"

#define LOG_LINES_PER_S 20
#define YIELDS_MAX      5 /* waits for the line in a slot that cannot be called again */
#define REPEAT_NS       (60 * NS_PER_S)

static struct device *of(struct assay_instrument *ins)
{
	return (struct device *)(void *)ins;
}

/* --- the link --------------------------------------------------------------------------------- */

static int do_write(struct assay_instrument *ins, const void *data, size_t len, int ms)
{
	struct services *services = of(ins)->services;
	if (!services_have_stream(services))
		fatal_driver("%s: the driver wrote bytes to a link of requests", ins->key);
	return channel_write(services->channel, data, len, ms);
}

static ssize_t do_read(struct assay_instrument *ins, void *buf, size_t size, int ms)
{
	struct services *services = of(ins)->services;
	if (!services_have_stream(services))
		fatal_driver("%s: the driver read bytes from a link of requests", ins->key);
	return channel_read(services->channel, buf, size, ms);
}

static bool has_endpoint(struct device *device, enum assay_endpoint endpoint)
{
	if (device->services->modbus != NULL)
		fatal_driver("%s: the driver used an endpoint of a Modbus link", device->ins.key);
	bool has = (unsigned)endpoint < LINK_CONTROL &&
		   (unsigned)endpoint < link_endpoints(device->services->channel->link);
	if (!has)
		snprintf(device->link_why, sizeof device->link_why, "the link has no endpoint %u",
			(unsigned)endpoint);
	return has;
}

static int do_write_to(struct assay_instrument *ins, enum assay_endpoint endpoint, const void *data,
	size_t len, int ms)
{
	struct device *device = of(ins);
	struct channel *channel = device->services->channel;
	if (!has_endpoint(device, endpoint))
		return -EINVAL;
	int r = channel_write_to(channel, (unsigned)endpoint, data, len, ms);
	if (r == -EINVAL)
		channel_why(channel, device->link_why, sizeof device->link_why);
	return r;
}

static ssize_t do_read_from(
	struct assay_instrument *ins, enum assay_endpoint endpoint, void *buf, size_t size, int ms)
{
	struct device *device = of(ins);
	struct channel *channel = device->services->channel;
	if (!has_endpoint(device, endpoint))
		return -EINVAL;
	return channel_read_from(channel, (unsigned)endpoint, buf, size, ms);
}

static ssize_t do_usb_control(struct assay_instrument *ins, const struct assay_usb_request *given,
	size_t given_size, void *data, size_t len, int ms)
{
	struct device *device = of(ins);
	struct channel *channel = device->services->channel;
	struct assay_usb_request request = {0};
	memcpy(&request, given, given_size < sizeof request ? given_size : sizeof request);
	if (link_endpoints(channel->link) <= LINK_CONTROL)
		fatal_driver("%s: the driver made a control transfer on another link", ins->key);
	ssize_t n = channel_control(channel, &request, data, len, ms);
	if (n == -EINVAL || n == -EPROTO)
		channel_why(channel, device->link_why, sizeof device->link_why);
	return n;
}

static int do_line(struct assay_instrument *ins, enum assay_line_act act, int value)
{
	struct device *device = of(ins);
	struct channel *channel = device->services->channel;
	if (device->services->modbus != NULL)
		fatal_driver("%s: the driver used the line of a Modbus link", ins->key);
	int r = channel_line(channel, act, value);
	if (r == -ENOTSUP || r == -EINVAL)
		channel_why(channel, device->link_why, sizeof device->link_why);
	return r;
}

static int do_drain_count(struct assay_instrument *ins, int quiet_ms, int limit_ms, size_t *dropped)
{
	struct device *device = of(ins);
	*dropped = 0;
	if (!services_have_stream(device->services))
		return 0;
	int r = channel_drain(device->services->channel, quiet_ms, limit_ms, dropped);
	if (r == -EBADMSG)
		snprintf(device->link_why, sizeof device->link_why,
			"it still sends after %d ms (%zu bytes discarded): waited for %d ms of "
			"silence",
			limit_ms, *dropped, quiet_ms);
	return r;
}

static int do_pause(struct assay_instrument *ins, int ms)
{
	return channel_pause(of(ins)->services->channel, ms);
}

static int do_again(struct assay_instrument *ins, int ms)
{
	of(ins)->wants_again = true;
	of(ins)->again_ns = ms > 0 ? (uint64_t)ms * NS_PER_MS : 0;
	return -EAGAIN;
}

static bool is_stopping(const struct assay_instrument *ins)
{
	const struct device *device = (const struct device *)(const void *)ins;
	return channel_is_stopping(device->services->channel);
}

static uint64_t now_ms(const struct assay_instrument *ins)
{
	return clock_boot() / NS_PER_MS;
}

static struct modbus *modbus_of(struct device *device)
{
	if (device->services->modbus == NULL)
		fatal_driver("%s: the driver requested Modbus on another link", device->ins.key);
	return device->services->modbus;
}

/* Whether the exchange is to be tried once more, when the line is free. */
static bool waits_for_line(struct device *device, ssize_t *r, int *yields)
{
	if (*r != -EAGAIN || device->may_yield || (*yields)++ == YIELDS_MAX)
		return false;
	*r = channel_settle(device->services->channel,
		modbus_not_before(device->services->modbus, device->config->unit_id));
	return *r == 0;
}

static int do_modbus_read(struct assay_instrument *ins, enum assay_modbus_table table,
	unsigned address, unsigned count, uint16_t *out)
{
	struct device *device = of(ins);
	struct modbus *modbus = modbus_of(device);
	ssize_t r;
	int yields = 0;
	do
		r = modbus_exchange(
			modbus, device->config->unit_id, (int)table, address, count, out);
	while (waits_for_line(device, &r, &yields));
	snprintf(device->link_why, sizeof device->link_why, "%s", modbus_why(modbus));
	return (int)r;
}

static ssize_t do_modbus_raw(struct assay_instrument *ins, unsigned function, const void *request,
	size_t len, void *reply, size_t size, size_t expected)
{
	struct device *device = of(ins);
	struct modbus *modbus = modbus_of(device);
	const struct modbus_raw raw = {function, request, len, reply, size, expected};
	ssize_t r;
	int yields = 0;
	do
		r = modbus_exchange_raw(modbus, device->config->unit_id, &raw);
	while (waits_for_line(device, &r, &yields));
	snprintf(device->link_why, sizeof device->link_why, "%s", modbus_why(modbus));
	return r;
}

static unsigned modbus_registers(const struct assay_instrument *ins)
{
	const struct device *device = (const struct device *)(const void *)ins;
	const struct modbus *modbus = device->services->modbus;
	return modbus != NULL ? modbus_registers_max(modbus) : 0;
}

/* A driver that was built with an older header has shorter structs. */
static int do_http(struct assay_instrument *ins, const struct assay_http_request *request,
	size_t request_size, struct assay_http_reply *reply, size_t reply_size, int ms)
{
	struct device *device = of(ins);
	struct http *http = device->services->http;
	struct assay_http_request whole = {0};
	struct assay_http_reply got = {0};
	if (http == NULL)
		fatal_driver("%s: the driver requested HTTP on another link", ins->key);
	memcpy(&whole, request, request_size < sizeof whole ? request_size : sizeof whole);
	int r = http_exchange(http, &whole, &got, ms);
	memset(reply, 0, reply_size);
	memcpy(reply, &got, reply_size < sizeof got ? reply_size : sizeof got);
	snprintf(device->link_why, sizeof device->link_why, "%s", http_why(http));
	return r;
}

/* --- a folder --------------------------------------------------------------------------------- */

static struct folder *folder_of(struct device *device)
{
	if (device->services->folder == NULL)
		fatal_driver("%s: the driver requested files on another link", device->ins.key);
	return device->services->folder;
}

/* Once for each data set that cannot be read. */
static void warn_unreadable(struct device *device, const struct folder_unreadable *found)
{
	if (found->count > device->unreadable)
		device_log(device, ASSAY_LOG_WARN,
			"%s: cannot be read: %s; %u of the folder's data sets cannot", found->path,
			strerror(found->error), found->count);
	device->unreadable = found->count;
}

static int do_folder_next(
	struct assay_instrument *ins, struct assay_folder_set *set, size_t size, int ms)
{
	struct device *device = of(ins);
	struct folder *folder = folder_of(device);
	struct assay_folder_set found = {.files = 0};
	if (!device->is_starting) /* the run-start names the data set */
		fatal_driver("%s: the driver requested a data set outside start", ins->key);
	int r = folder_next(folder, &found, ms);
	memset(set, 0, size);
	memcpy(set, &found, size < sizeof found ? size : sizeof found);
	if (r == -ETIMEDOUT) /* with a data set the reply does not count them */
		warn_unreadable(device, &folder->unreadable);
	return r;
}

static int do_folder_file(
	struct assay_instrument *ins, unsigned index, struct assay_folder_file *file, size_t size)
{
	struct assay_folder_file found = {.size = 0};
	int r = folder_file(folder_of(of(ins)), index, &found);
	memset(file, 0, size);
	memcpy(file, &found, size < sizeof found ? size : sizeof found);
	return r;
}

static ssize_t do_folder_read(
	struct assay_instrument *ins, unsigned index, uint64_t offset, void *to, size_t size)
{
	return folder_read(folder_of(of(ins)), index, offset, to, size);
}

static int do_folder_end(struct assay_instrument *ins, enum assay_folder_verdict verdict)
{
	return folder_end(folder_of(of(ins)), verdict);
}

static const char *technique_of(const struct assay_instrument *ins)
{
	const struct device *device = of((struct assay_instrument *)(uintptr_t)ins);
	const char *own = device->driver->technique, *configured = device->config->technique;
	return own != NULL ? own : configured != NULL ? configured : "";
}

/* --- reports ---------------------------------------------------------------------------------- */

static void report_hazard(struct assay_instrument *ins, bool on)
{
	of(ins)->on_hazard(of(ins), on);
}

static void take_beginning(struct assay_instrument *ins, const char *sample)
{
	struct device *device = of(ins);
	if (!device->is_starting) {
		device_log(device, ASSAY_LOG_WARN,
			"the driver reported the begin of a measurement outside start: dropped");
		return;
	}
	device->has_begun = true;
	device->began = channel_received(device->services->channel);
	snprintf(device->sample, sizeof device->sample, "%s", sample != NULL ? sample : "");
}

static void report_progress(
	struct assay_instrument *ins, const char *name, double value, const char *unit)
{
	struct device *device = of(ins);
	struct assay_variable v = {
		.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit != NULL ? unit : "1"};
	uint64_t now = clock_boot();
	heartbeat_step(device->services->channel->heartbeat, 0);
	if (now < device->progress_at + NS_PER_S || !name_is_valid(string_of(name)) ||
		value_complaint(&v) != NULL)
		return;
	device->progress_at = now;
	struct buffer values = {0}, message = {0};
	struct map map;
	map_open(&map, &values);
	map_key(&map, name);
	value_encode_setting(&values, &v);
	map_close(&map);
	wire_write_state(&message, device->index, "busy", "", "",
		(struct assay_span){values.data, values.len});
	core_link_offer(device->services->core, &message);
	buffer_finish(&message);
	buffer_finish(&values);
}

static void take_report(
	struct assay_instrument *ins, const char *name, const struct assay_variable *v, size_t size)
{
	struct device *device = of(ins);
	const struct assay_variable own = value_adopt(v, size);
	if (!device->may_report)
		device_log(device, ASSAY_LOG_WARN,
			"the driver reported '%.40s' outside configure, read_back and start: "
			"dropped",
			name);
	else if (report_add(&device->report, name, &own) == -EINVAL)
		device_log(device, ASSAY_LOG_WARN,
			"the driver reported '%.40s', which is not a setting", name);
}

static void take_value(struct assay_values *out, const char *name, double value, const char *unit)
{
	struct polled *polled = (struct polled *)(void *)out;
	struct assay_variable v = {
		.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit != NULL ? unit : "1"};
	report_add(&polled->report, name, &v);
}

static void take_explanation(struct assay_instrument *ins, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void take_explanation(struct assay_instrument *ins, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(of(ins)->explained, EXPLAIN_MAX, format, args);
	va_end(args);
}

static void take_explanation_of_decode(const struct assay_decoding *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void take_explanation_of_decode(const struct assay_decoding *in, const char *format, ...)
{
	const struct decoding *decoding = (const struct decoding *)(const void *)in;
	va_list args;
	va_start(args, format);
	vsnprintf(decoding->why, decoding->size, format, args);
	va_end(args);
}

static void count_retry(struct assay_instrument *ins)
{
	of(ins)->retried++;
}

/* --- log lines -------------------------------------------------------------------------------- */

static void send_line(struct device *device, enum assay_level level, const char *text)
{
	struct buffer message = {0};
	wire_write_log(&message, device->index, (unsigned)level, text);
	core_link_offer(device->services->core, &message);
	buffer_finish(&message);
}

/* A driver that logs at every poll must not fill the disk: limits the lines per second. */
static bool may_log(struct device *device)
{
	uint64_t now = clock_boot();
	if (now >= device->logged_at + NS_PER_S) {
		unsigned muted = device->muted;
		device->logged_at = now;
		device->logged = device->muted = 0;
		if (muted > 0) {
			char text[60];
			snprintf(text, sizeof text, "%u further lines were left out", muted);
			send_line(device, ASSAY_LOG_WARN, text);
		}
	}
	bool may = device->logged < LOG_LINES_PER_S;
	device->logged += may;
	device->muted += !may;
	return may;
}

/* True if the line repeats the last one within a minute. */
static bool is_repeated(struct device *device, const char *text)
{
	uint64_t now = clock_boot();
	if (strcmp(device->line, text) == 0 && now < device->line_at + REPEAT_NS)
		return true;
	snprintf(device->line, sizeof device->line, "%s", text);
	device->line_at = now;
	return false;
}

__attribute__((format(printf, 3, 0))) static void log_args(
	struct device *device, enum assay_level level, const char *format, va_list args)
{
	char text[WIRE_TEXT_MAX + 1];
	vsnprintf(text, sizeof text, format, args);
	bool known = level == ASSAY_LOG_ERROR || level == ASSAY_LOG_WARN ||
		     level == ASSAY_LOG_INFO || level == ASSAY_LOG_DEBUG;
	if (!is_repeated(device, text) && may_log(device))
		send_line(device, known ? level : ASSAY_LOG_INFO, text);
}

void device_log(struct device *device, enum assay_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_args(device, level, format, args);
	va_end(args);
}

static void take_line(struct assay_instrument *ins, enum assay_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void take_line(struct assay_instrument *ins, enum assay_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_args(of(ins), level, format, args);
	va_end(args);
}

void services_init(struct services *services)
{
	struct assay_host *host = &services->host;
	*host = (struct assay_host){
		.abi = ASSAY_DRIVER_ABI,
		.size = sizeof *host,
		.write = do_write,
		.read = do_read,
		.pause = do_pause,
		.stopping = is_stopping,
		.now_ms = now_ms,
		.modbus_read = do_modbus_read,
		.hazard = report_hazard,
		.progress = report_progress,
		.report = take_report,
		.explain = take_explanation,
		.log = take_line,
		.retried = count_retry,
		.raw_add = raw_add,
		.raw_open = raw_open,
		.raw_append = raw_append,
		.raw_close = raw_close,
		.parse_number = number_parse,
		.parse_integer = number_parse_integer,
		.again = do_again,
		.modbus_registers = modbus_registers,
		.explain_decode = take_explanation_of_decode,
		.drain_count = do_drain_count,
		.value = take_value,
		.http = do_http,
		.folder_next = do_folder_next,
		.folder_file = do_folder_file,
		.folder_read = do_folder_read,
		.folder_end = do_folder_end,
		.technique = technique_of,
		.write_to = do_write_to,
		.read_from = do_read_from,
		.usb_control = do_usb_control,
		.modbus_raw = do_modbus_raw,
		.line = do_line,
		.began = take_beginning,
	};
	settings_services(host);
	frame_services(host);
}
