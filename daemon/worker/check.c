/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/encode.h"
#include "record/read.h"
#include "wire/check.h"
#include "wire/exit.h"
#include "worker/check.h"
#include "worker/confine.h"
#include "worker/device.h"
#include "worker/fatal.h"
#include "worker/module.h"
#include "worker/settings.h"

#define DEPTH_MAX 12

struct findings {
	struct assay_check handle; /* first */
	struct buffer list;        /* encoded findings */
	size_t count;
};

__attribute__((format(printf, 6, 0))) static void add(struct findings *f, enum assay_level level,
	const char *setting, long row, const char *column, const char *format, va_list args)
{
	char text[CHECK_TEXT];
	struct map map;
	if (f->count++ >= CHECK_FINDINGS_MAX)
		return;
	vsnprintf(text, sizeof text, format, args);
	text_make_printable(text); /* its last character may be cut, and others may not be UTF-8 */
	map_open(&map, &f->list);
	map_uint(&map, "level", level == ASSAY_LOG_ERROR ? ASSAY_LOG_ERROR : ASSAY_LOG_WARN);
	map_text(&map, "setting", setting);
	if (row >= 0)
		map_uint(&map, "row", (uint64_t)row);
	map_text(&map, "column", column);
	map_text(&map, "text", text);
	map_close(&map);
}

/* The service of <assay/driver.h>. */
static void take_finding(struct assay_check *out, enum assay_level level, const char *setting,
	long row, const char *column, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

static void take_finding(struct assay_check *out, enum assay_level level, const char *setting,
	long row, const char *column, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add((struct findings *)(void *)out, level, setting, row, column, format, args);
	va_end(args);
}

/* One map of settings: appends its list of findings to `to`. */
static int check_one(const struct assay_driver *driver, const struct assay_host *host,
	struct assay_span sent, struct buffer *to)
{
	struct findings f = {.handle = {host}};
	struct settings *settings;
	char why[SETTINGS_WHY] = "";
	int r = settings_create(driver->settings, sent.data, sent.len, host, &settings, why);
	if (r == -EINVAL)
		take_finding(&f.handle, ASSAY_LOG_ERROR, "", -1, NULL, "%s", why);
	else if (r < 0)
		return r;
	else if (driver->check != NULL)
		driver->check(settings_handle(settings), &f.handle);
	if (r == 0)
		settings_destroy(settings);
	encode_array(to, f.count < CHECK_FINDINGS_MAX ? f.count : CHECK_FINDINGS_MAX);
	encode_raw(to, f.list.data, f.list.len);
	bool failed = f.list.failed;
	buffer_finish(&f.list);
	return failed ? -ENOMEM : 0;
}

static int check_all(
	const struct assay_driver *driver, const struct buffer *input, struct buffer *to)
{
	struct services services;
	struct reader r;
	size_t count;
	services_init(&services);
	services.host.finding = take_finding;
	read_init(&r, input->data, input->len);
	r.depth_max = DEPTH_MAX;
	if (read_array(&r, &count) < 0)
		return -EBADMSG;
	encode_array(to, count);
	for (size_t i = 0; i < count; i++) {
		struct assay_span sent;
		int e = read_raw(&r, &sent) < 0 ? -EBADMSG
						: check_one(driver, &services.host, sent, to);
		if (e < 0)
			return e;
	}
	return read_finish(&r) < 0 ? -EBADMSG : to->failed ? -ENOMEM : 0;
}

static int read_input(int fd, struct buffer *to)
{
	for (;;) {
		uint8_t *room = buffer_reserve(to, 65536);
		ssize_t n = room != NULL ? read(fd, room, 65536) : -1;
		if (room != NULL && n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -EIO : 0;
		to->len += (size_t)n;
	}
}

int check_run(const char *drivers, const char *driver, int in)
{
	struct buffer input = {.limit = CHECK_BYTES_MAX}, output = {.limit = CHECK_BYTES_MAX};
	struct module module;
	struct confine confine = {.ruleset = -1};
	char why[MODULE_WHY] = "";
	setvbuf(stdout, NULL, _IONBF, 0); /* a buffer would need fstat() */
	int r = read_input(in, &input);
	if (r == 0)
		r = module_confine(&confine, drivers, &driver, 1);
	if (r == 0)
		r = module_open(&module, drivers, driver, why);
	if (r < 0) {
		fprintf(stderr, "assay-worker: %s\n",
			why[0] != '\0' ? why : "cannot read the settings");
		buffer_finish(&input);
		confine_finish(&confine);
		return WIRE_EXIT_SETUP;
	}
	r = confine_calls(&confine, CONFINE_RUNNING);
	confine_finish(&confine);
	fatal_enter(0, driver, "check");
	if (r == 0)
		r = check_all(module.driver, &input, &output);
	if (r == 0 &&
		(fwrite(output.data, 1, output.len, stdout) != output.len || fflush(stdout) != 0))
		r = -EPIPE;
	if (r < 0)
		fprintf(stderr, "assay-worker: the settings cannot be checked: %s\n", strerror(-r));
	buffer_finish(&input);
	buffer_finish(&output);
	fatal_enter(0, NULL, NULL);
	module_close(&module);
	return r < 0 ? WIRE_EXIT_PROTOCOL : WIRE_EXIT_CLEAN;
}
