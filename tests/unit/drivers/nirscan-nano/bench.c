/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing -------------------------------------------------------------------------------- */

struct writer {
	uint8_t *at;
};

static void put(struct writer *w, uint64_t v, int bytes)
{
	for (; bytes-- > 0; v >>= 8)
		*w->at++ = (uint8_t)v;
}

static void put_text(struct writer *w, const char *text, size_t size)
{
	memset(w->at, 0, size);
	memcpy(w->at, text, strnlen(text, size));
	w->at += size;
}

static void put_double(struct writer *w, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	put(w, bits, 8);
}

/* The head of a structure; its length is written by end(). */
static uint8_t *begin(
	struct writer *w, const char *format, const uint32_t *lengths, int length_count)
{
	uint8_t *start = w->at;
	put_text(w, "tpl", 3);
	put(w, 0, 5);
	put_text(w, format, strlen(format) + 1);
	for (int i = 0; i < length_count; i++)
		put(w, lengths[i], 4);
	return start;
}

static void end(const struct writer *w, uint8_t *start)
{
	struct writer length = {start + 4};
	put(&length, (uint64_t)(w->at - start), 4);
}

/* --- scans ------------------------------------------------------------------------------------ */

static bool is_dark(const struct bench_scan *s, int i)
{
	return i >= s->black_first && (i - s->black_first) % s->black_period == 0;
}

void bench_fill(struct bench_scan *s, int32_t dark, const int32_t *intensities, int count)
{
	int at = 0;
	for (int i = 0; i < s->samples; i++)
		s->adc[i] = is_dark(s, i) || at == count ? dark : dark + intensities[at++];
}

struct bench_scan bench_capture(void)
{
	struct bench_scan s = {.type = 2,
		.name = "Column 1",
		.repeats = 6,
		.section_count = 1,
		.sections = {{0, 6, 900, 1700, 228, 1}},
		.time = {16, 7, 28, 4, 17, 25, 43},
		.board = 2308,
		.detector = 2515,
		.humidity = 2753,
		.photodiode = 0,
		.index = 7,
		.polynomial = {1817.5628040683239, -0.9197324883412284, -0.00023377358306336216},
		.serial = "6100039",
		.black_first = 24,
		.black_period = 25,
		.gain = 64,
		.samples = 237,
		.adc_count = 237,
		.coefficients = 3,
		.section_places = 5};
	int32_t intensities[228] = {18693, 20787, 22799, 24598};
	for (int i = 4; i < 225; i++)
		intensities[i] = 25000 + (i < 114 ? i * 1000 : (224 - i) * 900);
	memcpy(intensities + 225, (int32_t[]){4365, 3752, 3220}, 3 * sizeof(int32_t));
	bench_fill(&s, 21206, intensities, 228);
	return s;
}

static void put_configuration(struct writer *w, const struct bench_scan *s)
{
	const struct bench_section *t = &s->sections[0];
	put(w, (uint64_t)s->type, 1);
	put(w, 0, 2);
	put_text(w, s->serial, 8);
	put_text(w, s->name, 40);
	if (s->type == 2) {
		put(w, (uint64_t)s->repeats, 2);
		put(w, (uint64_t)s->section_count, 1);
		return;
	}
	put(w, (uint64_t)t->first, 2);
	put(w, (uint64_t)t->last, 2);
	put(w, (uint64_t)t->width, 1);
	put(w, (uint64_t)t->patterns, 2);
	put(w, (uint64_t)s->repeats, 2);
}

static void put_sections(struct writer *w, const struct bench_scan *s)
{
	uint8_t *start = begin(w, "S(ccvvvv)#", (uint32_t[]){(uint32_t)s->section_places}, 1);
	for (int i = 0; i < s->section_places; i++) {
		const struct bench_section *t = &s->sections[i];
		put(w, (uint64_t)t->type, 1);
		put(w, (uint64_t)t->width, 1);
		put(w, (uint64_t)t->first, 2);
		put(w, (uint64_t)t->last, 2);
		put(w, (uint64_t)t->patterns, 2);
		put(w, (uint64_t)t->exposure, 2);
	}
	end(w, start);
}

static void put_head(struct writer *w, const struct bench_scan *s)
{
	put(w, 1, 4);
	put_text(w, "scan", 20);
	for (int i = 0; i < 7; i++)
		put(w, (uint64_t)s->time[i], 1);
	put(w, (uint64_t)s->board, 2);
	put(w, (uint64_t)s->detector, 2);
	put(w, (uint64_t)s->humidity, 2);
	put(w, (uint64_t)s->photodiode, 2);
	put(w, s->index, 4);
	for (int i = 0; i < 3; i++)
		put_double(w, -1.5 * i);
	for (int i = 0; i < s->coefficients; i++)
		put_double(w, i < 3 ? s->polynomial[i] : 0);
	put_text(w, s->serial, 8);
	put(w, (uint64_t)s->samples, 2);
	put(w, (uint64_t)s->black_first, 1);
	put(w, (uint64_t)s->black_period, 1);
	put(w, (uint64_t)s->gain, 1);
}

