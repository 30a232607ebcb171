/* SPDX-License-Identifier: Apache-2.0 */
#include "opus-file.h"

#include <stdlib.h>
#include <string.h>

#define DIRECTORY 24
#define ROOM      40

static void put(struct opus_file *f, const void *data, size_t len)
{
	if (len > OPUS_FILE_MAX - f->len)
		abort();
	memcpy(f->bytes + f->len, data, len);
	f->len += len;
}

static void put_u16(struct opus_file *f, uint32_t v)
{
	uint8_t b[] = {(uint8_t)v, (uint8_t)(v >> 8)};
	put(f, b, 2);
}

static void put_u32(struct opus_file *f, uint32_t v)
{
	put_u16(f, v & 0xffff);
	put_u16(f, v >> 16);
}

static void put_f64(struct opus_file *f, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	put_u32(f, (uint32_t)bits);
	put_u32(f, (uint32_t)(bits >> 32));
}

static void set_u32(struct opus_file *f, size_t at, uint32_t v)
{
	size_t len = f->len;
	f->len = at;
	put_u32(f, v);
	f->len = len;
}

/* The size of the last block in the directory follows the file's end. */
static void stretch(struct opus_file *f)
{
	size_t entry = DIRECTORY + 12 * (f->count - 1);
	uint32_t start;
	memcpy(&start, f->bytes + entry + 8, 4);
	set_u32(f, entry + 4, (uint32_t)(f->len - start) / 4);
}

struct opus_file *opus_file_new(void)
{
	struct opus_file *f = calloc(1, sizeof(*f));
	f->bytes = calloc(1, OPUS_FILE_MAX);
	put_u32(f, 0xfefe0a0a);
	put_f64(f, 920622.0);
	put_u32(f, DIRECTORY);
	put_u32(f, ROOM);
	put_u32(f, 0);
	f->len = DIRECTORY + 12 * ROOM;
	return f;
}

void opus_file_free(struct opus_file *f)
{
	free(f->bytes);
	free(f);
}

void opus_file_block(struct opus_file *f, uint32_t type)
{
	size_t entry = DIRECTORY + 12 * f->count;
	set_u32(f, entry, type);
	set_u32(f, entry + 8, (uint32_t)f->len);
	set_u32(f, 20, ++f->count);
}

static void head(struct opus_file *f, const char *name, uint32_t type, size_t len)
{
	char letters[4] = {name[0], name[1], name[2], 0};
	put(f, letters, 4);
	put_u16(f, type);
	put_u16(f, (uint32_t)len / 2);
}

void opus_file_integer(struct opus_file *f, const char *name, int32_t value)
{
	head(f, name, 0, 4);
	put_u32(f, (uint32_t)value);
}

void opus_file_real(struct opus_file *f, const char *name, double value)
{
	head(f, name, 1, 8);
	put_f64(f, value);
}

void opus_file_text(struct opus_file *f, const char *name, const char *text)
{
	size_t len = (strlen(text) + 2) / 2 * 2;
	char padded[64] = "";
	strncpy(padded, text, sizeof(padded) - 1);
	head(f, name, 2, len);
	put(f, padded, len);
}

void opus_file_end(struct opus_file *f)
{
	head(f, "END", 0, 0);
	while (f->len % 4 != 0)
		put(f, "", 1);
	stretch(f);
}

void opus_file_numbers(struct opus_file *f, const float *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof(bits));
		put_u32(f, bits);
	}
	stretch(f);
}

static void put_instrument(struct opus_file *f, const struct opus_scan *scan)
{
	opus_file_block(f, 0x20 | scan->extra);
	opus_file_real(f, "HFL", scan->high);
	opus_file_real(f, "LFL", scan->low);
	opus_file_real(f, "LWN", scan->laser);
	opus_file_integer(f, "GFW", scan->forward);
	opus_file_integer(f, "GBW", scan->backward);
	opus_file_integer(f, "PKL", scan->peak);
	opus_file_integer(f, "PRL", scan->backward_peak);
	opus_file_text(f, "INS", "VERTEX 80V");
	opus_file_end(f);
}

static void put_about(struct opus_file *f, const struct opus_scan *scan)
{
	double least = (double)scan->values[0], greatest = least;
	for (size_t i = 1; i < scan->count; i++) {
		double v = (double)scan->values[i];
		least = v < least ? v : least;
		greatest = v > greatest ? v : greatest;
	}
	opus_file_block(f, 0x817 | scan->extra);
	opus_file_integer(f, "NPT", (int32_t)scan->count);
	opus_file_real(f, "CSF", scan->factor);
	opus_file_real(f, "MXY", greatest * scan->factor);
	opus_file_real(f, "MNY", least * scan->factor);
	opus_file_text(f, "DAT", "03/05/2019");
	opus_file_text(f, "TIM", "13:34:44.641 (GMT-4)");
	opus_file_end(f);
}

struct opus_file *opus_file_of(const struct opus_scan *scan)
{
	struct opus_file *f = opus_file_new();
	put_instrument(f, scan);
	opus_file_block(f, 0x30 | scan->extra);
	opus_file_text(f, "AQM", "DD");
	opus_file_real(f, "HFW", 15000);
	opus_file_real(f, "LFW", 0);
	opus_file_real(f, "RES", scan->resolution);
	opus_file_end(f);
	opus_file_block(f, 0x40 | scan->extra);
	opus_file_text(f, "APF", "B3");
	opus_file_real(f, "HFQ", 500);
	opus_file_real(f, "LFQ", 10000);
	opus_file_real(f, "PHR", scan->phase_resolution);
	opus_file_text(f, "PHZ", "ML");
	opus_file_text(f, "ZFF", "2");
	opus_file_end(f);
	opus_file_block(f, 0x807 | scan->extra);
	opus_file_numbers(f, scan->values, scan->count);
	put_about(f, scan);
	return f;
}
