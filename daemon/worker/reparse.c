/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/record.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/encode.h"
#include "record/references.h"
#include "wire/exit.h"
#include "wire/reparse.h"
#include "worker/confine.h"
#include "worker/device.h"
#include "worker/fatal.h"
#include "worker/reparse.h"

#define DEPTH_MAX 12

struct reparse {
	struct services services;
	struct module module;
	struct settings *settings;
	void *prepared;     /* by the driver from `settings`; NULL: nothing */
	struct buffer sent; /* CBOR of `settings`: most frames of a run have the same */
	struct raw raw, references;
	struct frame frame;
	char why[SETTINGS_WHY];
};

static void destroy(struct reparse *p)
{
	raw_finish(&p->raw);
	raw_finish(&p->references);
	frame_finish(&p->frame);
	free(p->prepared);
	settings_destroy(p->settings);
	buffer_finish(&p->sent);
	module_close(&p->module);
	free(p);
}

/* Loads the driver.  0 with *out owned by the caller, or a negative errno with `why`. */
static int create(
	struct reparse **out, const char *drivers, const char *driver, char why[MODULE_WHY])
{
	struct reparse *p = calloc(1, sizeof *p);
	if (p == NULL) {
		snprintf(why, MODULE_WHY, "no memory");
		return -ENOMEM;
	}
	services_init(&p->services);
	frame_init(&p->frame, &p->services.host);
	int r = module_open(&p->module, drivers, driver, why);
	size_t most = r == 0 ? p->module.driver->raw_max : 0;
	raw_init(&p->raw, &p->services.host, most);
	raw_init(&p->references, &p->services.host, REFERENCES_BYTES_MAX);
	if (r < 0)
		destroy(p);
	else
		*out = p;
	return r;
}

/* --- one frame -------------------------------------------------------------------------------- */

static int use_settings(struct reparse *p, struct assay_span sent)
{
	const struct assay_driver *driver = p->module.driver;
	if (p->settings != NULL && p->sent.len == sent.len &&
		memcmp(p->sent.data, sent.data, sent.len) == 0)
		return 0;
	free(p->prepared);
	p->prepared = NULL;
	settings_destroy(p->settings);
	p->settings = NULL;
	buffer_reset(&p->sent);
	buffer_append(&p->sent, sent.data, sent.len);
	if (p->sent.failed)
		return -ENOMEM;
	int r = settings_create(
		driver->settings, sent.data, sent.len, &p->services.host, &p->settings, p->why);
	if (r < 0 || driver->prepare == NULL)
		return r;
	p->prepared = calloc(1, driver->prepared_size);
	if (p->prepared == NULL)
		return -ENOMEM;
	driver->prepare(settings_handle(p->settings), p->prepared);
	return 0;
}

static int read_request(struct reparse *p, const uint8_t *data, size_t len)
{
	struct reader r;
	size_t items;
	struct assay_span settings;
	read_init(&r, data, len);
	r.depth_max = DEPTH_MAX;
	if (read_array(&r, &items) < 0 || items != 3 || read_raw(&r, &settings) < 0)
		return -EBADMSG;
	int e = use_settings(p, settings);
	if (e == 0)
		e = raw_read(&p->raw, &r);
	if (e == 0)
		e = raw_read(&p->references, &r);
	return e < 0 ? e : read_finish(&r);
}

static int decode(struct reparse *p)
{
	struct decoding decoding = {
		.in = {.host = &p->services.host,
			.settings = settings_handle(p->settings),
			.prepared = p->prepared},
		.why = p->why,
		.size = sizeof p->why,
	};
	struct assay_decoding *in = &decoding.in;
	in->raw = raw_blocks(&p->raw, &in->raw_count);
	in->references = raw_blocks(&p->references, &in->reference_count);
	frame_reset(&p->frame);
	int r = p->module.driver->decode(in, &p->frame.handle);
	if (r == 0 && p->frame.error != 0) {
		r = p->frame.error;
		snprintf(p->why, sizeof p->why, "%s", p->frame.why);
	}
	if (r == 0 && (p->frame.kind == 0 || p->frame.var_count == 0))
		r = -EINVAL;
	if (r == 0 && !frame_is_reproduced(&p->frame, p->module.driver, in)) {
		r = -EPROTO;
		snprintf(p->why, sizeof p->why,
			"decode() made two different frames of the same bytes");
	}
	return r;
}