static void put_samples(struct writer *w, const struct bench_scan *s)
{
	for (int i = 0; i < s->adc_count; i++)
		put(w, (uint32_t)s->adc[i], 4);
}

size_t bench_configuration(const struct bench_scan *s, uint8_t *out)
{
	struct writer w = {out};
	uint8_t *start = begin(
		&w, s->type == 2 ? "S(cvc#c#vc)" : "S(cvc#c#vvcvv)", (uint32_t[]){8, 40}, 2);
	put_configuration(&w, s);
	end(&w, start);
	if (s->type == 2)
		put_sections(&w, s);
	return (size_t)(w.at - out);
}

size_t bench_file(const struct bench_scan *s, uint8_t out[BENCH_FILE])
{
	struct writer w = {out};
	uint32_t adc = (uint32_t)s->adc_count, coefficients = (uint32_t)s->coefficients;
	memset(out, 0, BENCH_FILE);
	if (s->type != 2) {
		uint8_t *start = begin(&w, "S(uc#cccccccjjvvu$(f#f#)c#vccccvc#c#vvcvvi#)",
			(uint32_t[]){20, 3, coefficients, 8, 8, 40, adc}, 7);
		put_head(&w, s);
		put_configuration(&w, s);
		put_samples(&w, s);
		end(&w, start);
		return (size_t)(w.at - out);
	}
	uint8_t *start = begin(
		&w, "S(uc#cccccccjjvvu$(f#f#)c#vccc)", (uint32_t[]){20, 3, coefficients, 8}, 4);
	put_head(&w, s);
	end(&w, start);
	w.at += bench_configuration(s, w.at);
	start = begin(&w, "i#", &adc, 1);
	put_samples(&w, s);
	end(&w, start);
	return (size_t)(w.at - out);
}

/* --- the instrument --------------------------------------------------------------------------- */

struct call {
	int flags, sequence, opcode;
	const uint8_t *args;
	size_t len;
};

static void wrong(struct bench *b, const char *text)
{
	fprintf(stderr, "request %u: %s\n", b->requests, text);
	b->is_wrong = true;
}

static void note(struct bench *b, const struct call *c)
{
	size_t at = strlen(b->dialogue), size = sizeof(b->dialogue);
	at += (size_t)snprintf(
		b->dialogue + at, size - at, "%s%04X", at > 0 ? " " : "", (unsigned)c->opcode);
	for (size_t i = 0; i < c->len && at < size; i++)
		at += (size_t)snprintf(b->dialogue + at, size - at, "%s%02X%s", i > 0 ? "" : "[",
			c->args[i], i + 1 < c->len ? "" : "]");
}

static size_t put_number(uint8_t *out, uint64_t v, int bytes)
{
	struct writer w = {out};
	put(&w, v, bytes);
	return (size_t)bytes;
}

static size_t file_data(struct bench *b, uint8_t *out)
{
	size_t n = BENCH_FILE - b->file_at;
	n = n < b->chunk ? n : b->chunk;
	memcpy(out, b->file + b->file_at, n);
	b->file_at += n;
	return n;
}

static int start_scan(struct bench *b, const struct call *c)
{
	if (b->scanning || c->args[0] != 0)
		return -1;
	struct bench_scan scan = b->scans[b->active];
	b->scanning = true;
	b->left = b->polls;
	scan.index = b->scans_done++;
	scan.adc[0] += (int32_t)b->scans_done - 1;
	bench_file(&scan, b->file);
	return 0;
}

static size_t temperatures(const struct bench *b, uint8_t *out, int first, int second)
{
	put_number(out, (uint32_t)first, 4);
	put_number(out + 4, (uint32_t)second, 4);
	return b->sensors_failed ? 4 : 8;
}

