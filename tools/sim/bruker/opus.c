/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw file: header, directory of 40 places, the interferogram and its parameter blocks, all little
 * endian and in whole words of four bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "bruker.h"

#define MAGIC         0xFEFE0A0A
#define VERSION       920622.0
#define HEADER        24
#define PLACES        40
#define ENTRY         12
#define MARK          0x40000000
#define BLOCK_TABLE   0x3400
#define BLOCK_IGRAM   0x807
#define BLOCK_IGRAM_P 0x817
#define BLOCK_STATE   0x20
#define BLOCK_ACQUIRE 0x30
#define BLOCK_OPTIC   0x60
#define BLOCK_SAMPLE  0xA0

enum value_type { INTEGER, REAL, STRING, ENUMERATED };

struct file {
	struct buffer bytes;
	struct {
		uint32_t type, start, end;
	} blocks[PLACES];
	uint32_t n;
};

static void put_u16(struct buffer *to, uint16_t v)
{
	buffer_append(to, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8)}, 2);
}

static void put_u32(struct buffer *to, uint32_t v)
{
	put_u16(to, (uint16_t)v);
	put_u16(to, (uint16_t)(v >> 16));
}

static void put_f64(struct buffer *to, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	put_u32(to, (uint32_t)bits);
	put_u32(to, (uint32_t)(bits >> 32));
}

static void put_head(struct buffer *to, const char *name, enum value_type type, size_t bytes)
{
	buffer_append(to, name, 4);
	put_u16(to, (uint16_t)type);
	put_u16(to, (uint16_t)(bytes / 2));
}

static void integer(struct file *file, const char *name, int32_t value)
{
	put_head(&file->bytes, name, INTEGER, 4);
	put_u32(&file->bytes, (uint32_t)value);
}

static void real(struct file *file, const char *name, double value)
{
	put_head(&file->bytes, name, REAL, 8);
	put_f64(&file->bytes, value);
}

/* With its NUL, in whole 16-bit words. */
static void text(struct file *file, const char *name, enum value_type type, const char *value)
{
	size_t len = strlen(value) + 1;
	put_head(&file->bytes, name, type, len + len % 2);
	buffer_append(&file->bytes, value, len);
	buffer_append(&file->bytes, "", len % 2);
}

static void start_block(struct file *file, uint32_t type)
{
	file->blocks[file->n].type = type;
	file->blocks[file->n++].start = (uint32_t)file->bytes.len;
}

static void end_block(struct file *file)
{
	while (file->bytes.len % 4 != 0)
		buffer_append(&file->bytes, "", 1);
	file->blocks[file->n - 1].end = (uint32_t)file->bytes.len;
}

static void end_parameters(struct file *file)
{
	put_head(&file->bytes, "END", INTEGER, 0);
	end_block(file);
}

static void put_data(struct file *file, uint32_t type, const float *values, size_t n)
{
	start_block(file, type);
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof bits);
		put_u32(&file->bytes, bits);
	}
	end_block(file);
}

static void put_data_parameters(
	struct file *file, const float *values, size_t n, const struct tm *when)
{
	char date[32], hour[32];
	double max = values[0], min = values[0];
	for (size_t i = 1; i < n; i++) {
		max = values[i] > max ? values[i] : max;
		min = values[i] < min ? values[i] : min;
	}
	strftime(date, sizeof date, "%d/%m/%Y", when);
	strftime(hour, sizeof hour, "%H:%M:%S.000 (GMT+0)", when);
	start_block(file, BLOCK_IGRAM_P);
	integer(file, "DPF", 1);
	integer(file, "NPT", (int32_t)n);
	real(file, "FXV", 0);
	real(file, "LXV", (double)(n - 1));
	real(file, "CSF", 1);
	real(file, "MXY", max);
	real(file, "MNY", min);
	text(file, "DXU", ENUMERATED, "PNT");
	text(file, "DAT", STRING, date);
	text(file, "TIM", STRING, hour);
	end_parameters(file);
}

