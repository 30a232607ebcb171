/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step_kind {
	STEP_EXPECT,
	STEP_ANSWER,
	STEP_SILENCE,
	STEP_DELAY, /* `count` ms */
	STEP_ERROR,
	STEP_STOP,
	STEP_MODBUS,
};

struct host_step {
	struct host_step *next;
	enum step_kind kind;
	const uint8_t *data;
	size_t len, used;
	int result;
	enum assay_modbus_table table;
	unsigned address, count;
};

struct block {
	struct block *next;
	max_align_t data[];
};

static struct host *host_of(const struct assay_instrument *ins)
{
	_Static_assert(offsetof(struct host, ins) == 0, "services find the host by it");
	return (struct host *)(uintptr_t)ins;
}

/* --- memory, failures --- */

void *host_memory(struct host *h, size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + size);
	if (b == NULL)
		host_bug("no memory");
	b->next = h->memory;
	h->memory = b;
	return b->data;
}

void *host_copy(struct host *h, const void *data, size_t len)
{
	void *copy = host_memory(h, len);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *host_text(struct host *h, const char *text)
{
	return text != NULL ? host_copy(h, text, strlen(text) + 1) : NULL;
}

void host_bug(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("host: bug: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

int host_fail(struct host *h, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (!h->quiet) {
		fputs("host: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	va_end(args);
	h->failed = true;
	return -EIO;
}

/* --- the script --- */

static struct host_step *add_step(struct host *h, enum step_kind kind, const void *data, size_t len)
{
	struct host_step *step = host_memory(h, sizeof(*step));
	step->kind = kind;
	step->data = host_copy(h, data, len);
	step->len = len;
	struct host_step **end = &h->script;
	while (*end != NULL)
		end = &(*end)->next;
	*end = step;
	return step;
}

static void add_input(struct host *h, struct host_step *step)
{
	struct host_step **end = &h->input;
	while (*end != NULL)
		end = &(*end)->next;
	step->next = NULL;
	*end = step;
}

/* Moves replies before the driver's next request from the script to the input. */
static void gather_input(struct host *h)
{
	while (h->script != NULL && h->script->kind != STEP_EXPECT &&
		h->script->kind != STEP_MODBUS) {
		struct host_step *step = h->script;
		if (step->kind == STEP_ERROR && h->input != NULL)
			return;
		h->script = step->next;
		if (step->kind == STEP_STOP)
			h->stopping = true;
		else
			add_input(h, step);
	}
}

static int take_error(struct host *h)
{
	gather_input(h);
	if (h->stuck == 0 && h->abort_at != 0 && h->now >= h->abort_at)
		h->stuck = -ECANCELED;
	if (h->stuck != 0)
		return h->stuck;
	if (h->input == NULL || h->input->kind != STEP_ERROR)
		return 0;
	int err = h->input->result;
	h->input = h->input->next;
	if (err == -ENODEV || err == -ECANCELED)
		h->stuck = err;
	return err;
}

static void advance(struct host *h, uint64_t ms)
{
	uint64_t end = h->now + ms;
	if (h->abort_at > h->now && h->abort_at < end)
		end = h->abort_at;
	h->now = end;
	if (h->stop_at != 0 && h->now >= h->stop_at)
		h->stopping = true;
}

void host_expect(struct host *h, const void *data, size_t len)
{
	add_step(h, STEP_EXPECT, data, len);
}

void host_answer(struct host *h, const void *data, size_t len)
{
	if (len > 0)
		add_step(h, STEP_ANSWER, data, len);
}

void host_answer_split(struct host *h, const void *data, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece)
		host_answer(h, (const uint8_t *)data + at, len - at < piece ? len - at : piece);
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	host_bug("'%c' is no hexadecimal digit", c);
}

size_t host_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;
	while (*hex != '\0') {
		if (*hex == ' ' || *hex == '\n') {
			hex++;
			continue;
		}
		if (n == size)
			host_bug("more than %zu bytes of hex", size);
		out[n++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
		hex += 2;
	}
	return n;
}

void host_expect_hex(struct host *h, const char *hex)
{
	uint8_t data[1024];
	host_expect(h, data, host_hex(hex, data, sizeof(data)));
}

void host_answer_hex(struct host *h, const char *hex)
{
	uint8_t data[1024];
	host_answer(h, data, host_hex(hex, data, sizeof(data)));
}

void host_expect_text(struct host *h, const char *text)
{
	host_expect(h, text, strlen(text));
}

void host_answer_text(struct host *h, const char *text)
{
	host_answer(h, text, strlen(text));
}

void host_silence(struct host *h)
{
	add_step(h, STEP_SILENCE, NULL, 0);
}

void host_delay(struct host *h, unsigned ms)
{
	add_step(h, STEP_DELAY, NULL, 0)->count = ms;
}

void host_error(struct host *h, int err)
{
	add_step(h, STEP_ERROR, NULL, 0)->result = err;
}

void host_ask_to_stop(struct host *h)
{
	add_step(h, STEP_STOP, NULL, 0);
}

void host_revive(struct host *h)
{
	h->stuck = 0;
	h->abort_at = 0;
}

void host_expect_modbus(struct host *h, enum assay_modbus_table table, unsigned address,
	unsigned count, int result, const uint16_t *values)
{
	size_t len = result == 0 ? count * sizeof(*values) : 0;
	struct host_step *step = add_step(h, STEP_MODBUS, values, len);
	step->table = table;
	step->address = address;
	step->count = count;
	step->result = result;
}

/* --- the link --- */

static void print_bytes(const char *what, const uint8_t *data, size_t len)
{
	fprintf(stderr, "host: %s", what);
	for (size_t i = 0; i < len && i < 80; i++)
		fprintf(stderr, " %02X", data[i]);
	fprintf(stderr, len > 80 ? " ... (%zu bytes)\n" : "\n", len);
}

static int link_write(struct assay_instrument *ins, const void *data, size_t len, int ms)
{
	struct host *h = host_of(ins);
	if (ms <= 0 || len == 0)
		host_bug("a write of %zu bytes within %d ms", len, ms);
	h->writes++;
	int r = take_error(h);
	if (r < 0)
		return r;
	if (h->device != NULL) {
		h->device(h, data, len);
		return 0;
	}
	struct host_step *step = h->script;
	if (step != NULL && step->kind == STEP_EXPECT && step->len == len &&
		memcmp(step->data, data, len) == 0) {
		h->script = step->next;
		gather_input(h);
		return 0;
	}
	if (!h->quiet) {
		print_bytes("written: ", data, len);
		if (step != NULL && step->kind == STEP_EXPECT)
			print_bytes("expected:", step->data, step->len);
	}
	return host_fail(h, "a write that the script does not have here");
}

/* Lets a device with a clock run until there is input, for at most `ms`. */
static int await_input(struct host *h, int ms)
{
	for (uint64_t end = h->now + (uint64_t)ms;;) {
		uint64_t next = h->wake(h);
		int r = take_error(h);
		if (r < 0 || h->input != NULL || h->now >= end)
			return r;
		advance(h, (next < end ? next : end) - h->now);
	}
}

static ssize_t link_read(struct assay_instrument *ins, void *buf, size_t size, int ms)
{
	struct host *h = host_of(ins);
	if (ms < 0 || size == 0)
		host_bug("a read of %zu bytes within %d ms", size, ms);
	int r = h->wake != NULL ? await_input(h, ms) : take_error(h);
	if (r < 0)
		return r;
	if (h->wake != NULL && h->input == NULL)
		return -ETIMEDOUT;
	struct host_step *step = h->input;
	if (step != NULL && step->kind == STEP_DELAY && step->count <= (unsigned)ms) {
		advance(h, step->count);
		h->input = step->next;
		return link_read(ins, buf, size, ms - (int)step->count);
	}
	if (step != NULL && step->kind == STEP_DELAY) {
		step->count -= (unsigned)ms;
		step = NULL;
	}
	if (step == NULL || step->kind == STEP_SILENCE) {
		if (step != NULL)
			h->input = step->next;
		advance(h, (uint64_t)ms);
		r = h->abort_at != 0 ? take_error(h) : 0;
		return r < 0 ? r : -ETIMEDOUT;
	}
	size_t n = step->len - step->used < size ? step->len - step->used : size;
	memcpy(buf, step->data + step->used, n);
	step->used += n;
	if (step->used == step->len)
		h->input = step->next;
	return (ssize_t)n;
}

/* All endpoints have one script. */
static int link_write_to(struct assay_instrument *ins, enum assay_endpoint endpoint,
	const void *data, size_t len, int ms)
{
	return link_write(ins, data, len, ms);
}

static ssize_t link_read_from(
	struct assay_instrument *ins, enum assay_endpoint endpoint, void *buf, size_t size, int ms)
{
	return link_read(ins, buf, size, ms);
}

/* Written are the setup packet and the data; the next answer is read if bit 7 of the type is set. */
static ssize_t link_control(struct assay_instrument *ins, const struct assay_usb_request *request,
	size_t size, void *data, size_t len, int ms)
{
	uint8_t message[8 + 4096] = {request->type, request->request, (uint8_t)request->value,
		(uint8_t)(request->value >> 8), (uint8_t)request->index,
		(uint8_t)(request->index >> 8), (uint8_t)len, (uint8_t)(len >> 8)};
	bool is_in = (request->type & 0x80) != 0;
	if (len > 4096)
		return -EMSGSIZE;
	if (!is_in && len > 0)
		memcpy(message + 8, data, len);
	int r = link_write(ins, message, 8 + (is_in ? 0 : len), ms);
	if (r < 0 || !is_in)
		return r < 0 ? r : (ssize_t)len;
	return link_read(ins, data, len, ms);
}

static int link_line(struct assay_instrument *ins, enum assay_line_act act, int value)
{
	struct host *h = host_of(ins);
	return h->line != NULL ? h->line(h, act, value) : -ENOTSUP;
}

static int drain_device(struct host *h, int quiet_ms, int limit_ms, size_t *dropped)
{
	for (uint64_t limit = h->now + (uint64_t)limit_ms;;) {
		int r = await_input(h, quiet_ms);
		if (r < 0 || h->input == NULL)
			return r;
		for (; h->input != NULL; h->input = h->input->next)
			*dropped += h->input->len - h->input->used;
		if (quiet_ms > 0 && h->now >= limit)
			return -EBADMSG;
	}
}

static int link_drain_count(
	struct assay_instrument *ins, int quiet_ms, int limit_ms, size_t *dropped)
{
	struct host *h = host_of(ins);
	if (quiet_ms < 0 || limit_ms < quiet_ms)
		host_bug("a drain until %d ms of silence for at most %d ms", quiet_ms, limit_ms);
	h->drains++;
	*dropped = 0;
	if (h->wake != NULL)
		return drain_device(h, quiet_ms, limit_ms, dropped);
	do {
		int r = take_error(h);
		if (r < 0)
			return r;
		if (h->input != NULL) {
			*dropped += h->input->len - h->input->used;
			h->input = h->input->next;
		}
	} while (h->input != NULL);
	bool gives_up = h->never_pauses && quiet_ms > 0;
	advance(h, (uint64_t)(gives_up ? limit_ms : quiet_ms));
	int r = take_error(h);
	return r == 0 && gives_up ? -EBADMSG : r;
}

static int link_pause(struct assay_instrument *ins, int ms)
{
	struct host *h = host_of(ins);
	if (ms < 0)
		host_bug("a pause of %d ms", ms);
	bool was_stopping = h->stopping;
	int r = take_error(h);
	if (r < 0 || h->stopping != was_stopping)
		return r;
	uint64_t end = h->now + (uint64_t)ms;
	advance(h, h->stop_at > h->now && h->stop_at < end ? h->stop_at - h->now : (uint64_t)ms);
	return h->abort_at != 0 ? take_error(h) : 0;
}

static bool link_stopping(const struct assay_instrument *ins)
{
	struct host *h = host_of(ins);
	gather_input(h);
	return h->stopping;
}

static uint64_t link_now(const struct assay_instrument *ins)
{
	return host_of(ins)->now;
}

static int link_modbus(struct assay_instrument *ins, enum assay_modbus_table table,
	unsigned address, unsigned count, uint16_t *out)
{
	struct host *h = host_of(ins);
	bool bits = table == ASSAY_COILS || table == ASSAY_DISCRETE;
	if (!(ins->link & (ASSAY_LINK_MODBUS_RTU | ASSAY_LINK_MODBUS_TCP)))
		host_bug("modbus_read on a link that is not Modbus");
	if (count == 0 || count > (bits ? 2000u : 125u) || address + count > 65536)
		host_bug("modbus_read of %u from %u", count, address);
	int r = take_error(h);
	if (r < 0)
		return r;
	if (h->modbus != NULL)
		return h->modbus(h, table, address, count, out);
	struct host_step *step = h->script;
	if (step == NULL || step->kind != STEP_MODBUS || step->table != table ||
		step->address != address || step->count != count)
		return host_fail(h,
			"a read of table %d, %u from %u, that the script does not have here",
			(int)table, count, address);
	h->script = step->next;
	memcpy(out, step->data, step->len);
	if (step->result == -ENODEV || step->result == -ECANCELED)
		h->stuck = step->result;
	return step->result;
}

static ssize_t link_modbus_raw(struct assay_instrument *ins, unsigned function, const void *request,
	size_t len, void *reply, size_t size, size_t expected)
{
	struct host *h = host_of(ins);
	if (!(ins->link & (ASSAY_LINK_MODBUS_RTU | ASSAY_LINK_MODBUS_TCP)))
		host_bug("modbus_raw on a link that is not Modbus");
	if (function == 0 || function > 127 || len > 252 || expected > size)
		host_bug("modbus_raw of function %u with %zu bytes", function, len);
	int r = take_error(h);
	if (r < 0)
		return r;
	if (h->modbus_raw == NULL)
		return host_fail(h, "a request of function %u, of which there is none", function);
	return h->modbus_raw(h, function, request, len, reply, size, expected);
}

/* --- reports of the driver --- */

static void say_hazard(struct assay_instrument *ins, bool on)
{
	struct host *h = host_of(ins);
	h->hazard = on;
	h->hazards += on;
}

static void keep(struct host *h, struct host_variable *list, size_t *count, size_t max,
	const struct assay_variable *v, const char *name)
{
	size_t i = 0;
	while (i < *count && strcmp(list[i].said, name) != 0)
		i++;
	if (i == max)
		host_bug("more than %zu names, '%s' is one too many", max, name);
	host_variable_copy(h, &list[i], v, name);
	*count += i == *count;
}

static void say_progress(
	struct assay_instrument *ins, const char *name, double value, const char *unit)
{
	struct host *h = host_of(ins);
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit};
	keep(h, h->progress, &h->progress_count, 16, &v, name);
}

void host_expect_size(size_t size)
{
	if (size != sizeof(struct assay_variable))
		host_bug("a variable of %zu bytes", size);
}

static void say_report(
	struct assay_instrument *ins, const char *name, const struct assay_variable *v, size_t size)
{
	host_expect_size(size);
	struct host *h = host_of(ins);
	const struct assay_setting *row = h->driver->settings;
	while (row != NULL && row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	bool is_known = (row != NULL && row->name != NULL) || ins->link == ASSAY_LINK_FOLDER;
	if (!is_known && strcmp(name, "left_out") != 0)
		host_bug("a report of '%s', which is not in the table of settings", name);
	keep(h, h->reports, &h->report_count, 128, v, name);
}

__attribute__((format(printf, 2, 3))) static void say_explain(
	struct assay_instrument *ins, const char *format, ...)
{
	struct host *h = host_of(ins);
	va_list args;
	va_start(args, format);
	vsnprintf(h->explained, sizeof(h->explained), format, args);
	va_end(args);
}

static struct host *decoding; /* whose decode() runs */

__attribute__((format(printf, 2, 3))) static void say_explain_decode(
	const struct assay_decoding *in, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(decoding->explained, sizeof(decoding->explained), format, args);
	va_end(args);
}

static void say_began(struct assay_instrument *ins, const char *sample)
{
	host_of(ins)->has_begun = true;
	host_of(ins)->sample = host_text(host_of(ins), sample);
}

static int play_again(struct assay_instrument *ins, int ms)
{
	host_of(ins)->now += ms > 0 ? (uint64_t)ms : 0;
	return -EAGAIN;
}

static int link_http(struct assay_instrument *ins, const struct assay_http_request *request,
	size_t request_size, struct assay_http_reply *reply, size_t reply_size, int ms)
{
	struct host *h = host_of(ins);
	if (ins->link != ASSAY_LINK_HTTP || ms <= 0 || request->path == NULL ||
		request->path[0] != '/' || request->max == 0)
		host_bug("no request that this link can have");
	if (request_size != sizeof *request || reply_size != sizeof *reply)
		host_bug("a request of another header");
	*reply = (struct assay_http_reply){.status = 0};
	int r = take_error(h);
	if (r < 0)
		return r;
	if (h->http == NULL)
		return host_fail(h, "a request that the test does not have");
	r = h->http(h, request, reply);
	return r == 0 && reply->len > request->max ? -EBADMSG : r;
}

static void check_folder(const struct host *h, size_t size, size_t expected)
{
	if (h->ins.link != ASSAY_LINK_FOLDER || h->folder_next == NULL || size != expected)
		host_bug("files on another link, or of another header");
}

static int link_folder_next(
	struct assay_instrument *ins, struct assay_folder_set *set, size_t size, int ms)
{
	struct host *h = host_of(ins);
	check_folder(h, size, sizeof *set);
	int r = take_error(h);
	if (r == 0)
		r = h->folder_next(h, set);
	if (r == -ETIMEDOUT)
		advance(h, (uint64_t)ms);
	return r;
}

static int link_folder_file(
	struct assay_instrument *ins, unsigned index, struct assay_folder_file *file, size_t size)
{
	struct host *h = host_of(ins);
	check_folder(h, size, sizeof *file);
	int r = take_error(h);
	return r < 0 ? r : h->folder_file(h, index, file);
}

static ssize_t link_folder_read(
	struct assay_instrument *ins, unsigned index, uint64_t offset, void *to, size_t size)
{
	struct host *h = host_of(ins);
	check_folder(h, 0, 0);
	int r = take_error(h);
	return r < 0 ? r : h->folder_read(h, index, offset, to, size < 65536 ? size : 65536);
}

static int link_folder_end(struct assay_instrument *ins, enum assay_folder_verdict verdict)
{
	struct host *h = host_of(ins);
	check_folder(h, 0, 0);
	int r = take_error(h);
	return r < 0 ? r : h->folder_end(h, verdict);
}

static const char *play_technique(const struct assay_instrument *ins)
{
	const struct host *h = host_of(ins);
	const char *own = h->driver->technique;
	return own != NULL ? own : h->technique != NULL ? h->technique : "";
}

static unsigned modbus_registers(const struct assay_instrument *ins)
{
	const struct host *h = host_of(ins);
	return h->modbus_registers > 0 ? h->modbus_registers : 125;
}

__attribute__((format(printf, 3, 4))) static void say_log(
	struct assay_instrument *ins, enum assay_level level, const char *format, ...)
{
	struct host *h = host_of(ins);
	const char *names[] = {[3] = "error", [4] = "warn", [6] = "info", [7] = "debug"};
	size_t used = strlen(h->logged), room = sizeof(h->logged) - used;
	int n = snprintf(h->logged + used, room, "%s ", names[level]);
	va_list args;
	va_start(args, format);
	if ((size_t)n < room)
		vsnprintf(h->logged + used + n, room - (size_t)n, format, args);
	va_end(args);
	used = strlen(h->logged);
	if (used + 1 < sizeof(h->logged))
		memcpy(h->logged + used, "\n", 2);
}

static void say_retried(struct assay_instrument *ins)
{
	host_of(ins)->retried++;
}

static int keep_raw(
	struct assay_raw *raw, const char *media, const char *name, const void *data, size_t len)
{
	struct host_raw *r = (struct host_raw *)(void *)raw;
	if (media == NULL || strchr(media, '/') == NULL)
		host_bug("a raw block without a media type");
	if (r->is_open)
		host_bug("a raw block while another one is open");
	if (r->count == 64 || len > r->host->driver->raw_max - r->total)
		return -EMSGSIZE;
	r->total += len;
	r->blocks[r->count++] = (struct assay_bytes){
		.media = host_text(r->host, media),
		.name = host_text(r->host, name),
		.data = host_copy(r->host, data, len),
		.len = len,
	};
	return 0;
}

static int open_raw(struct assay_raw *raw, const char *media, const char *name)
{
	struct host_raw *r = (struct host_raw *)(void *)raw;
	int e = keep_raw(raw, media, name, "", 0);
	r->is_open = e == 0;
	r->room = 0;
	return e;
}

static int append_raw(struct assay_raw *raw, const void *data, size_t len)
{
	struct host_raw *r = (struct host_raw *)(void *)raw;
	if (!r->is_open)
		host_bug("bytes for a raw block that is not open");
	if (len > r->host->driver->raw_max - r->total)
		return -EMSGSIZE;
	struct assay_bytes *block = &r->blocks[r->count - 1];
	if (block->len + len > r->room) {
		r->room = 2 * (block->len + len);
		uint8_t *more = host_memory(r->host, r->room);
		memcpy(more, block->data, block->len);
		block->data = more;
	}
	memcpy((uint8_t *)(uintptr_t)block->data + block->len, data, len);
	r->total += len;
	block->len += len;
	return 0;
}

static int close_raw(struct assay_raw *raw)
{
	struct host_raw *r = (struct host_raw *)(void *)raw;
	if (!r->is_open)
		host_bug("a raw block is closed that is not open");
	r->is_open = false;
	return 0;
}

/* --- check --- */

struct check {
	struct assay_check handle;
	struct host *host;
};

__attribute__((format(printf, 6, 7))) static void say_finding(struct assay_check *out,
	enum assay_level level, const char *setting, long row, const char *column,
	const char *format, ...)
{
	struct host *h = ((struct check *)(void *)out)->host;
	size_t at = strlen(h->found), size = sizeof(h->found) - at;
	va_list args;
	int n = snprintf(
		h->found + at, size, "%s %s", level == ASSAY_LOG_ERROR ? "error" : "warn", setting);
	if (row >= 0 && (size_t)n < size)
		n += snprintf(h->found + at + n, size - (size_t)n, "[%ld]", row);
	if (column != NULL && (size_t)n < size)
		n += snprintf(h->found + at + n, size - (size_t)n, ".%s", column);
	if ((size_t)n + 4 >= size)
		host_bug("more findings than the host holds");
	n += snprintf(h->found + at + n, size - (size_t)n, ": ");
	va_start(args, format);
	n += vsnprintf(h->found + at + n, size - (size_t)n, format, args);
	va_end(args);
	if ((size_t)n + 1 >= size)
		host_bug("more findings than the host holds");
	strcat(h->found, "\n");
}

/* --- poll --- */

struct values {
	struct assay_values handle;
	struct host *host;
};

static void say_value(struct assay_values *out, const char *name, double value, const char *unit)
{
	struct host *h = ((struct values *)(void *)out)->host;
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit};
	keep(h, h->progress, &h->progress_count, 16, &v, name);
}

/* --- life --- */

static struct assay_host services = {
	.abi = ASSAY_DRIVER_ABI,
	.size = sizeof(struct assay_host),
	.write = link_write,
	.read = link_read,
	.drain_count = link_drain_count,
	.write_to = link_write_to,
	.read_from = link_read_from,
	.usb_control = link_control,
	.line = link_line,
	.pause = link_pause,
	.stopping = link_stopping,
	.now_ms = link_now,
	.modbus_read = link_modbus,
	.hazard = say_hazard,
	.progress = say_progress,
	.report = say_report,
	.explain = say_explain,
	.again = play_again,
	.began = say_began,
	.modbus_registers = modbus_registers,
	.http = link_http,
	.folder_next = link_folder_next,
	.folder_file = link_folder_file,
	.folder_read = link_folder_read,
	.folder_end = link_folder_end,
	.technique = play_technique,
	.modbus_raw = link_modbus_raw,
	.explain_decode = say_explain_decode,
	.log = say_log,
	.retried = say_retried,
	.raw_add = keep_raw,
	.finding = say_finding,
	.value = say_value,
	.raw_open = open_raw,
	.raw_append = append_raw,
	.raw_close = close_raw,
};

struct host *host_create(const struct assay_driver *driver, enum assay_link link)
{
	host_settings_services(&services);
	host_frame_services(&services);
	struct host *h = calloc(1, sizeof(*h));
	if (h == NULL || driver == NULL || !(driver->links & link))
		host_bug("no host for this driver on link %d", (int)link);
	h->driver = driver;
	h->now = 1000;
	h->ins = (struct assay_instrument){
		.host = &services,
		.state = host_memory(h, driver->state_size),
		.key = "under-test",
		.link = link,
		.settings = &h->settings.handle,
	};
	h->settings.handle.host = &services;
	host_settings_init(h, &h->settings, driver->settings);
	host_reset(h);
	return h;
}

void host_destroy(struct host *h)
{
	if (h == NULL)
		return;
	for (struct block *b = h->memory, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(h);
}

void host_reset(struct host *h)
{
	h->frame = (struct host_frame){.handle.host = &services, .host = h, .flag = ASSAY_GOOD};
	h->raw = (struct host_raw){.handle.host = &services, .host = h};
	h->report_count = h->progress_count = 0;
	h->retried = h->writes = h->drains = h->hazards = 0;
	h->explained[0] = h->logged[0] = '\0';
	h->script = h->input = NULL;
	h->stop_at = 0;
	h->has_begun = h->stopping = h->failed = false;
	host_revive(h);
}

bool host_is_done(const struct host *h)
{
	if (h->failed)
		return false;
	for (const struct host_step *s = h->input; s != NULL; s = s->next)
		if (s->kind == STEP_ANSWER && !h->quiet)
			print_bytes("never read:", s->data + s->used, s->len - s->used);
	for (const struct host_step *s = h->script; s != NULL; s = s->next)
		if (s->kind == STEP_EXPECT && !h->quiet)
			print_bytes("never written:", s->data, s->len);
	return h->script == NULL && h->input == NULL;
}

/* Called for every frame, so that a test can change the settings at any time. */
static void *prepare(struct host *h)
{
	if (h->driver->prepare == NULL)
		return NULL;
	void *prepared = calloc(1, h->driver->prepared_size);
	if (prepared == NULL)
		abort();
	h->driver->prepare(&h->settings.handle, prepared);
	return prepared;
}

static int decode_once(struct host *h, struct assay_decoding *in)
{
	h->frame = (struct host_frame){.handle.host = &services, .host = h, .flag = ASSAY_GOOD};
	decoding = h;
	return h->driver->decode(in, &h->frame.handle);
}

/* Leaves other bytes where the locals of the next call will be. */
static __attribute__((noinline)) void soil_stack(int byte)
{
	volatile char locals[65536];
	for (size_t i = 0; i < sizeof(locals); i++)
		locals[i] = (char)byte;
}

/* Twice: nothing counts but the input. */
static int decode(struct host *h, struct assay_decoding *in)
{
	static struct host_frame first;
	bool failed = h->failed;
	void *prepared = prepare(h);
	in->host = &services;
	in->settings = &h->settings.handle;
	in->prepared = prepared;
	soil_stack(0x5a);
	int r = decode_once(h, in);
	if (r == 0 && h->frame.kind == 0)
		host_bug("a frame without a kind");
	first = h->frame;
	h->failed = failed;
	soil_stack(0xa5);
	if (decode_once(h, in) != r || (r == 0 && !host_frame_is_equal(&first, &h->frame)))
		host_bug("decode() made two different frames of the same bytes");
	free(prepared);
	return r;
}

int host_decode_bytes(struct host *h, const struct assay_bytes *raw, size_t count,
	const struct assay_bytes *references, size_t reference_count)
{
	struct assay_decoding in = {.raw = raw,
		.raw_count = count,
		.references = references,
		.reference_count = reference_count};
	return decode(h, &in);
}

int host_poll(struct host *h)
{
	struct values values = {{&services}, h};
	return h->driver->poll(&h->ins, &values.handle);
}

void host_check(struct host *h)
{
	struct check check = {{&services}, h};
	h->found[0] = '\0';
	if (h->driver->check != NULL)
		h->driver->check(h->ins.settings, &check.handle);
}

int host_decode(struct host *h)
{
	return host_decode_bytes(h, h->raw.blocks, h->raw.count, NULL, 0);
}