/* Answers one request: appends the answer's CBOR to `answer`. */
static void answer_one(struct reparse *p, const uint8_t *request, size_t len, struct buffer *answer)
{
	struct map map;
	p->why[0] = '\0';
	int r = read_request(p, request, len);
	if (r == 0)
		r = decode(p);
	map_open(&map, answer);
	if (r < 0) {
		const char *what = r == -EBADMSG ? "its bytes break the protocol" : strerror(-r);
		map_text(&map, "error", p->why[0] != '\0' ? p->why : what);
	} else {
		map_text(&map, "kind", assay_frame_kind_name((enum assay_frame_kind)p->frame.kind));
		map_key(&map, "vars");
		encode_array(answer, p->frame.var_count);
		encode_raw(answer, p->frame.vars.data, p->frame.vars.len);
	}
	map_close(&map);
}

/* --- the pipes -------------------------------------------------------------------------------- */

/* 1: all of it, 0: the end before the first byte, -EPIPE: the end within. */
static int read_all(int fd, uint8_t *to, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = read(fd, to + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 && done == 0 ? 0 : -EPIPE;
		done += (size_t)n;
	}
	return 1;
}

static int write_all(int fd, const uint8_t *from, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, from, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_message(int fd, struct buffer *to)
{
	uint32_t size;
	int r = read_all(fd, (uint8_t *)&size, sizeof size);
	if (r <= 0)
		return r;
	size = le32toh(size);
	buffer_reset(to);
	if (size == 0 || size > REPARSE_MAX || buffer_reserve(to, size) == NULL)
		return -EBADMSG;
	r = read_all(fd, to->data, size);
	to->len = size;
	return r == 0 ? -EPIPE : r;
}

static int write_message(int fd, const struct buffer *message)
{
	uint32_t size = htole32((uint32_t)message->len);
	if (message->failed || message->len > REPARSE_MAX)
		return -ENOMEM;
	int r = write_all(fd, (const uint8_t *)&size, sizeof size);
	return r == 0 ? write_all(fd, message->data, message->len) : r;
}

static int serve(struct reparse *p, int in, int out)
{
	struct buffer request = {0}, answer = {0};
	struct map hello;
	map_open(&hello, &answer);
	map_text(&hello, "driver", p->module.driver->name);
	map_text(&hello, "version", p->module.driver->version);
	map_close(&hello);
	int r = write_message(out, &answer);
	while (r == 0 && (r = read_message(in, &request)) > 0) {
		buffer_reset(&answer);
		answer_one(p, request.data, request.len, &answer);
		r = write_message(out, &answer);
	}
	buffer_finish(&request);
	buffer_finish(&answer);
	return r;
}

int reparse_run(const char *drivers, const char *driver, int in, int out)
{
	struct reparse *p;
	struct confine confine;
	char why[MODULE_WHY] = "";
	int r = module_confine(&confine, drivers, &driver, 1);
	if (r < 0)
		snprintf(why, sizeof why, "it cannot be confined: %s", strerror(-r));
	else
		r = create(&p, drivers, driver, why);
	if (r < 0) {
		fprintf(stderr, "assay-worker: %s\n", why);
		confine_finish(&confine);
		return WIRE_EXIT_SETUP;
	}
	r = confine_calls(&confine, CONFINE_RUNNING);
	confine_finish(&confine);
	fatal_enter(0, driver, "decode");
	if (r < 0)
		fprintf(stderr, "assay-worker: cannot be confined: %s\n", strerror(-r));
	else
		r = serve(p, in, out);
	fatal_enter(0, NULL, NULL);
	destroy(p);
	return r < 0 ? WIRE_EXIT_PROTOCOL : WIRE_EXIT_CLEAN;
}