static void put_state(struct file *file, struct bruker *b, double started, double seconds)
{
	const struct bruker_sweep *sweep = &b->sweep;
	bool returns = sweep->backward > 0;
	uint32_t serial = b->plan.serial + sim_fault_active(b->m, FAULT_WRONG_IDENTITY);
	char number[16];
	snprintf(number, sizeof number, "%u", serial);
	start_block(file, BLOCK_STATE);
	real(file, "HFL", b->plan.laser);
	real(file, "LFL", 0);
	real(file, "LWN", b->plan.laser);
	integer(file, "SSP", 1);
	integer(file, "ASS", (int32_t)b->running.scans);
	integer(file, "GFW", (int32_t)sweep->forward);
	integer(file, "GBW", (int32_t)sweep->backward);
	integer(file, "BFW", 0);
	integer(file, "BBW", 0);
	integer(file, "PKL", (int32_t)sweep->centre);
	integer(file, "PRL", returns ? (int32_t)(sweep->n - 1 - sweep->centre) : -1);
	integer(file, "RSN", (int32_t)b->runs);
	real(file, "SRT", started);
	real(file, "DUR", seconds);
	real(file, "TSC", 27.8);
	real(file, "PRS", 1010);
	text(file, "VSN", STRING, "2.450 simulated");
	text(file, "SRN", STRING, number);
	text(file, "INS", STRING, b->plan.name);
	text(file, "RDY", ENUMERATED, "1");
	end_parameters(file);
}

static void put_acquisition(struct file *file, const struct bruker_settings *set)
{
	start_block(file, BLOCK_ACQUIRE);
	text(file, "AQM", ENUMERATED, set->mode);
	real(file, "HFW", set->high);
	real(file, "LFW", set->low);
	integer(file, "NSS", (int32_t)set->scans);
	real(file, "RES", set->resolution);
	end_parameters(file);
}

static void put_optic(struct file *file, const struct bruker_settings *set)
{
	char number[48];
	start_block(file, BLOCK_OPTIC);
	snprintf(number, sizeof number, "%g", set->aperture);
	text(file, "APT", STRING, number);
	snprintf(number, sizeof number, "%g", set->channel);
	text(file, "CHN", STRING, number);
	snprintf(number, sizeof number, "%g", set->gain);
	text(file, "PGN", ENUMERATED, number);
	snprintf(number, sizeof number, "%g", set->source);
	text(file, "SRC", STRING, number);
	snprintf(number, sizeof number, "%g", set->velocity);
	text(file, "VEL", ENUMERATED, number);
	end_parameters(file);
}

static void put_sample(struct file *file, const struct bruker_settings *set)
{
	start_block(file, BLOCK_SAMPLE);
	text(file, "SNM", STRING, set->sample);
	text(file, "SFM", STRING, set->form);
	text(file, "CNM", STRING, set->user);
	end_parameters(file);
}

/* The directory comes first; its own entry is the first one. */
static void put_directory(const struct file *file, uint32_t mark, struct buffer *to)
{
	put_u32(to, MAGIC);
	put_f64(to, VERSION);
	put_u32(to, HEADER);
	put_u32(to, PLACES);
	put_u32(to, file->n + 1);
	put_u32(to, BLOCK_TABLE);
	put_u32(to, PLACES * ENTRY / 4);
	put_u32(to, HEADER);
	for (uint32_t i = 0; i < file->n; i++) {
		bool is_data = file->blocks[i].type == BLOCK_IGRAM;
		put_u32(to, file->blocks[i].type | (is_data ? mark : 0));
		put_u32(to, (file->blocks[i].end - file->blocks[i].start) / 4);
		put_u32(to, HEADER + PLACES * ENTRY + file->blocks[i].start);
	}
	for (uint32_t i = 3 * (file->n + 1); i < PLACES * ENTRY / 4; i++)
		put_u32(to, 0);
}

int opus_make(struct bruker *b, uint64_t started, double seconds)
{
	struct file file = {0};
	struct buffer whole = {0};
	double unix_seconds = (double)b->plan.started + (double)started / 1e9;
	time_t when = (time_t)unix_seconds;
	struct tm utc;
	size_t n = b->sweep.n * (b->sweep.backward > 0 ? 2 : 1);
	float *values = malloc(n * sizeof *values);
	if (values == NULL || gmtime_r(&when, &utc) == NULL || interferogram_make(b, values) < 0) {
		free(values);
		return -ENOMEM;
	}
	put_optic(&file, &b->running);
	put_acquisition(&file, &b->running);
	put_data(&file, BLOCK_IGRAM, values, n);
	put_data_parameters(&file, values, n, &utc);
	put_state(&file, b, unix_seconds, seconds);
	put_sample(&file, &b->running);
	put_directory(&file, b->plan.marks_blocks ? MARK : 0, &whole);
	buffer_append(&whole, file.bytes.data, file.bytes.len);
	free(values);
	bool failed = file.bytes.failed || whole.failed;
	buffer_finish(&file.bytes);
	if (failed) {
		buffer_finish(&whole);
		return -ENOMEM;
	}
	free(b->file);
	b->file = whole.data;
	b->file_len = whole.len;
	return 0;
}