/* The data of the reply, or -1: an error. */
static int carry_out(struct bench *b, const struct call *c, uint8_t *out)
{
	int args = -1;
	size_t n = 0;
	switch (c->opcode) {
	case 0x002D: args = 1, b->file_at = 0, n = put_number(out, b->file_size, 4); break;
	case 0x002E: args = 0, n = file_data(b, out); break;
	case 0x0216: args = 0, n = 28, memset(out, 1, n), put_number(out, 0x020100, 4); break;
	case 0x0219:
		args = 0, n = 1, out[0] = b->left-- <= 0;
		b->scanning = b->scanning && out[0] == 0;
		break;
	case 0x0220:
		args = 1, n = bench_configuration(&b->scans[c->args[0]], out + 4);
		n += put_number(out, n, 4);
		break;
	case 0x0222: args = 0, n = put_number(out, (uint64_t)b->count, 1); break;
	case 0x0223: args = 0, n = put_number(out, (uint64_t)b->active, 1); break;
	case 0x0233: args = 0, n = 8, memcpy(out, "6100039\0", 8); break;
	case 0x023C: args = 0, n = 16, memcpy(out, "DLP NIRscan Nano", 16); break;
	case 0x0237: args = 0, n = put_number(out, b->estimate, 4); break;
	case 0x0300: args = 0, n = temperatures(b, out, -276, 2515); break;
	case 0x0302: args = 0, n = temperatures(b, out, 2308, 2753); break;
	case 0x030F: args = 0, n = put_number(out, (uint64_t)b->hibernation, 1); break;
	case 0x0403:
		args = 0, n = put_number(out, b->scanning ? 3 : 1, 4);
		b->scanning = b->scanning && b->left-- > 0;
		break;
	case 0x0404:
		args = 0, n = put_number(out, b->errors, 4) + 16;
		memcpy(out + 4, b->codes, 16);
		break;
	case 0x0218: args = 1, n = start_scan(b, c) < 0 ? SIZE_MAX : 0; break;
	case 0x0224:
		args = 1, b->active = c->args[0];
		n = put_number(out, (uint64_t)b->scans[b->active].samples, 4);
		break;
	case 0x022E: args = 2, b->repeats = c->args[0] | c->args[1] << 8; break;
	case 0x030E: args = 1, b->hibernation = b->stays_awake ? 1 : c->args[0]; break;
	case 0x0405: args = 0, b->errors = 0; break;
	case 0x040C: args = 2, b->gain_fixed = c->args[0], b->gain = c->args[1]; break;
	default: break;
	}
	static const int writes[] = {0x0218, 0x0224, 0x022E, 0x030E, 0x0405, 0x040C};
	bool is_write = false;
	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		is_write = is_write || c->opcode == writes[i];
	if (args < 0)
		wrong(b, "an opcode that the driver has no use for");
	else if ((size_t)args != c->len)
		wrong(b, "wrong number of arguments");
	else if (c->flags != (is_write ? 0x40 : 0xC0))
		wrong(b, "wrong direction");
	return n == SIZE_MAX ? -1 : (int)n;
}

/* --- envelopes -------------------------------------------------------------------------------- */

static size_t wrap(const struct bench *b, int flags, int sequence, int opcode, const uint8_t *data,
	size_t len, uint8_t *out)
{
	struct writer w = {out};
	bool is_usb = b->h->ins.link == ASSAY_LINK_USB;
	if (!is_usb) {
		put_text(&w, "ABCD", 4);
		put(&w, 0, 4);
	}
	put(&w, (uint64_t)flags, 1);
	put(&w, (uint64_t)sequence, 1);
	put(&w, is_usb ? len : len + 2, 2);
	if (!is_usb)
		put(&w, (uint64_t)opcode, 2);
	memcpy(w.at, data, len);
	w.at += len;
	uint32_t sum = 0;
	for (const uint8_t *c = out + 8; !is_usb && c < w.at; c++)
		sum += *c;
	if (!is_usb) {
		put_number(out + 4, sum, 4);
		put_text(&w, "DCBA", 4);
	}
	while (is_usb && (w.at - out) % 64 != 0)
		put(&w, 0, 1);
	return (size_t)(w.at - out);
}

static bool unwrap(struct bench *b, const uint8_t *data, size_t len, struct call *out)
{
	if (b->h->ins.link != ASSAY_LINK_USB) {
		uint32_t sum = 0;
		for (size_t i = 8; i + 4 < len; i++)
			sum += data[i];
		if (len < 18 || memcmp(data, "ABCD", 4) != 0 ||
			memcmp(data + len - 4, "DCBA", 4) != 0 || memcmp(data + 4, &sum, 4) != 0)
			return false;
		data += 8, len -= 12;
	} else if (len != 64) {
		return false;
	}
	size_t stated = data[2] | (size_t)data[3] << 8;
	if (b->h->ins.link == ASSAY_LINK_USB ? stated + 4 > len : stated + 4 != len)
		return false;
	*out = (struct call){data[0], data[1], data[4] | data[5] << 8, data + 6, stated - 2};
	return true;
}

static void send(struct bench *b, const uint8_t *bytes, size_t len)
{
	host_answer_split(b->h, bytes, len, b->h->ins.link == ASSAY_LINK_USB ? 64 : 50);
}

/* True if the reply that follows is not to be sent. */
static bool spoil(struct bench *b, const struct call *c, uint8_t *reply, size_t len)
{
	uint8_t other[600];
	size_t n;
	switch (b->fault) {
	case FAULT_SILENT: return true;
	case FAULT_CUT:
		send(b, reply, b->h->ins.link == ASSAY_LINK_USB ? len / 2 / 64 * 64 : len / 2);
		return true;
	case FAULT_FLIP: reply[(len * 7 / 11) % len] ^= 4; return false;
	case FAULT_CHECKSUM: /* its length is left over from the request before */
		n = wrap(b, c->flags | 0x10, c->sequence, c->opcode, other, 0, other);
		put_number(other + (b->h->ins.link == ASSAY_LINK_USB ? 2 : 10), 9, 2);
		send(b, other, n);
		return true;
	case FAULT_GAP:
		n = host_hex("41 42 43 44 10 00 00 00 10 00 00 00 44 43 42 41", other, 600);
		send(b, other, n);
		return true;
	case FAULT_STALE: send(b, b->last, b->last_len); return false;
	case FAULT_OTHER:
		memset(other, 0xff, sizeof(other));
		n = wrap(b, c->flags, c->sequence, c->opcode ^ 1, other + 100, 8, other);
		send(b, other, n);
		return false;
	case FAULT_READ:
		n = wrap(b, c->flags ^ 0x80, c->sequence, c->opcode, reply + 14, 8, other);
		send(b, other, n);
		return true;
	case FAULT_SHORT:
		n = wrap(b, c->flags, c->sequence, c->opcode, other, 0, other);
		send(b, other, n);
		return true;
	case FAULT_LATE:
		n = b->h->ins.link == ASSAY_LINK_USB ? 64 : len / 2;
		n = n < len ? n : 0;
		send(b, reply, n);
		host_silence(b->h);
		send(b, reply + n, len - n);
		return true;
	case FAULT_RAGGED:
		host_answer(b->h, reply, 60);
		send(b, reply + 64, len - 64);
		return true;
	case FAULT_NOISE: send(b, (const uint8_t *)"noiseABCABCD", 9); return false;
	case FAULT_BUSY:
		n = wrap(b, c->flags | 0x20, c->sequence, c->opcode, other, 0, other);
		send(b, other, n);
		return true;
	default: return false;
	}
}

static void receive(struct host *h, const uint8_t *data, size_t len)
{
	struct bench *b = h->device_data;
	struct call c;
	uint8_t body[600], reply[700];
	b->requests++;
	if (!unwrap(b, data, len, &c)) {
		wrong(b, "no request");
		return;
	}
	note(b, &c);
	bool is_spoilt = b->fault_at > 0 && b->requests >= b->fault_at &&
			 b->requests < b->fault_at + b->fault_for;
	bool is_lost = is_spoilt && (b->fault == FAULT_LOST || b->fault == FAULT_BUSY ||
					    b->fault == FAULT_CHECKSUM || b->fault == FAULT_GAP);
	int n = 0;
	if (is_lost && b->fault == FAULT_LOST)
		return;
	if (!is_lost)
		n = (uint32_t)c.opcode == b->refused ? -1 : carry_out(b, &c, body);
	size_t total = wrap(b, c.flags | (n < 0 ? 0x10 : 0), c.sequence, c.opcode, body,
		n < 0 ? 0 : (size_t)n, reply);
	if (is_spoilt && spoil(b, &c, reply, total))
		return;
	send(b, reply, total);
	memcpy(b->last, reply, total);
	b->last_len = total;
}

struct bench *bench_create(enum assay_link link)
{
	struct bench *b = calloc(1, sizeof(*b));
	b->h = host_create(assay_driver, link);
	b->h->device = receive;
	b->h->device_data = b;
	for (int i = 0; i < 3; i++)
		b->scans[i] = bench_capture();
	b->scans[2].sections[0].type = 1;
	b->count = 3;
	b->polls = 2;
	b->hibernation = 1;
	b->estimate = 2500;
	b->file_size = BENCH_FILE;
	b->chunk = link == ASSAY_LINK_USB ? 512 : 510;
	b->fault_for = 1;
	return b;
}

void bench_destroy(struct bench *b)
{
	host_destroy(b->h);
	free(b);
}

int bench_start(struct bench *b)
{
	int r = -EBADMSG;
	for (int n = 0; n < 3 && (r == -EBADMSG || r == -ETIMEDOUT); n++)
		r = b->h->driver->start(&b->h->ins);
	return r;
}

int bench_acquire(struct bench *b)
{
	int r = -EAGAIN;
	for (int n = 0; n < 3 && (r == -EBADMSG || r == -ETIMEDOUT || r == -EAGAIN);
		n += r != -EAGAIN)
		r = b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
	return r;
}
